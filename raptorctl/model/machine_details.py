"""All that is known of one machine."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from raptorctl.model.codec import encode
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import ExtraDisk, SeenDisk, disks, seen
from raptorctl.model.domain import Domain
from raptorctl.model.image import SHORT
from raptorctl.model.made import read_made
from raptorctl.model.medium import digest_in, inserted
from raptorctl.model.names import MachineName
from raptorctl.model.net import Net
from raptorctl.model.record import Record
from raptorctl.model.share import Share
from raptorctl.model.sizes import Size
from raptorctl.model.slot import Slot
from raptorctl.model.snapshot import Snapshot, snapshots
from raptorctl.model.spec import BOOT_WORDS
from raptorctl.model.volume import Volume, is_overlay

if TYPE_CHECKING:
    from raptorctl.model.facts import HostFacts
    from raptorctl.model.settings import Settings
from raptorctl.model.machine import NO_DOMAIN, Form, Machine, _form


@dataclass(frozen=True)
class MachineDetails:
    """All that `show` tells of one machine.

    Args:
        machine: as in the list.
        fqdn: its DNS name, absolute.
        cpus: host CPU of each virtual CPU, in order.
        emulator: host CPUs of the emulator's threads.
        memory: bytes.
        place: its slot in the settings, or None when they no longer have it.
        records: what DNS says of its name and addresses now.
        dns_problem: why it says nothing, or "".
        volume: its volume, or None.
        uuid: the domain's, or "".
        job, created, created_by, template: from the domain's metadata, "" without a domain.
        autostart: whether it starts with the host.
        snapshots: of its disk, in the order they were taken.
        disks: those beside its first, by name.
        seen: the same as the definition has them, where LVM may not be asked.
        vcpus: how many virtual CPUs, pinned or not.
        ssh: where its ssh is forwarded from, on a host of one's own; or "".
        image: what its disk began as, by name; or "".
        macs: of its network interfaces.
        live: what it runs with, where it runs; None where it does not, or libvirt did not say.
        saved: what it would resume with, likewise.
        iso: what is in its CD drive, by name or by the digest's beginning; or "".
        tpm, secure_boot, boot, hugepages: as of a domain.
        nets: its network, in the words in which it is asked for.
        own: whether it is on a session host.
        expires: the first day on which it is not to run any more, or "".
        backing: the image's file that its disk lies over, on a session host; or "".
        seed: the file of its seed, or "".
        screen: what shows its screen, as `--graphics` has it; "" for nothing, or nothing of ours.
        profiles: that it was laid together from, the lowest first.
        shares: with whom what of it is shared; for root alone to know.
    """

    machine: Machine
    fqdn: str
    cpus: CpuSet = CpuSet()
    emulator: CpuSet = CpuSet()
    memory: Size = Size(0)
    place: Slot | None = None
    records: tuple[Record, ...] = ()
    dns_problem: str = ""
    volume: Volume | None = None
    uuid: str = ""
    job: str = ""
    created: str = ""
    created_by: str = ""
    template: str = ""
    autostart: bool = False
    snapshots: tuple[Snapshot, ...] = ()
    disks: tuple[ExtraDisk, ...] = ()
    seen: tuple[SeenDisk, ...] = ()
    vcpus: int = 0
    ssh: str = ""
    image: str = ""
    macs: tuple[str, ...] = ()
    live: Form | None = None
    saved: Form | None = None
    profiles: tuple[str, ...] = ()
    iso: str = ""
    tpm: bool = False
    secure_boot: bool = False
    boot: tuple[str, ...] = ()
    hugepages: Size = Size(0)
    nets: tuple[Net, ...] = ()
    own: bool = False
    expires: str = ""
    backing: str = ""
    seed: str = ""
    screen: str = ""
    shares: tuple[Share, ...] = ()

    @property
    def mac(self) -> str:
        """The slot's, or its own where it has no slot; "" where nobody knows."""
        return self.place.mac if self.place else next(iter(self.macs), "")

    @property
    def other(self) -> Form | None:
        """What it has now, where that is not what is defined."""
        form = self.live or self.saved
        defined = Form(self.cpus, self.emulator, self.memory, self.vcpus)
        return None if form == defined else form

    @property
    def console(self) -> str:
        """The line that its owner types to reach it; virsh alone asks the host's libvirt."""
        return f"{'raptorctl' if self.own else 'virsh'} console {self.machine.name}"

    @property
    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """Where it is reached."""
        if self.place:
            return self.place.addresses
        return tuple(IPv4Address(net.ip) for net in self.nets if net.ip)

    def encode(self) -> dict[str, Any]:
        """Return the shape that `show -o json` documents."""
        return {
            **self.machine.encode(),
            "uuid": self.uuid,
            "cpus": list(self.cpus),
            "emulator": list(self.emulator),
            "vcpus": self.vcpus,
            "memory": int(self.memory),
            "live": self.live.encode() if self.live else None,
            "saved": self.saved.encode() if self.saved else None,
            "hugepages": int(self.hugepages),
            "tpm": self.tpm,
            "secure_boot": self.secure_boot,
            "boot": [BOOT_WORDS.get(device, device) for device in self.boot],
            "autostart": self.autostart,
            "bridge": self.place.bridge if self.place else None,
            "mac": self.mac or None,
            "addresses": encode(self.addresses),
            "net": list(self.nets),
            "ssh": self.ssh,
            "fqdn": self.fqdn,
            "dns": None if self.dns_problem else encode(self.records),
            "volume": _volume_shape(self.volume),
            "further_disks": [
                *(one.encode() for one in self.disks),
                *(one.encode() for one in self.seen),
            ],
            "job": self.job,
            "created": self.created,
            "created_by": self.created_by,
            "template": self.template,
            "profiles": list(self.profiles),
            "image": self.image,
            "iso": self.iso,
            "backing": self.backing,
            "seed": self.seed,
            "screen": self.screen,
            "expires": self.expires,
            "shares": [one.encode() for one in self.shares],
            "console": self.console,
        }


