"""What libvirt and the QEMU that it finds can run."""

import libvirt

from raptorctl.host.domain.hypervisor import Hypervisor, Ignoring
from raptorctl.host.system import procfs


class LibvirtAbilities(Hypervisor):
    """Part of `raptorctl.drivers.domain.Domains`; see `Hypervisor` for what it raises."""

    def accelerator(self) -> str:
        """Return `kvm` where both the CPU and libvirt offer it, else `qemu`.

        /dev/kvm alone says nothing: it can exist where no guest comes up.
        """
        if not procfs.virtualizes(procfs.CPUINFO):
            return "qemu"
        refusals = (
            libvirt.VIR_ERR_NO_SUPPORT,  # the driver knows no such call
            libvirt.VIR_ERR_INVALID_ARG,  # QEMU has no KVM
            libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
        )
        with self._calling("tell what it can run") as connection, Ignoring(*refusals):
            connection.getDomainCapabilities(None, "x86_64", None, "kvm")
            return "kvm"
        return "qemu"

    def most_vcpus(self, machine_type: str, accelerator: str) -> int:
        """Return how many virtual CPUs a machine may have; 0 where libvirt does not say.

        Args:
            machine_type: such as `pc-q35-9.1`.
            accelerator: `kvm` or `qemu`.
        """
        from lxml import etree

        unknown = (libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG)
        with self._calling("tell what it can run") as connection, Ignoring(*unknown):
            said = connection.getDomainCapabilities(None, "x86_64", machine_type, accelerator)
            found = etree.fromstring(said.encode()).find("vcpu")
            return int(found.get("max", "0")) if found is not None else 0
        return 0

    def emulates_tpm(self, machine_type: str) -> bool:
        """Whether swtpm is there and QEMU can use it, as libvirt says (formatdomaincaps.html)."""
        from lxml import etree

        unknown = (libvirt.VIR_ERR_NO_SUPPORT, libvirt.VIR_ERR_INVALID_ARG)
        with self._calling("tell what it can run") as connection, Ignoring(*unknown):
            said = connection.getDomainCapabilities(None, "x86_64", machine_type, "qemu")
            tpm = etree.fromstring(said.encode()).find("devices/tpm[@supported='yes']")
            words = () if tpm is None else tpm.itertext()
            return {"tpm-crb", "emulator", "2.0"} <= {word.strip() for word in words}
        return False

    def emulator(self, machine_type: str) -> str:
        """Return the path of the QEMU that libvirt would run.

        Args:
            machine_type: what it must know, such as `pc-q35-9.1`.

        Raises:
            HostError: there is none, or it does not know that type.
        """
        from lxml import etree

        with self._calling(f"find a QEMU with {machine_type}") as connection:
            said = connection.getDomainCapabilities(None, "x86_64", machine_type, "qemu")
        return etree.fromstring(said.encode()).findtext("path") or ""

    def qemu_uid(self) -> int | None:
        """Return the number of the account that QEMU runs as where a domain says nothing of it.

        https://libvirt.org/formatcaps.html, `secmodel` of the model `dac`; None where libvirt does
        not say.
        """
        with self._calling("tell whom QEMU runs as") as connection:
            return read_uid(connection.getCapabilities())

    def version(self) -> tuple[int, int, int]:
        """Return the version of libvirt that answers, the daemon's and not the library's."""
        with self._calling("tell its version") as connection:
            number = int(connection.getLibVersion())  # major * 1 000 000 + minor * 1000 + release
        return number // 1_000_000, number // 1000 % 1000, number % 1000


def read_uid(text: str) -> int | None:
    """Read that number out of libvirt's capabilities.

    Args:
        text: XML.
    """
    from lxml import etree

    model = "host/secmodel[model='dac']/baselabel"
    label = etree.fromstring(text.encode()).findtext(model) or ""
    number = label.partition(":")[0].removeprefix("+")
    return int(number) if number.isascii() and number.isdecimal() else None
