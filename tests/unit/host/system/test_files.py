"""Files: removed durably, and read only when nobody else could have written them."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.errors import RefusedError, SettingsError
from raptorctl.host.system import files
from raptorctl.host.system.files import LocalFiles, read_settings, read_trusted, templates

SETTINGS = """
[dns]
zone = "raptor.example"
[[slot]]
number = 1
ipv4 = "198.51.100.1"
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="ownership matters to root")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    path.chmod(0o644)
    return path


def test_files_are_seen_and_removed(file: Path) -> None:
    local = LocalFiles()
    assert local.exists(str(file))
    assert not local.exists(str(file.parent))
    local.remove(str(file))
    local.remove(str(file))  # already so
    local.remove(str(file.parent / "no/such/folder/file"))
    assert not file.exists()


def test_a_dangling_link_is_removed_and_what_it_named_is_not_made(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nothing")
    LocalFiles().remove(str(link))
    assert not link.is_symlink()


def test_settings_are_read(file: Path) -> None:
    settings = read_settings(file)
    assert settings.dns.zone == "raptor.example"
    assert settings.file == str(file)


def test_every_error_names_the_file(file: Path) -> None:
    file.write_text(SETTINGS + "colour = 1\n")
    with pytest.raises(SettingsError, match=f"{file}: slot.*colour"):
        read_settings(file)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: cannot be read: No such file"):
        read_settings(tmp_path / "none.toml")


@pytest.fixture
def etc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What stands for /etc/raptorctl, for somebody who typed sudo; root's all the way."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        monkeypatch.setattr(files, "SETTINGS", folder)
        monkeypatch.setattr(files, "RECORDS", f"{folder}/tenants")
        monkeypatch.setenv("SUDO_UID", "65534")
        (folder / "tenants").mkdir()
        yield folder


def put(path: Path) -> Path:
    path.write_text(SETTINGS)
    path.chmod(0o644)
    return path


@as_root
def test_under_sudo_settings_lie_where_only_root_puts_files(etc: Path, file: Path) -> None:
    assert read_settings(put(etc / "other.toml")).dns.zone == "raptor.example"
    away = f"{etc}/../../{file.relative_to('/')}"
    for path in (file, Path("/root/none"), Path("none"), put(etc / "tenants/x.json"), Path(away)):
        with pytest.raises(RefusedError, match=f"under sudo, settings are a file below {etc}"):
            read_settings(path)


@as_root
@pytest.mark.parametrize("how", ["link", "folder", "another's folder", "file"])
def test_under_sudo_no_part_of_the_way_to_settings_is_anybody_elses(
    etc: Path, file: Path, how: str
) -> None:
    inner = etc / "inner"
    inner.mkdir()
    chosen = put(inner / "settings.toml")
    if how == "link":
        chosen.unlink()
        chosen.symlink_to(file)
    elif how == "folder":
        inner.chmod(0o777)
    elif how == "another's folder":
        os.chown(inner, 65534, 65534)
    else:
        chosen.chmod(0o666)
    with pytest.raises(RefusedError, match="under sudo, settings are a file below"):
        read_settings(chosen)


@as_root
def test_under_sudo_nothing_is_told_of_what_lies_elsewhere(etc: Path, file: Path) -> None:
    told = []
    for path in (file, file.with_name("none.toml"), file.parent):
        with pytest.raises(RefusedError) as caught:
            read_settings(path)
        told.append(str(caught.value).replace(str(path), ""))
    assert len(set(told)) == 1


@as_root
def test_root_itself_names_any_settings(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    assert read_settings(file).dns.zone == "raptor.example"


@pytest.mark.timeout(10)
def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SettingsError, match="not a regular file"):
        read_trusted(tmp_path / "fifo")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"directory|regular"):
        read_trusted(tmp_path)


def test_a_huge_file_is_refused(file: Path) -> None:
    os.truncate(file, files.LARGEST + 1)
    with pytest.raises(SettingsError, match="larger than 1048576 bytes"):
        read_trusted(file)
    os.truncate(file, files.LARGEST)
    assert len(read_trusted(file)) == files.LARGEST


def test_a_file_that_is_not_text_is_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_trusted(file)


@as_root
@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(SettingsError, match="written by others than root: chown root, chmod go-w"):
        read_trusted(file)


@as_root
def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    os.chown(file, 1234, 0)
    with pytest.raises(SettingsError, match="written by others"):
        read_trusted(file)


# Templates


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout with one shipped template; the package is beside it, as in ours."""
    monkeypatch.setattr(files, "PACKAGE", tmp_path / "checkout/package")
    folder = tmp_path / "checkout/domain_templates"
    folder.mkdir(parents=True)
    (folder / "virtio-console.xml").write_text("<shipped/>")
    return folder


def test_the_hosts_own_templates_take_the_place_of_shipped_ones(
    shipped: Path, tmp_path: Path
) -> None:
    admin = tmp_path / "admin"
    assert templates(admin) == {"virtio-console": "<shipped/>"}
    admin.mkdir()
    (admin / "virtio-console.xml").write_text("<own/>")
    (admin / "other.xml").write_text("<other/>")
    (admin / "notes.txt").write_text("")
    assert templates(admin) == {"virtio-console": "<own/>", "other": "<other/>"}


@as_root
def test_a_template_of_the_host_is_trusted_only_when_root_wrote_it(
    shipped: Path, tmp_path: Path
) -> None:
    (shipped / "virtio-console.xml").chmod(0o664)  # a checkout under umask 002
    templates(tmp_path)
    (tmp_path / "own.xml").write_text("<own/>")
    (tmp_path / "own.xml").chmod(0o664)
    with pytest.raises(SettingsError, match=r"own\.xml: can be written by others"):
        templates(tmp_path)


def test_an_installed_package_carries_them_inside(shipped: Path, tmp_path: Path) -> None:
    inside = tmp_path / "checkout/package/_data/domain_templates"
    inside.mkdir(parents=True)
    (inside / "installed.xml").write_text("<installed/>")
    assert templates(tmp_path / "none") == {"installed": "<installed/>"}


def test_ours_are_found(tmp_path: Path) -> None:
    assert "virtio-console" in templates(tmp_path)


def test_without_the_settings_both_ways_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "lexists", lambda _: False)
    with pytest.raises(SettingsError, match=r"is not there: write it, .* without root"):
        read_settings()
