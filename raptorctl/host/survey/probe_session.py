"""Trying everything that a host of one's own needs, each part on its own."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from raptorctl.host.connect import drivers
from raptorctl.host.survey.probe import Prober
from raptorctl.host.survey.survey import survey
from raptorctl.host.system import command
from raptorctl.model.job import Job
from raptorctl.model.part import AnyPart, Part, SessionPart
from raptorctl.model.probe import SessionProbe
from raptorctl.model.session_host import Places
from raptorctl.model.settings import Settings

T = TypeVar("T")
S = TypeVar("S")

USER: Final = "user"


class SessionProber(Prober):
    """One that knows files of one's own for what they are."""

    def attempt(self, part: AnyPart, ask: Callable[[], T], otherwise: S) -> T | S:
        """Ask one part; see `Prober`."""
        return super().attempt(SessionPart.VOLUMES if part is Part.LVM else part, ask, otherwise)


def probe_session(
    settings: Settings, places: Places, unfinished: Callable[[], Sequence[Job]]
) -> SessionProbe:
    """Look at everything once.

    Args:
        settings: of a host of one's own.
        places: where files are.
        unfinished: reads the jobs that have not ended.
    """
    prober = SessionProber()
    version = prober.attempt(Part.LIBVIRT, lambda: _version(settings), (0, 0, 0))
    emulator = "" if Part.LIBVIRT in prober.troubles else _emulator(prober, settings)
    return SessionProbe(
        settings=settings,
        facts=survey(drivers(settings), settings, attempt=prober.attempt),
        libvirt_version=version,
        emulator=emulator,
        user_network=bool(emulator) and prober.attempt(Part.QEMU, lambda: _users(emulator), False),
        qemu_img=prober.attempt(SessionPart.QEMU_IMG, lambda: command.find("qemu-img"), ""),
        unwritable=tuple(filter(_unwritable, places.directories)),
        jobs=tuple(prober.attempt(Part.JOURNAL, unfinished, ())),
        troubles=prober.troubles,
    )


def _version(settings: Settings) -> tuple[int, int, int]:
    # Not at the top: a host without libvirt-python is one of the troubles to tell of.
    from raptorctl.host.domain.session_domains import SessionDomains

    return SessionDomains(settings.libvirt.uri).version()


def _emulator(prober: Prober, settings: Settings) -> str:
    from raptorctl.host.domain.session_domains import SessionDomains

    domains, wanted = SessionDomains(settings.libvirt.uri), settings.libvirt.machine_type
    return prober.attempt(Part.QEMU, lambda: domains.emulator(wanted), "")


def _users(emulator: str) -> bool:
    """Whether this QEMU has the user network; some distributions build it without."""
    return USER in command.run(emulator, "-netdev", "help").split()


def _unwritable(directory: str) -> bool:
    """Whether a directory is not ours to write, or could not be made."""
    there = next(path for path in (Path(directory), *Path(directory).parents) if path.exists())
    return not (there.is_dir() and os.access(there, os.W_OK | os.X_OK))
