"""`import PROFILE.sh`: what its bash said is a file of ours; only with --trust, never as root."""

import os
from pathlib import Path

import pytest

from raptorctl.errors import MissingError, RefusedError
from raptorctl.host.system import command, sandbox
from raptorctl.host.system.sandbox import Confined
from raptorctl.model.shell_profile import REQUIRED
from tests.unit.cli.session import CommandLine, Result
from tests.unit.cli.test_export import own
from tests.unit.model.test_ssh_key import GOOD

__all__ = ["own"]

USER_DATA = b"#cloud-config\npackages: [nginx]\n\n"
SAID = (
    b"sc-web",
    b"hermes",
    b"512",
    b"1",
    b"8G",
    b"spice-qxl",
    b"https://a.example/d.qcow2",
    b"/b",
)
IMPORTED = """#:schema /usr/share/raptorctl/raptor.schema.json

[machine.sc-web]
# not imported: BASE_IMAGE: '/b'; raptorctl keeps images in a cache of its own
# not imported: SC_NETWORK_NAME: 'lan'; the host says which network it has
# not imported: autostart; `raptorctl autostart sc-web on`
# not imported: GRAPHICS: qxl; the template says which video card there is
cpus = 1
memory = "512M"
size = "8G"
image = "https://a.example/d.qcow2"
graphics = "spice-socket"
hostname = "hermes"
user_data = "./sc-web.user-data"
"""


class Room:
    """What bash in a sandbox comes to."""

    def __init__(self) -> None:
        self.ended = Confined(0, b"\0".join((*SAID, b"function", USER_DATA)), b"")
        self.told: dict[str, str] = {}
        self.key = ""

    def __call__(self, argv: tuple[str, ...], given: bytes, told: dict[str, str]) -> Confined:
        assert given == b"text\n"
        self.told, self.key = dict(told), argv[-1]
        return self.ended

    def says(self, *fields: bytes, kind: bytes = b"function", status: int = 0) -> None:
        self.ended = Confined(status, b"\0".join((*fields, kind, USER_DATA)), b"bad \x1b[2J\nx\n")


