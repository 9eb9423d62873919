"""Domains: defined, started, stopped, undefined."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.domain import Domain
from raptorctl.model.override import override
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.fit import refuse_cut, refuse_dirty, refuse_unreadable
from raptorctl.steps.log import remove_logs
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class DefineDomain(Step):
    """Define a domain from XML that was rendered when the plan was made.

    Args:
        job: the job that makes it.
        name: the domain's.
        uuid: chosen before acting.
        volume: what must be clean before a domain may name it.
        nvram: its own copy of the UEFI variables, which libvirt makes at the first start.
        xml: the definition.
        log: what its console said, which virtlogd writes from the first start on; or "".
    """

    job: str
    name: str
    uuid: str
    volume: str
    nvram: str
    xml: str
    log: str = ""

    kind = "domain.define"

    @property
    @override
    def title(self) -> str:
        return f"define domain {self.name}"

    def is_done(self, host: Host) -> bool:
        """It is there and this job made it."""
        return _own(host, self.uuid, self.job) is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Define it, and compare what libvirt then has with what was asked."""
        return _define(host, self)

    def undo(self, host: Host, tick: Tick) -> None:
        """Undefine it with its NVRAM; whoever started it meanwhile, it is stopped."""
        if _own(host, self.uuid, self.job):
            # In this order: its tenant, who may start it, cannot start it again in between.
            host.domains.undefine(self.uuid, keep_nvram=False)
            host.domains.shut_down(self.uuid, 0, tick)
        if read_domain(self.xml).tpm:
            host.domains.forget_tpm(self.uuid)
        if all(self.nvram not in domain.held_nvram for domain in host.domains.list()):
            host.files.remove(self.nvram)
        remove_logs(host, self.log)

    @override
    def leftover(self) -> str:
        return f"domain {self.name} ({self.uuid})"


@dataclass(frozen=True)
class RestoreDomain(Step):
    """Define a domain again that was lost while its volume stayed.

    libvirt does not sync a definition's directory, so one that was acknowledged before the power
    went may be gone. Its UEFI variables are the tenant's, so undoing this leaves them.

    Args:
        job: the job that first made it, whose mark its XML carries.
        name: the domain's.
        uuid: as it was.
        volume: what must be clean before a domain may name it.
        xml: the definition, as that job had it.
    """

    job: str
    name: str
    uuid: str
    volume: str
    xml: str

    kind = "domain.restore"

    @property
    @override
    def title(self) -> str:
        return f"define domain {self.name} again, as job {self.job} did"

    def is_done(self, host: Host) -> bool:
        """It is there."""
        return _own(host, self.uuid, self.job) is not None

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Define it, and compare."""
        return _define(host, self)

    def undo(self, host: Host, tick: Tick) -> None:
        """Undefine it; its UEFI variables stay."""
        if _own(host, self.uuid, self.job):
            host.domains.undefine(self.uuid, keep_nvram=True)
            host.domains.shut_down(self.uuid, 0, tick)

    @override
    def leftover(self) -> str:
        return f"domain {self.name} ({self.uuid})"


@dataclass(frozen=True)
class StartDomain(Step):
    """Start a domain now and, unless it is not to be, at every boot of the host.

    Args:
        job: the job that made it.
        name: the domain's.
        uuid: libvirt's identifier.
        volume: what must be clean.
        at_boot: whether it is to start with the host from now on.
    """

    job: str
    name: str
    uuid: str
    volume: str
    at_boot: bool = True

    kind = "domain.start"

    @property
    @override
    def title(self) -> str:
        return f"start {self.name}" + (", now and with the host" if self.at_boot else "")

    def is_done(self, host: Host) -> bool:
        """It runs, and starts with the host if it is to."""
        domain = host.domains.find(self.uuid)
        if domain is None or not domain.state.active:
            return False
        return domain.autostart or not self.at_boot

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Start it."""
        domain = host.domains.find(self.uuid)
        paths = domain.disks if domain else ()
        refuse_cut(host, refuse_dirty(host, self.volume, paths), paths)
        if domain:
            refuse_unreadable(host, domain)
        host.domains.start(self.uuid)
        if self.at_boot:
            host.domains.set_autostart(self.uuid, on=True)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Stop it by force: nobody has used it yet."""
        if _own(host, self.uuid, self.job):
            if self.at_boot:
                host.domains.set_autostart(self.uuid, on=False)
            host.domains.shut_down(self.uuid, 0, tick)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, running"


@dataclass(frozen=True)
class StopDomain(Step):
    """Ask a domain to shut down by ACPI, wait, then force it.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        timeout: seconds to wait before forcing; 0 asks nobody.
    """

    name: str
    uuid: str
    timeout: float

    kind = "domain.stop"

    @property
    @override
    def title(self) -> str:
        if not self.timeout:
            return f"switch {self.name} off"
        return f"stop {self.name} (ACPI, by force after {self.timeout:g} s)"

    def is_done(self, host: Host) -> bool:
        """It does not run."""
        domain = host.domains.find(self.uuid)
        return domain is None or not domain.state.active

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Stop it, and say how."""
        forced = host.domains.shut_down(self.uuid, self.timeout, tick)
        return {"how": "forced" if forced else "ACPI"}

    def undo(self, host: Host, tick: Tick) -> None:
        """Wait for one that was asked to go off and may still do so, or it would stay off.

        It is started again by `UndefineDomain`, once it has its definition back.
        """
        host.domains.goes_off(self.uuid, self.timeout, tick)


