"""A host of one's own in memory, but for its volumes: those are files, without qemu-img."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.drivers.host import Host
from raptorctl.drivers.tick import Tick
from raptorctl.host.volume import qcow2_copy as overlay_copy
from raptorctl.host.volume import qcow2_image as overlay_image
from raptorctl.host.volume import qcow2_volumes as overlay
from raptorctl.host.volume.qcow2_copy import FileCopier
from raptorctl.host.volume.qcow2_image import OverlayImageWriter
from raptorctl.host.volume.qcow2_volumes import FileWiper, OverlayVolumes
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Image
from raptorctl.model.session_host import places, session_settings
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import GIB, Size
from tests.fakes import Guarded, Tripwire, World
from tests.unit.plans.machine.test_provision import TEMPLATES

FIRMWARE = ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd")


class SessionWorld(World):
    """Somebody's laptop.

    Args:
        home: where files are.
    """

    def __init__(self, home: Path) -> None:
        super().__init__()
        self.places = places({}, str(home))
        self.settings: Settings = session_settings(self.places, "alice", FIRMWARE)
        self.directory = Path(self.places.volumes)
        self.directory.mkdir(parents=True)
        self.overlays = OverlayVolumes(str(self.directory))
        (home / "debian.qcow2").write_bytes(b"an image")
        self.image = Image(
            "debian:13", "/srv/debian.qcow2", "d1" * 32, "qcow2", Size(3 * GIB), Size(1),
            str(home / "debian.qcow2"), "2026-11-20T12:00:00Z",
        )  # fmt: skip

    def host(self, wire: Tripwire | None = None) -> Host:
        wire = wire or Tripwire()
        return replace(
            super().host(wire),
            volumes=Guarded(self.overlays, wire),
            wiper=Guarded(FileWiper(), wire),
            copier=Guarded(FileCopier(), wire),
            image_writer=Guarded(OverlayImageWriter(), wire),
        )

    def facts(self, templates: object = TEMPLATES, people: Iterable[str] = ()) -> HostFacts:
        return replace(
            super().facts(TEMPLATES, people),
            group=self.overlays.group(),
            volumes=self.overlays.list(),
            files=frozenset([*self.files.paths, *FIRMWARE]),
            bridges=(),
            records=(),
            images=(self.image,),
            ports=(2201, 2202),
        )

    def picture(self) -> object:
        """Everything that must be as before; identifiers of volumes aside."""
        found = {
            path.name: path.read_bytes() if path.suffix == ".qcow2" else b""
            for path in sorted(self.directory.iterdir())
        }
        volumes = sorted((v.name, sorted(v.tags), v.size) for v in self.overlays.list())
        domains = sorted((d.name, d.state.value, d.uuid, d.autostart) for d in self.domains.list())
        return found, volumes, domains, sorted(self.files.paths)


def qcow2(size: int, backing: str = "") -> bytes:
    """What our reader takes for the head of a file."""
    return struct.pack(">4sIQIIQ", b"QFI\xfb", 3, 0, 0, 0, size) + backing.encode()


def _copied(source: str, target: str, tick: Tick) -> int:
    """What copy_file() does, without a program."""
    data = Path(source).read_bytes()
    tick(0, len(data))
    Path(target).write_bytes(data)
    return len(data)


@contextmanager
def without_qemu_img(patch: pytest.MonkeyPatch, wire: Tripwire | None = None) -> Iterator[None]:
    """Have files made without a program, and die between a volume's file and its note."""
    wire = wire or Tripwire()

    def make_file(path: str, size: int, backing: tuple[str, str] | None = None) -> None:
        Path(path).write_bytes(qcow2(size, backing[0] if backing else ""))

    with patch.context() as patched:
        made = wire.guard("make_file", make_file)
        patched.setattr(overlay, "make_file", made)
        copied = wire.guard("copy_file", _copied)
        for module in (overlay, overlay_copy):
            patched.setattr(module, "copy_file", copied)
        patched.setattr(overlay_image, "make_file", made)
        for name in ("replace_file", "sync_directory"):
            patched.setattr(overlay, name, wire.guard(name, getattr(overlay, name)))
        yield
