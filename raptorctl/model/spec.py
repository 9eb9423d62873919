"""What a machine should be: the one record that flags, profiles and files make alike."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import DiskSpec
from raptorctl.model.net import Net
from raptorctl.model.seed import Network
from raptorctl.model.sizes import Size
from raptorctl.model.ssh_key import PublicKey


class Graphics(enum.Enum):
    """What shows a machine's screen: never a TCP port, which every account could open."""

    NONE = "none"
    VNC = "vnc-socket"
    SPICE = "spice-socket"

    @property
    def is_there(self) -> bool:
        """Whether a screen is shown at all."""
        return self is not Graphics.NONE

    @property
    def protocol(self) -> str:
        """Libvirt's word for it."""
        return self.value.removesuffix("-socket")


class BootDevice(enum.Enum):
    """What the firmware tries to boot from."""

    DISK = "disk"
    CDROM = "cdrom"
    NETWORK = "network"

    @property
    def libvirt(self) -> str:
        """Libvirt's word for it."""
        return "hd" if self is BootDevice.DISK else self.value


BOOT_WORDS: Final = {device.libvirt: device.value for device in BootDevice}
"""What we call each of libvirt's words."""


CLOUD_TEXTS: Final = ("user_data", "vendor_data", "network_config", "meta_data")
"""What of a machine is a file of cloud-init's."""
SEED_FOLDER: Final = "cloud_init"
"""What names a folder that has these files; a key of its own counts more than its file there."""


@dataclass(frozen=True)
class MachineSpec:
    """What a machine should be, as far as it was said; None is not said.

    A field more needs a comparison in `plans/machine/diff.py`; a test fails without it.

    Args:
        size: of its disk, bytes.
        cpus: one host CPU for each virtual CPU, in order; or how many.
        emulator_cpus: host CPUs for QEMU's own threads; the last two of `cpus`, if not said.
        share: whether its CPUs may be others', too.
        memory: bytes.
        slot: the number of its place on the network.
        template: the domain template it is rendered from.
        image: what its disk begins as, by name, source or digest.
        iso: what is in its CD drive at first, likewise.
        profile: the profiles that this was laid together from, first to last.
        graphics: what shows its screen.
        hugepages: bytes of the huge pages that its memory is made of.
        tpm: whether it has a TPM 2.0, emulated by swtpm.
        secure_boot: whether its firmware boots only what is signed.
        boot: what the firmware tries, in order.
        net: its network interfaces; what its host gives by itself, if not said.
        network: how the guest gets its addresses.
        seed: whether cloud-init is told anything.
        keys: public keys that its tenant is to have, and its guest to let in.
        user_data: the admin's own cloud-config, merged with ours, or a script. May hold secrets.
        vendor_data: as user_data, but of less weight, and not merged with ours.
        network_config: the guest's network in cloud-init's words, in place of ours.
        meta_data: what cloud-init knows of the machine, beside what is ours.
        account: who logs in to the guest.
        hostname: what the guest calls itself.
        packages: what is installed at first boot.
        hosts: names by address, for /etc/hosts.
        sysctl: kernel parameters (sysctl.d(5)).
        swap: bytes of a swap file; 0 for none.
        disks: those beside the first, by name.
        expires: the first day on which it is not to run any more, or how long until then, or never.
    """

    size: Size | None = None
    cpus: CpuSet | int | None = None
    emulator_cpus: CpuSet | None = None
    share: bool | None = None
    memory: Size | None = None
    slot: int | None = None
    template: str | None = None
    image: str | None = None
    iso: str | None = None
    profile: tuple[str, ...] | None = None
    graphics: Graphics | None = None
    hugepages: Size | None = None
    tpm: bool | None = None
    secure_boot: bool | None = None
    boot: tuple[BootDevice, ...] | None = None
    net: tuple[Net, ...] | None = None
    network: Network | None = None
    seed: bool | None = None
    keys: tuple[PublicKey, ...] | None = None
    user_data: str | None = field(default=None, repr=False)
    vendor_data: str | None = field(default=None, repr=False)
    network_config: str | None = field(default=None, repr=False)
    meta_data: str | None = field(default=None, repr=False)
    account: str | None = None
    hostname: str | None = None
    packages: tuple[str, ...] | None = None
    hosts: Mapping[str, tuple[str, ...]] | None = None
    sysctl: Mapping[str, str] | None = None
    swap: Size | None = None
    disks: Mapping[str, DiskSpec] | None = None
    expires: str | None = None

    def over(self, below: "MachineSpec") -> "MachineSpec":
        """Lay this over another: what this says counts, what it does not say is the other's.

        Of disks that is so one by one, by their names.
        """
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.disks and below.disks:
            said["disks"] = {**below.disks, **self.disks}
        return replace(below, **{key: value for key, value in said.items() if value is not None})

    @property
    def texts(self) -> tuple[str | None, ...]:
        """What cloud-init is told in its own words."""
        return tuple(getattr(self, key) for key in CLOUD_TEXTS)

    @property
    def tells_guest(self) -> bool:
        """Whether cloud-init has anything to be told: a disk without a system has none."""
        if self.seed is not None:
            return self.seed
        said = (*self.texts, self.account, self.hostname, self.packages, self.hosts)
        return any((self.image, self.network, self.sysctl, self.swap, *said))


UNSAID: Final = MachineSpec()
"""A machine of which nothing was said."""
