"""Trying everything that a host of one's own needs, each part on its own."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from raptorctl.host import command, cpu, files, own
from raptorctl.host.overlay import OverlayVolumes
from raptorctl.host.probe import Prober
from raptorctl.host.survey import log_files
from raptorctl.model.facts import HostFacts
from raptorctl.model.job import Job
from raptorctl.model.own import Places
from raptorctl.model.probe import OwnPart, OwnProbe, Part
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.topology import Topology
from raptorctl.model.volume import VolumeGroup

USER: Final = "user"


def probe_own(
    settings: Settings, places: Places, unfinished: Callable[[], Sequence[Job]]
) -> OwnProbe:
    """Look at everything once.

    Args:
        settings: of a host of one's own.
        places: where files are.
        unfinished: reads the jobs that have not ended.
    """
    prober = Prober()
    version = prober.attempt(Part.LIBVIRT, lambda: _version(settings), (0, 0, 0))
    emulator = "" if Part.LIBVIRT in prober.troubles else _emulator(prober, settings)
    return OwnProbe(
        settings=settings,
        facts=_facts(prober, settings),
        libvirt_version=version,
        emulator=emulator,
        user_network=bool(emulator) and prober.attempt(Part.QEMU, lambda: _users(emulator), False),
        qemu_img=prober.attempt(OwnPart.IMAGES, lambda: command.find("qemu-img"), ""),
        unwritable=tuple(filter(_unwritable, places.directories)),
        jobs=tuple(prober.attempt(Part.JOURNAL, unfinished, ())),
        troubles=prober.troubles,
    )


def _version(settings: Settings) -> tuple[int, int, int]:
    # Not at the top: a host without libvirt-python is one of the troubles to tell of.
    from raptorctl.host.own_domain import OwnDomains

    return OwnDomains(settings.libvirt.uri).version()


def _emulator(prober: Prober, settings: Settings) -> str:
    from raptorctl.host.own_domain import OwnDomains

    domains, wanted = OwnDomains(settings.libvirt.uri), settings.libvirt.machine_type
    return prober.attempt(Part.QEMU, lambda: domains.emulator(wanted), "")


def _facts(prober: Prober, settings: Settings) -> HostFacts:
    from raptorctl.host.own_domain import OwnDomains

    volumes = OverlayVolumes(settings.storage.volume_group)
    firmware = (settings.libvirt.firmware_code, settings.libvirt.firmware_vars)
    domains = OwnDomains(settings.libvirt.uri)
    libvirt = Part.LIBVIRT not in prober.troubles
    found = prober.attempt(Part.LIBVIRT, domains.list, ()) if libvirt else ()
    return HostFacts(
        topology=prober.attempt(Part.CPUS, lambda: cpu.topology(session=True), Topology()),
        memory=prober.attempt(Part.CPUS, partial(cpu.memory, session=True), Size(0)),
        group=_group(volumes),
        accelerator="qemu" if own.kvm_obstacle() else "kvm",
        no_kvm=own.kvm_obstacle(),
        volumes=prober.attempt(OwnPart.VOLUMES, volumes.list, ()),
        domains=found,
        templates=prober.attempt(Part.TEMPLATES, files.templates, {}),
        files=frozenset(
            [
                *(path for path in firmware if Path(path).is_file()),
                *log_files(settings.libvirt.console_log_dir),
            ]
        ),
        ports=own.free_ports(found),
    )


def _group(volumes: OverlayVolumes) -> VolumeGroup:
    """The file system that disks will lie on: their directory may not have been made yet."""
    there = next(path for path in (volumes.directory, *volumes.directory.parents) if path.is_dir())
    found = OverlayVolumes(str(there)).group()
    return (
        replace(found, name=str(volumes.directory))
        if found
        else VolumeGroup(str(volumes.directory), Size(0), Size(0), Size(1))
    )


def _users(emulator: str) -> bool:
    """Whether this QEMU has the user network; some distributions build it without."""
    return USER in command.run(emulator, "-netdev", "help").split()


def _unwritable(directory: str) -> bool:
    """Whether a directory is not ours to write, or could not be made."""
    there = next(path for path in (Path(directory), *Path(directory).parents) if path.exists())
    return not (there.is_dir() and os.access(there, os.W_OK | os.X_OK))