def _volume_shape(volume: Volume | None) -> dict[str, Any] | None:
    if volume is None:
        return None
    return {"path": volume.path, "uuid": volume.uuid, "clean": volume.clean}


def describe(name: MachineName, settings: "Settings", facts: "HostFacts") -> MachineDetails | None:
    """Gather one machine from all the host's facts; None when nothing of ours has its name."""
    volume, domain = facts.volume(name), facts.domain(name)
    volume = volume if volume and volume.ours else None
    domain = domain if domain and domain.ours else None
    if volume is None and domain is None:
        return None
    slot = _slot_number(volume, domain)
    state = domain.state.value if domain else NO_DOMAIN
    own = snapshots(facts.volumes, name)
    others = disks(facts.volumes, name)
    counts = (
        (len({one.name for one in own}), len(others)) if facts.group else ()
    )  # a tenant may not ask LVM
    machine = Machine(name, state, slot, volume.size if volume else None, *counts)
    place = next((place for place in settings.slot if place.number == slot), None)
    fqdn = settings.fqdn(name)
    base = MachineDetails(
        machine,
        fqdn,
        place=place,
        records=_own_records(fqdn, facts.records),
        dns_problem=facts.dns_problem,
        snapshots=own,
        disks=others,
        seen=seen(domain, name) if domain and facts.group is None else (),
        own=not settings.has_slots,
        shares=facts.shares.of_machine(name.domain),
        iso=_iso(domain, facts) if domain else "",
        backing=_backing(volume, facts),
        seed=_seed(domain, name),
    )
    return _details(base, volume, domain)


def _iso(domain: Domain, facts: "HostFacts") -> str:
    path = inserted(domain)
    digest = digest_in(path)
    names = (image.name for image in facts.images if digest == image.digest)
    return next(names, digest[:SHORT] or path)


def _backing(volume: Volume | None, facts: "HostFacts") -> str:
    if volume is None or not (is_overlay(volume.group) and volume.image):
        return ""
    return next((one.path for one in facts.images if one.digest == volume.image), "")


def _seed(domain: Domain | None, name: MachineName) -> str:
    paths = domain.disks if domain else ()
    return next((path for path in paths if path.endswith(f"/{name.seed}")), "")


def _own_records(fqdn: str, records: Iterable[Record]) -> tuple[Record, ...]:
    """Keep what is at a machine's name or points at it: every slot's PTR was asked for."""
    found = tuple(records)
    pointers = (record for record in found if record.type == "PTR" and record.value == fqdn)
    return (*(record for record in found if record.name == fqdn), *pointers)


def _slot_number(volume: Volume | None, domain: Domain | None) -> int | None:
    if domain and domain.mark:
        return domain.mark.place
    return volume.slot if volume else None


def _details(base: MachineDetails, volume: Volume | None, domain: Domain | None) -> MachineDetails:
    mark = domain.mark if domain else None
    made = read_made(mark.made) if mark else None
    return replace(
        base,
        cpus=domain.pins if domain else CpuSet(),
        emulator=domain.emulator.ascending() if domain else CpuSet(),
        memory=domain.memory if domain else Size(0),
        volume=volume,
        uuid=domain.uuid if domain else "",
        job=mark.job if mark else (volume.job or "" if volume else ""),
        created=mark.created if mark else "",
        created_by=mark.created_by if mark else "",
        template=mark.template if mark else "",
        autostart=domain.autostart if domain else False,
        vcpus=domain.vcpus if domain else 0,
        ssh=mark.ssh if mark else "",
        image=mark.image_name if mark else "",
        macs=domain.macs if domain else (),
        live=_form(domain.live) if domain else None,
        saved=_form(domain.saved) if domain else None,
        tpm=bool(domain and domain.tpm),
        secure_boot=bool(domain and domain.secure_boot),
        boot=domain.boot if domain else (),
        hugepages=domain.hugepages if domain else Size(0),
        nets=domain.nets if domain else (),
        expires=mark.expires if mark else "",
        profiles=(made.spec.profile or ()) if made else (),
    )