@dataclass(frozen=True)
class UndefineDomain(Step):
    """Take a domain's definition away; its NVRAM stays until the wipe has begun.

    Before it is stopped: its tenant may start it at any moment as long as it is defined.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        xml: its definition, to define it again should this be undone.
        autostart: likewise.
        was_active: likewise, whether to start it again.
    """

    name: str
    uuid: str
    xml: str
    autostart: bool
    was_active: bool

    kind = "domain.undefine"

    @property
    @override
    def title(self) -> str:
        return f"undefine domain {self.name}"

    def is_done(self, host: Host) -> bool:
        """Libvirt has no definition of that UUID."""
        domain = host.domains.find(self.uuid)
        return domain is None or not domain.persistent

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Undefine it."""
        host.domains.undefine(self.uuid, keep_nvram=True)
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Define it as it was, and start it if it ran."""
        domain = host.domains.find(self.uuid)
        if domain is None or not domain.persistent:
            host.domains.define(self.xml)
        host.domains.set_autostart(self.uuid, on=self.autostart)
        if self.was_active:
            host.domains.start(self.uuid)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, not defined or not running as it was before"


def _define(host: Host, step: DefineDomain | RestoreDomain) -> Observed:
    wanted = read_domain(step.xml)
    refuse_dirty(host, step.volume, wanted.disks)
    host.domains.define(step.xml)
    domain = host.domains.find(step.uuid)
    if domain is None or essence(domain) != essence(wanted):
        raise HostError(f"libvirt did not keep domain {step.name} as it was defined")
    return {"uuid": domain.uuid}


def _own(host: Host, uuid: str, job: str) -> Domain | None:
    domain = host.domains.find(uuid)
    if domain and (domain.mark is None or domain.mark.job != job):
        raise ConflictError(f"domain {domain.name} has job {job}'s UUID but not its mark")
    return domain


def essence(domain: Domain) -> tuple[object, ...]:
    """What must survive a define; libvirt fills in the rest (addresses, aliases, models)."""
    return (
        domain.uuid,
        domain.name,
        domain.memory,
        domain.vcpus,
        domain.pins,
        domain.emulator.ascending(),
        domain.macs,
        domain.bridges,
        sorted(domain.disks),  # it puts those of one bus together
        sorted(domain.cdroms),
        domain.tpm,
        domain.hugepages,
        domain.mark,
    )
