"""One host, as one caller asks it: settings, drivers, journals, each opened when first needed.

Tests hand in another session, with drivers in memory.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.settings_file import DEFAULT_FILE

if TYPE_CHECKING:
    from raptorctl.api.caller import Caller
    from raptorctl.drivers.host import Host
    from raptorctl.drivers.image import Images
    from raptorctl.engine.journals import Journals
    from raptorctl.engine.lock import Turn
    from raptorctl.host.access.petitions import Petitions
    from raptorctl.model.domain import Domain, State
    from raptorctl.model.facts import HostFacts
    from raptorctl.model.names import MachineName
    from raptorctl.model.probe import Probe, SessionProbe
    from raptorctl.model.session_host import Places
    from raptorctl.model.settings import Settings
    from raptorctl.model.topology import Topology
    from raptorctl.model.volume import Volume
    from raptorctl.plans.past import Past


class Session:
    """A host, and who asks it.

    Args:
        settings_file: of the host.
        caller: who asks; None for the account that runs this process.
    """

    def __init__(
        self, settings_file: Path = Path(DEFAULT_FILE), caller: "Caller | None" = None
    ) -> None:
        self.settings_file = settings_file
        self._caller = caller
        self.released: Callable[[], None] = lambda: None
        """Called where a job gives the host's lock back before its end."""

    @cached_property
    def caller(self) -> "Caller":
        """Who asks, and by what right."""
        from raptorctl.api.caller import this_process

        return self._caller or this_process()

    @cached_property
    def on_session_host(self) -> bool:
        """Whether the host is our own: nobody wrote a settings file, and we are not root."""
        from raptorctl.host.system.session import is_session_host

        return is_session_host(self.settings_file)

    @cached_property
    def places(self) -> "Places":
        """Where our own files are, on a host of our own."""
        from raptorctl.host.system.session import session_places

        return session_places()

    @cached_property
    def settings(self) -> "Settings":
        """The settings file, read once; or what stands for it on a host of our own."""
        from raptorctl.host.system.files import read_settings
        from raptorctl.host.system.session import read_session_settings

        if self.on_session_host:
            return read_session_settings(self.places)
        return read_settings(self.settings_file)

    @cached_property
    def config(self) -> Path:
        """Where the host's own catalogue and templates are; settings may be unreadable to us."""
        from raptorctl.host.system.files import SETTINGS

        return Path(self.places.config) if self.on_session_host else SETTINGS

    @cached_property
    def log_directory(self) -> Path:
        """Where reports of errors that nobody foresaw are written."""
        return Path(self.places.state if self.on_session_host else "/var/log/raptorctl")

    @cached_property
    def host(self) -> "Host":
        """The drivers."""
        from raptorctl.host.connect import connect

        return connect(self.settings)

    def beside(self, released: Callable[[], None]) -> Self:
        """The same host with drivers of its own, for another thread, as another process has it.

        Args:
            released: called where a job gives the host's lock back before its end.
        """
        _ = self.turn, self.caller, self.settings  # read once, and shared
        other = copy(self)
        for own in ("host", "images"):
            other.__dict__.pop(own, None)
        other.released = released
        return other

    @cached_property
    def images(self) -> "Images":
        """The cache of images alone: asking it loads no libvirt, which takes longer."""
        from raptorctl.host.image.cache import LocalImages
        from raptorctl.host.image.trust import SIGNERS

        wanted = self.settings.images
        return LocalImages(wanted.directory, wanted.largest, signers=self.config / SIGNERS)

    @cached_property
    def journals(self) -> "Journals":
        """What is in flight, and what was."""
        from raptorctl.engine.journals import Journals

        if self.on_session_host:
            return Journals(Path(self.places.journal), Path(self.places.audit))
        return Journals(official=True)

    @cached_property
    def petitions(self) -> "Petitions":
        """What tenants asked for."""
        from raptorctl.host.access.petitions import Petitions

        return Petitions()

    @cached_property
    def lock(self) -> Path:
        """The file whose lock changing commands hold."""
        from raptorctl.engine.lock import LOCK_FILE

        return Path(self.places.lock) if self.on_session_host else LOCK_FILE

    @cached_property
    def turn(self) -> "Turn":
        """Whose turn it is to hold that lock, among the threads of this run."""
        from raptorctl.engine.lock import Turn

        return Turn()

    def facts(
        self, queries: Iterable[tuple[str, str]] = (), people: Iterable[str] = ()
    ) -> "HostFacts":
        """Read everything a planner may look at, anew.

        Args:
            queries: (DNS name, type) pairs to look up.
            people: names of accounts to look up beside all tenants.
        """
        from raptorctl.host.survey.survey import Scope, survey

        scope = Scope(tuple(queries), self.journals.reservations(), tuple(people))
        return survey(self.host, self.settings, scope)

    def inventory(self) -> "tuple[tuple[Volume, ...], Mapping[str, State]]":
        """Read what `list` needs and no more: one LVM report, one call of states."""
        from raptorctl.host.survey.inventory import inventory

        return inventory(self.host)

    def topology(self) -> "Topology":
        """Read which CPUs are there for machines: anybody may."""
        from raptorctl.host.system.cpu import topology

        return topology(session=self.on_session_host)

    def machine(self, name: "MachineName") -> "Domain":
        """Find a machine by what libvirt shows us: a tenant sees their own.

        Raises:
            MissingError: there is none of ours, or it is not for us to see; the same words.
        """
        from raptorctl.model.machine import no_such_machine

        seen = self.caller.sees(name.tenant)
        domain = self.host.domains.named(name.domain) if seen else None
        if domain is None or not domain.ours:
            raise no_such_machine(name)
        return domain

    def console_text(self, name: "MachineName", since: float = 0.0) -> str:
        """What a machine's console said; "" where nothing is kept, or nobody reads it for us.

        Args:
            name: the machine's.
            since: seconds since the epoch; nothing, if nothing was said since then.
        """
        from raptorctl.host.guest.console_log import MOST_LINES, ask_service, whole_log

        folder = self.settings.libvirt.console_log_dir
        if self.is_root:
            return whole_log(Path(folder) / name.log, since) if folder else ""
        with suppress(MissingError):
            said = b"".join(ask_service(name.domain, MOST_LINES, follow=False))
            return said.decode(errors="replace")
        return ""

    def step_log(self, name: "MachineName") -> Path:
        """Where what steps in a machine's guest said is kept."""
        return self.log_directory / "steps" / name.log

    def probe(self) -> "Probe":
        """Try everything that provision needs."""
        from raptorctl.host.survey.probe import probe

        return probe(self.settings_file, self.journals.unfinished, self.record_queries())

    def session_probe(self) -> "SessionProbe":
        """Try everything that provision needs on a host of our own."""
        from raptorctl.host.survey.probe_session import probe_session

        return probe_session(self.settings, self.places, self.journals.unfinished)

    def past(self) -> "Past":
        """What the journals of all jobs tell, open or ended, read anew."""
        from raptorctl.plans.past import Past

        return Past(self.journals.told())

    def record_queries(self) -> "Callable[[Settings, HostFacts], Iterable[tuple[str, str]]]":
        """What to ask DNS to find what does not belong, by what is known so far."""
        from raptorctl.plans.doctor.fault import scene
        from raptorctl.plans.doctor.record import queries

        past = self.past()
        return lambda settings, facts: queries(scene(settings, facts, past))

    @property
    def is_root(self) -> bool:
        """Whether volumes, libvirt and the journal will let us in: on a host of our own, too."""
        return self.caller.root or self.on_session_host

    def require_root(self) -> None:
        """Stop early, in words, where the host would only say "permission denied".

        Raises:
            RefusedError: the caller may not change the host.
        """
        if not self.is_root or self.caller.tenant:
            raise RefusedError("this needs root", code=Code.NEEDS_ROOT)
