"""libvirt's domains, for admins' jobs: by UUID, with their definitions.

Where libvirt's access driver is on, every domain in an answer costs a question to polkit, for root
too (about 50 ms each), so nothing here asks per domain what one bulk call can say.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import libvirt

from raptorctl.drivers.tick import Tick
from raptorctl.errors import HostError, WaitError
from raptorctl.host.domain import read as domain_read
from raptorctl.host.domain.ability import LibvirtAbilities
from raptorctl.host.domain.disks import LibvirtDisks
from raptorctl.host.domain.hypervisor import Ignoring
from raptorctl.host.domain.look import (
    active,
    cpu_map,
    goes_off,
    lookup,
    need,
    refuse_active,
    refuse_others,
)
from raptorctl.host.domain.networks import LibvirtNetworks
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State

HEARD: Final = 10.0  # seconds in which one that was asked at last may still go off


_STAND_IN: Final = (
    "<domain type='qemu'><name>tpm-{uuid}</name><uuid>{uuid}</uuid><memory unit='MiB'>64</memory>"
    "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices><tpm model='tpm-crb'>"
    "<backend type='emulator' version='2.0'/></tpm></devices></domain>"
)


class LibvirtDomains(LibvirtDisks, LibvirtAbilities, LibvirtNetworks):
    """`drivers.domain.Domains` on a libvirt connection; see `Hypervisor` for what it raises."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._asked: dict[str, float] = {}  # when a domain was first asked to go off

    def list(self) -> tuple[Domain, ...]:
        """Return every domain as it is defined, runs and was saved, by name.

        Bulk calls, then one XML for each of these: for surveys that a plan needs, and no others.
        """
        with self._calling("list its domains") as connection:
            stats = domain_read.states(connection, self._uri)
            starting = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
            autostarted = {domain.UUIDString() for domain in starting}
            read = (
                domain_read.whole(d, state, autostart=d.UUIDString() in autostarted)
                for d, state in stats
            )
            found = [domain for domain in read if domain]
        return tuple(sorted(found, key=lambda domain: domain.name))

    def states(self) -> Mapping[str, State]:
        """Return every domain's state by name, in one call; two where one may be saved."""
        with self._calling("tell its domains' states") as connection:
            found = domain_read.states(connection, self._uri)
            return {domain.name(): state for domain, state in found}

    def find(self, uuid: str) -> Domain | None:
        """Return the domain with that UUID."""
        with self._calling(f"find domain {uuid}") as connection:
            found = lookup(connection, uuid)
            with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
                if found and (read := domain_read.alone(found)):
                    return replace(read, persistent=bool(found.isPersistent()))
        return None

    def named(self, name: str) -> Domain | None:
        """Return the domain of that name; one that we may not see is not there."""
        unseen = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_ACCESS_DENIED)
        with self._calling(f"find domain {name}") as connection, Ignoring(*unseen):
            return domain_read.alone(connection.lookupByName(name))
        return None

    def define(self, xml: str) -> None:
        """Define a domain, or define it anew, validated against libvirt's schema.

        libvirt may accept less than it was told (pins to absent virtual CPUs only make it log);
        the caller compares what `find` then reads.

        Raises:
            ConflictError: the name belongs to another UUID, or the UUID to another name.
            InputError: `xml` is not a domain.
        """
        from raptorctl.render.read_domain import read_domain

        wanted = read_domain(xml)
        with self._calling(f"define domain {wanted.name}") as connection:
            try:
                connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            except libvirt.libvirtError:
                # libvirt holds both names unique under its own lock; here only the reason is found.
                refuse_others(connection, wanted)
                raise

    def undefine(self, uuid: str, *, keep_nvram: bool) -> None:
        """Take the definition away, with a saved state and libvirt's notes on snapshots.

        One that runs goes on without it: nobody can start it again, and it is gone once it stops.

        Args:
            uuid: one that libvirt does not know, or that has no definition, is undefined already.
            keep_nvram: leave the file of UEFI variables.
        """
        with self._calling(f"undefine domain {uuid}") as connection:
            domain = lookup(connection, uuid)
            if domain is None or not domain.isPersistent():
                return
            with Ignoring(libvirt.VIR_ERR_NO_DOMAIN):
                domain.undefineFlags(_undefine_flags(connection, keep_nvram=keep_nvram))

    def forget_tpm(self, uuid: str) -> None:
        """Remove what the TPM of a domain that is gone kept.

        Only libvirt knows where that is, and it removes it as it undefines a domain that is off;
        so for a moment there is one of that UUID, without disks, for it to undefine.

        Raises:
            HostError: the domain is still there.
        """
        with self._calling(f"forget the TPM of domain {uuid}") as connection:
            if connection.getType() != "QEMU":  # the test driver has no swtpm
                return
            found = lookup(connection, uuid)
            if found and found.name() != f"tpm-{uuid}":
                raise HostError(f"domain {found.name()} still has its TPM")
            stand_in = found or connection.defineXML(_STAND_IN.format(uuid=uuid))
            stand_in.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_TPM)

    def start(self, uuid: str) -> None:
        """Start it, or resume what was saved; one that runs, whoever did it, is left alone."""
        with self._calling(f"find domain {uuid}") as connection:
            domain = need(connection, uuid)
        with self._calling(f"start domain {domain.name()}"):
            if domain.isActive():
                return
            try:
                domain.create()
            except libvirt.libvirtError:
                if not active(domain):
                    raise

    def drop_saved(self, uuid: str) -> None:
        """Give up what was saved, so that its next start boots; without a save, nothing."""
        with self._calling(f"drop the saved state of domain {uuid}") as connection:
            domain = need(connection, uuid)
            if domain.hasManagedSaveImage():
                domain.managedSaveRemove()

    def set_autostart(self, uuid: str, *, on: bool) -> None:
        """Have it started with the host, or not."""
        with self._calling(f"set autostart of domain {uuid}") as connection:
            domain = need(connection, uuid)
            if bool(domain.autostart()) != on:
                domain.setAutostart(int(on))

    def shut_down(self, uuid: str, timeout: float, tick: Tick, *, force: bool = True) -> bool:
        """Press the power button, wait, then pull the plug.

        Args:
            uuid: one that is absent or off needs nothing.
            timeout: seconds to wait; 0 pulls the plug at once.
            tick: called with milliseconds waited and in all; what it raises ends the wait, and
                the domain is left to its shutting down.
            force: False: the plug stays in.

        Returns:
            Whether the plug was pulled.

        Raises:
            WaitError: it still runs, and the plug is to stay in.
        """
        with self._calling(f"stop domain {uuid}") as connection:
            domain = lookup(connection, uuid)
            if domain is None or not active(domain):
                return False
            self._asked.setdefault(uuid, time.monotonic())
            if goes_off(domain, timeout, tick):
                return False
            if not force:
                raise WaitError(f"{domain.name()} to shut down", timeout, "it running")
            with Ignoring(libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID):
                domain.destroy()
            refuse_active(domain)
            return True

    def goes_off(self, uuid: str, timeout: float, tick: Tick) -> bool:
        """Wait for one that was asked before; see `raptorctl.drivers.domain.Domains`."""
        with self._calling(f"wait for domain {uuid}") as connection:
            domain = lookup(connection, uuid)
            if domain is None or not active(domain):
                return True
            waited = time.monotonic() - self._asked.get(uuid, time.monotonic())
            left = max(timeout - waited, min(timeout, HEARD))
            return goes_off(domain, left, tick, press=False)

    def reboot(self, uuid: str) -> None:
        """Ask it by ACPI to boot anew."""
        with self._calling(f"reboot domain {uuid}") as connection:
            need(connection, uuid).reboot()

    def reset(self, uuid: str) -> None:
        """Have it boot anew at once, as by its reset button (virDomainReset)."""
        with self._calling(f"reset domain {uuid}") as connection:
            need(connection, uuid).reset()

    def block_size(self, uuid: str, path: str) -> int | None:
        """Return how many bytes the guest sees of a disk; None when it is off.

        That is what QEMU found when it opened the disk, whatever the device has become since.
        """
        with self._calling(f"measure {path} of domain {uuid}") as connection:
            domain = need(connection, uuid)
            return int(domain.blockInfo(path)[0]) if active(domain) else None

    def block_resize(self, uuid: str, path: str, size: int) -> None:
        """Show the guest that its disk has grown to `size` bytes; one that is off sees later."""
        with self._calling(f"resize {path} of domain {uuid}") as connection:
            domain = need(connection, uuid)
            try:
                domain.blockResize(path, size, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
            except libvirt.libvirtError:
                if active(domain):
                    raise

    def pin(self, uuid: str, pins: CpuSet, emulator: CpuSet) -> None:
        """Move a running domain's virtual CPUs, in order, and its emulator's threads.

        Its definition is left as it is; one that is off needs nothing.
        """
        with self._calling(f"pin domain {uuid}") as connection:
            domain, count = need(connection, uuid), connection.getCPUMap()[0]
            if not active(domain):
                return
            for number, cpu in enumerate(pins):
                domain.pinVcpu(number, cpu_map((cpu,), count))  # of the running domain only
            domain.pinEmulator(cpu_map(emulator, count), libvirt.VIR_DOMAIN_AFFECT_LIVE)

    def suspend(self, uuid: str) -> None:
        """Stop its virtual CPUs; its memory stays as it is."""
        with self._calling(f"suspend domain {uuid}") as connection:
            need(connection, uuid).suspend()

    def resume(self, uuid: str) -> None:
        """Let its virtual CPUs go on; one whose guest suspended itself is woken."""
        with self._calling(f"resume domain {uuid}") as connection:
            domain = need(connection, uuid)
            asleep = domain.state()[0] == libvirt.VIR_DOMAIN_PMSUSPENDED
            domain.pMWakeup() if asleep else domain.resume()


def _undefine_flags(connection: Any, *, keep_nvram: bool) -> int:
    flags: int = (
        libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    )
    if connection.getType() != "QEMU":  # the test driver has neither, and refuses their flags
        return flags
    flags |= libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    keep, drop = libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    return flags | int(keep if keep_nvram else drop)