@pytest.fixture
def room(own: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Room:
    made = Room()
    monkeypatch.setattr(sandbox, "confined", made)
    Path("key.pub").write_text(f"{GOOD}\n")
    monkeypatch.setenv("SC_SSH_KEY", "key")
    monkeypatch.setenv("SC_NETWORK_NAME", "lan")
    Path("profiles").mkdir()
    Path("profiles/web.sh").write_text("text\n")
    return made


def test_the_profile_is_a_file_of_ours_and_its_user_data_another(
    own: CommandLine, room: Room
) -> None:
    done = own("import", "web", "--trust")
    assert (done.code, done.out, done.err) == (0, IMPORTED, "wrote sc-web.user-data\n")
    assert Path("sc-web.user-data").read_bytes() == USER_DATA
    assert (room.key, room.told["SC_POOL_NAME"]) == (GOOD, "sc-images")
    assert room.told["SC_NETWORK_NAME"] == "lan"
    again = own("import", "profiles/web.sh", "--trust")
    assert (again.out, again.err) == (IMPORTED, "sc-web.user-data is already so\n")
    Path("raptor.toml").write_text(done.out)
    assert "sc-web" in own("up", "--dry-run").out


def test_user_data_that_differs_is_never_overwritten(own: CommandLine, room: Room) -> None:
    for text in ("mine", USER_DATA.decode() + "more"):
        Path("sc-web.user-data").write_text(text)
        refused = own("import", "web", "--trust")
        assert (refused.code, "differs from what" in refused.complaint, refused.out) == (
            2,
            True,
            "",
        )
        assert Path("sc-web.user-data").read_text() == text
    done = own("import", "web", "--trust", "--user-data", "sub/ud")
    assert 'user_data = "./sub/ud"' in done.out
    assert Path("sub/ud").read_bytes() == USER_DATA


def test_without_trust_it_says_what_it_would_do(own: CommandLine, room: Room) -> None:
    refused = own("import", "web")
    assert (refused.code, room.told) == (3, {})
    assert "would be run in bubblewrap" in refused.complaint
    assert "--trust" in refused.complaint


def test_what_is_no_profile_needs_no_trust(own: CommandLine) -> None:
    Path("VMFile.kdl").write_text('vm "a" { image "x"; }')
    for words in (("--trust",), ("--user-data", "x")):
        refused = own("import", "VMFile.kdl", *words)
        assert (refused.code, "are for a PROFILE.sh" in refused.complaint) == (2, True)


def test_it_is_never_run_as_root(
    raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web.sh").write_text("text\n")
    refused = raptorctl("import", "web.sh", "--trust", "--tenant", "alice")
    assert (refused.code, "never run as root" in refused.complaint) == (3, True)
    # Nor does root look whether it is there.
    assert "never run as root" in raptorctl("import", "/root/no.sh", "--trust").complaint
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(RefusedError, match="not run as root"):
        sandbox.confined(["true"], b"", {})


def test_on_a_shared_host_an_account_without_rights_says_whose_it_becomes(
    room: Room, raptorctl: CommandLine
) -> None:
    raptorctl.root = False
    done = raptorctl("import", "web", "--trust", "--tenant", "alice")
    assert (done.code, "[machine.alice-sc-web]" in done.out) == (0, True)
    unsaid = raptorctl("import", "web", "--trust")
    assert (unsaid.code, "--tenant" in unsaid.complaint) == (2, True)


def test_without_bubblewrap_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(command, "PATH", "/nowhere")
    with pytest.raises(MissingError, match="bwrap is not installed: apt install bubblewrap"):
        sandbox.confined(["true"], b"", {})


def test_a_name_that_is_not_there_names_both_that_were_tried(own: CommandLine, room: Room) -> None:
    refused = own("import", "nope", "--trust")
    assert (refused.code, "tried nope and profiles/nope.sh" in refused.complaint) == (2, True)


def imported(own: CommandLine) -> Result:
    done = own("import", "web", "--trust")
    assert (done.code, done.out) == (2, "")
    assert not Path("sc-web.user-data").exists()
    return done


@pytest.mark.parametrize("number", range(len(SAID)))
def test_all_that_is_missing_is_told_at_once(own: CommandLine, room: Room, number: int) -> None:
    fields = [b"" if at == number else value for at, value in enumerate(SAID)]
    room.says(*fields, kind=b"", status=127)
    Path("key.pub").unlink()
    found = imported(own)
    assert "profiles/web.sh has 3 errors" in found.err
    for name in (REQUIRED[number], "generate_user_data", "PUBKEY"):
        assert f"profiles/web.sh: {name}: " in found.err


@pytest.mark.parametrize(
    ("number", "value", "complaint"),
    [
        (0, b"../x", "DOMAIN: '../x' is no machine's name"),
        (2, b"2G", "RAM_MB: '2G' is no number"),
        (3, b"0", "VCPUS: '0' is no number"),
        (4, b"8 G", "DISK_SIZE: '8 G' is not a size"),
        (5, b"sdl", "GRAPHICS: 'sdl' is no display; known: vnc, spice, spice-qxl, none"),
    ],
)
def test_what_cannot_be_is_refused(
    own: CommandLine, room: Room, number: int, value: bytes, complaint: str
) -> None:
    room.says(*[value if at == number else other for at, other in enumerate(SAID)])
    assert f"profiles/web.sh: {complaint}" in imported(own).err.splitlines()[-1]


def test_what_the_profile_says_is_passed_on_and_moves_no_cursor(
    own: CommandLine, room: Room
) -> None:
    room.says(*SAID)
    done = own("import", "web", "--trust")
    assert done.code == 0
    assert done.err.startswith(r"note: the profile said 'bad \x1b[2J'")
    room.says(b"", *SAID[1:])
    assert own("import", "web", "--trust").err.startswith("note: the profile said 'bad ")


def test_what_fails_or_has_no_end_writes_nothing(own: CommandLine, room: Room) -> None:
    for ended, complaint in (
        (Confined(None, b"", b""), "did not end in 10 seconds"),
        (Confined(0, b"a" * sandbox.OUTPUT, b""), "prints 2 MiB or more"),
        (Confined(0, b"a\0b", b""), "ends before its end"),
        (Confined(1, room.ended.out, b""), "generate_user_data of 'profiles/web.sh' failed"),
        (Confined(0, b"\0".join((*SAID, b"function", b"")), b""), "printed nothing"),
    ):
        room.ended = ended
        assert complaint in imported(own).complaint


def test_a_private_key_in_it_is_told(own: CommandLine, room: Room) -> None:
    secret = b"#cloud-config\nx: |\n  -----BEGIN OPENSSH PRIVATE KEY-----\n"
    room.ended = Confined(0, b"\0".join((*SAID, b"function", secret)), b"")
    assert (
        "# up refuses this user_data: line 3 begins a private key"
        in own("import", "web", "--trust").out
    )
