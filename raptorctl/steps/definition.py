"""Domains' definitions: other CPUs and memory, other pins, started with the host or not."""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.override import override
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.domain import essence
from raptorctl.steps.fit import refuse_cut, refuse_dirty, refuse_unreadable
from raptorctl.steps.step import Observed, Step


@dataclass(frozen=True)
class RedefineDomain(Step):
    """Put another definition in the place of a domain's own; one that runs goes on as it is.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        before: the definition so far, to put it back.
        xml: the definition to be.
    """

    name: str
    uuid: str
    before: str
    xml: str

    kind = "domain.redefine"

    @property
    @override
    def title(self) -> str:
        return f"define domain {self.name} anew"

    def is_done(self, host: Host) -> bool:
        """It is defined so."""
        return self._is(_defined(host, self.uuid, self.name), self.xml)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Define it anew, and compare what libvirt then has with what was asked.

        Raises:
            ConflictError: somebody else has changed the definition.
        """
        if not self._is(_defined(host, self.uuid, self.name), self.before):
            raise ConflictError(f"domain {self.name} was changed by another program")
        host.domains.define(self.xml)
        if not self.is_done(host):
            raise HostError(f"libvirt did not keep domain {self.name} as it was defined")
        return {"uuid": self.uuid}

    def undo(self, host: Host, tick: Tick) -> None:
        """Put the definition back, unless somebody else's stands there."""
        domain = host.domains.find(self.uuid)
        if domain and self._is(domain, self.xml):
            host.domains.define(self.before)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, defined anew"

    def _is(self, domain: Domain, xml: str) -> bool:
        return essence(domain) == essence(read_domain(xml))


@dataclass(frozen=True)
class PinDomain(Step):
    """Move a running domain to other host CPUs; its definition says the same by then.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        before: one host CPU for each virtual CPU so far, in order, and the emulator's.
        pins: those to be, as many.
    """

    name: str
    uuid: str
    before: tuple[CpuSet, CpuSet]
    pins: tuple[CpuSet, CpuSet]

    kind = "domain.pin"

    @property
    @override
    def title(self) -> str:
        return f"move {self.name} to CPUs {self.pins[0]}"

    def is_done(self, host: Host) -> bool:
        """It does not run, so that its definition says all."""
        return not _defined(host, self.uuid, self.name).state.active

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Move it; once more changes nothing."""
        host.domains.pin(self.uuid, *self.pins)
        return {"cpus": str(self.pins[0])}

    def undo(self, host: Host, tick: Tick) -> None:
        """Move it back."""
        domain = host.domains.find(self.uuid)
        if domain and domain.state.active:
            host.domains.pin(self.uuid, *self.before)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, on CPUs {self.pins[0]}"


@dataclass(frozen=True)
class DropSaved(Step):
    """Give up a domain's managed save, which would bring back its earlier definition.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
    """

    name: str
    uuid: str

    kind = "domain.drop-saved"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"give up the saved state of {self.name}"

    @property
    @override
    def destroys(self) -> str:
        return f"the saved state of {self.name}"

    def is_done(self, host: Host) -> bool:
        """Nothing is saved."""
        return _defined(host, self.uuid, self.name).state is not State.SAVED

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Have libvirt remove it, and look."""
        host.domains.drop_saved(self.uuid)
        if not self.is_done(host):
            raise HostError(f"libvirt kept the saved state of {self.name}")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """There is no way back: its memory is gone."""

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, saved or not"


@dataclass(frozen=True)
class RunDomain(Step):
    """Have a machine run that was there before the job: start it, or let it go on.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        volume: what must be clean.
    """

    name: str
    uuid: str
    volume: str

    kind = "domain.run"
    reversible = False

    @property
    @override
    def title(self) -> str:
        return f"start {self.name}, or let it go on"

    def is_done(self, host: Host) -> bool:
        """It runs."""
        return _defined(host, self.uuid, self.name).state.runs

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Start it, resume what was saved, or let it go on."""
        domain = _defined(host, self.uuid, self.name)
        was, volume = domain.state, refuse_dirty(host, self.volume, domain.disks)
        if was.stands_still:
            host.domains.resume(self.uuid)
        else:
            refuse_cut(host, volume, domain.disks)
            refuse_unreadable(host, domain)
            host.domains.start(self.uuid)
        if not self.is_done(host):
            raise HostError(f"libvirt did not let {self.name} run; it was {was.value}")
        return {"was": was.value}

    def undo(self, host: Host, tick: Tick) -> None:
        """It goes on: somebody may use it by now."""

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, running or not"


@dataclass(frozen=True)
class SetAutostart(Step):
    """Have a domain start with the host, or with libvirt's session on a session host; or not.

    Args:
        name: the domain's.
        uuid: libvirt's identifier.
        on: which.
    """

    name: str
    uuid: str
    on: bool

    kind = "domain.autostart"

    @property
    @override
    def title(self) -> str:
        return f"let {self.name} {'' if self.on else 'no longer '}start by itself"

    def is_done(self, host: Host) -> bool:
        """It is so."""
        return _defined(host, self.uuid, self.name).autostart == self.on

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Set it, and look."""
        host.domains.set_autostart(self.uuid, on=self.on)
        if not self.is_done(host):
            raise HostError(f"libvirt did not keep whether {self.name} starts with the host")
        return {}

    def undo(self, host: Host, tick: Tick) -> None:
        """Set it back: it was the other way, or there would have been nothing to do."""
        if host.domains.find(self.uuid):
            host.domains.set_autostart(self.uuid, on=not self.on)

    @override
    def leftover(self) -> str:
        return f"domain {self.name}, which starts with the host or not"


def _defined(host: Host, uuid: str, name: str) -> Domain:
    domain = host.domains.find(uuid)
    if domain is None:
        raise HostError(f"domain {name} ({uuid}) is gone")
    return domain
