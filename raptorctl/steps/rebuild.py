"""Rebuilds: the machine is taken away for a while, and what it keeps in files is set aside.

The machine comes back under the same UUID, with the rebuilding job's mark. Whoever finds that mark
knows that all before it is done: nothing is to be stopped or set aside a second time, and what was
before must not be put over it as long as it stands.
"""

from dataclasses import dataclass

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.errors import ConflictError, HostError
from raptorctl.model.override import override
from raptorctl.render.read_domain import read_domain
from raptorctl.steps.domain import StopDomain, UndefineDomain
from raptorctl.steps.file import RemoveFile
from raptorctl.steps.step import Observed, Step

LARGEST = 16 << 20
"""Bytes of a file that is set aside: UEFI variables and seeds are below it."""
MODE = 0o600


@dataclass(frozen=True)
class VacateDomain(UndefineDomain):
    """Take a domain's definition away until the same job gives it another.

    Args:
        job: the job.
    """

    job: str

    kind = "domain.vacate"

    def is_done(self, host: Host) -> bool:
        """It has no definition, or has the job's own already."""
        return is_back(host, self.uuid, self.job) or super().is_done(host)

    def undo(self, host: Host, tick: Tick) -> None:
        """Define it as it was, and start it if it ran.

        Raises:
            ConflictError: what the job put in its place still stands; that goes first.
        """
        if is_back(host, self.uuid, self.job):
            raise ConflictError(f"domain {self.name} is still as the rebuild made it")
        paths = read_domain(self.xml).disks
        for volume in host.volumes.list():
            if volume.job == self.job and volume.path in paths:  # it would run on the new disk
                raise ConflictError(f"volume {volume.name} is still the one that the rebuild made")
        super().undo(host, tick)


@dataclass(frozen=True)
class QuietDomain(StopDomain):
    """Stop a domain that was vacated, and not the one that takes its place.

    Args:
        job: the job.
    """

    job: str

    kind = "domain.quiet"

    def is_done(self, host: Host) -> bool:
        """It does not run, or is the job's own already."""
        return is_back(host, self.uuid, self.job) or super().is_done(host)


@dataclass(frozen=True)
class SetAside(Step):
    """Keep a file of a vacated machine under another name until the job is through.

    A copy and not a rename: cut off in between there are two, and either tells what is next.

    Args:
        job: the job, whose identifier is part of the other name.
        uuid: of the domain.
        what: what it is, for people.
        path: the file.
    """

    job: str
    uuid: str
    what: str
    path: str

    kind = "file.set-aside"

    @property
    def aside(self) -> str:
        """Where it is kept."""
        return f"{self.path}.{self.job}"

    @property
    @override
    def title(self) -> str:
        return f"set {self.what} aside, {self.path}"

    def is_done(self, host: Host) -> bool:
        """It is not here; or the machine is back, which comes later.

        Where it is not there either, what was kept of the machine was removed since then.
        """
        return is_back(host, self.uuid, self.job) or not host.files.exists(self.path)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy, then remove."""
        _move(host, self.path, self.aside)
        return {"path": self.aside}

    def undo(self, host: Host, tick: Tick) -> None:
        """Bring it back, over what the job had in its place."""
        if host.files.exists(self.aside):
            _move(host, self.aside, self.path)

    @override
    def leftover(self) -> str:
        return f"{self.path} or {self.aside}"


@dataclass(frozen=True)
class DropAside(RemoveFile):
    """Remove what was set aside: the machine has another for good.

    Its name is one that only this job knows, so that it needs nobody's lock.

    Args:
        what: what it is, for people.
    """

    what: str

    kind = "file.drop-aside"
    needs_lock = False

    @property
    @override
    def title(self) -> str:
        return f"remove the old {self.what}"

    @override
    def leftover(self) -> str:
        return self.path


@dataclass(frozen=True)
class PutBack(Step):
    """Put a file of a machine that comes back where it was, from where it was set aside.

    Args:
        what: what it is, for people.
        aside: where it is.
        path: where it was.
    """

    what: str
    aside: str
    path: str

    kind = "file.put-back"

    @property
    @override
    def title(self) -> str:
        return f"put {self.what} back, {self.path}"

    def is_done(self, host: Host) -> bool:
        """It is there and not here."""
        return host.files.exists(self.path) and not host.files.exists(self.aside)

    def apply(self, host: Host, tick: Tick) -> Observed:
        """Copy, then remove."""
        _move(host, self.aside, self.path)
        return {"path": self.path}

    def undo(self, host: Host, tick: Tick) -> None:
        """Set it aside again."""
        if host.files.exists(self.path):
            _move(host, self.path, self.aside)

    @override
    def leftover(self) -> str:
        return f"{self.path} or {self.aside}"


def is_back(host: Host, uuid: str, job: str) -> bool:
    """Whether a domain stands that this job has defined, running or not."""
    domain = host.domains.find(uuid)
    return domain is not None and domain.mark is not None and domain.mark.job == job


def _move(host: Host, source: str, target: str) -> None:
    data = host.files.read_bytes(source, LARGEST)
    if data is None:
        raise HostError(f"{source} is gone")
    host.files.write_bytes(target, data, MODE)
    host.files.remove(source)
