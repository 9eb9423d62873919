"""Bridges, as sysfs has them."""

from pathlib import Path

from raptorctl.host.system.links import KernelLinks
from raptorctl.model.slot import Bridge


def interface(folder: Path, name: str, flags: str, *files: str) -> None:
    (folder / name).mkdir()
    (folder / name / "flags").write_text(f"{flags}\n")
    for file in files:
        (folder / name / file).mkdir(parents=True)


def test_what_is_no_bridge_is_none_and_one_that_goes_as_it_is_read_is_gone(tmp_path: Path) -> None:
    interface(tmp_path, "lo", "0x9")
    interface(tmp_path, "br-vm2", "0x1002", "bridge", "brif")
    interface(tmp_path, "br-vm1", "0x1003", "bridge", "brif/vnet1", "brif/vnet0")
    interface(tmp_path, "br-vm3", "0x1003", "bridge")
    (tmp_path / "br-vm3/flags").unlink()
    assert KernelLinks(tmp_path).bridges() == (
        Bridge("br-vm1", up=True, ports=("vnet0", "vnet1")),
        Bridge("br-vm2", up=False),
    )
    assert KernelLinks(tmp_path / "none").bridges() == ()
