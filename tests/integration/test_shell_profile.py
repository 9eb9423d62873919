"""`import PROFILE.sh` for real: bash in bubblewrap, as an account without rights."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.session_account import Person, somebody

PROFILE = """\
DOMAIN=sc-web-server
HOSTNAME=hermes
RAM_MB=512
VCPUS=1
DISK_SIZE=8G
GRAPHICS=${SC_WORKSTATION_GRAPHICS:-vnc}
BASE_URL=https://a.example/debian-12.qcow2
BASE_IMAGE=$SC_BASE_DIR/debian-12.qcow2
HUD_URL=$(echo https://hud.example | awk '{ print $1 }')
generate_user_data() {
  cat <<EOF
#cloud-config
write_files:
  - {path: /told, content: "$PUBKEY $GAME_HOST_IP $POOL_DIR $DISK_PATH $SEED_ISO $HUD_URL"}


EOF
}
"""
TOLD = (
    "#cloud-config\nwrite_files:\n  - {path: /told, content: "
    '"ssh-ed25519 AAAA me 10.9.9.9 /pool /pool/sc-web-server.qcow2 '
    '/seeds/sc-web-server-seed.iso https://hud.example"}\n\n\n'
)


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    if not shutil.which("bwrap"):
        pytest.skip("bwrap is not installed: apt install bubblewrap")
    with somebody() as found:
        room = ("bwrap", "--unshare-user", "--disable-userns", "--unshare-net", "--ro-bind", "/")
        tried = found.run(*room, "/", "true", check=False)
        if tried.returncode:
            pytest.skip(f"this machine lets no account have a user namespace: {tried.stderr}")
        (found.home / "key.pub").write_text("ssh-ed25519 AAAA me\n")
        yield found


def imported(
    person: Person, text: str, *words: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    (person.home / "web.sh").write_text(text)
    (person.home / "sc-web-server.user-data").unlink(missing_ok=True)
    told = {"SC_SSH_KEY": str(person.home / "key"), **environment}
    pairs = (f"{name}={value}" for name, value in told.items())
    argv = ("env", *pairs, person.python, "-m", "raptorctl", "import", "web.sh", *words)
    return person.run(*argv, check=False)


def test_it_prints_the_machine_and_writes_its_user_data_byte_for_byte(person: Person) -> None:
    done = imported(
        person, PROFILE, "--trust", SC_GAME_HOST_IP="10.9.9.9", SC_POOL_DIR="/pool",
        SC_SEED_DIR="/seeds", SC_BASE_DIR="/bases", SC_WORKSTATION_GRAPHICS="spice",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "wrote sc-web-server.user-data\n")
    for line in ('memory = "512M"', 'graphics = "spice-socket"', 'hostname = "hermes"',
                 'user_data = "./sc-web-server.user-data"'):  # fmt: skip
        assert line in done.stdout.splitlines()
    assert "'/bases/debian-12.qcow2'" in done.stdout
    written = person.home / "sc-web-server.user-data"
    assert (written.read_text(), written.stat().st_mode & 0o777) == (TOLD, 0o600)


def test_what_is_missing_is_told_at_once_also_the_name_that_bash_sets_itself(
    person: Person,
) -> None:
    done = imported(person, "DOMAIN=a\n", "--trust", SC_SSH_KEY="/nowhere")
    names = ("HOSTNAME", "RAM_MB", "VCPUS", "DISK_SIZE", "GRAPHICS", "BASE_URL", "BASE_IMAGE",
             "generate_user_data", "PUBKEY")  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert all(f"web.sh: {name}: " in done.stderr for name in names), done.stderr
    assert "DOMAIN" not in done.stderr


def test_bash_itself_says_what_is_no_bash(person: Person) -> None:
    done = imported(person, "DOMAIN=a\nif\n", "--trust")
    assert "note: the profile said '/given: line 3: syntax error" in done.stderr
    assert "web.sh: generate_user_data: is missing" in done.stderr


HOSTILE = {
    "home": 'touch "$HOME/x" /home/x {home}/x; ls {home}',
    "network": "exec 5<>/dev/tcp/127.0.0.1/{port}",
    "system": "touch /usr/x /etc/x /x /dev/x /given; echo >/proc/sysrq-trigger",
    "rights": "unshare -Ur true; ulimit -u 5000",
    "host": 'env | grep -q XDG_; [ "$(ls -d /proc/[0-9]* | wc -l)" -gt 8 ]; [ "$(id -u)" -ne 65534 ]',
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_profile_reaches_nothing(person: Person, what: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        places = {"home": str(person.home), "port": str(server.getsockname()[1])}
        text = HOSTILE[what]
        for name, value in places.items():
            text = text.replace(f"{{{name}}}", value)
        before = sorted(person.home.iterdir())
        # What would have worked fails the whole.
        lines = [f"{line} && exit 7" for line in text.split("; ")]
        done = imported(person, "\n".join(lines) + "\n" + PROFILE, "--trust")
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert done.returncode == 0, done.stderr
    new = set(person.home.iterdir()) - set(before)
    assert {path.name for path in new} <= {"sc-web-server.user-data", "web.sh"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("while :; do :; done", "did not end in 10 seconds"),
        ("exec >/dev/null 2>&1; sleep 1000", "did not end in 10 seconds"),
        ("exit 0", "ends before its end"),
        ("generate_user_data() { yes | head -c 1000000000; }", "prints 2 MiB or more"),
        ("head -c 1000000000 /dev/zero >&2", "prints 2 MiB or more"),
        ("generate_user_data() { echo a; false; }", "generate_user_data of 'web.sh' failed"),
    ],
)  # fmt: skip
def test_a_profile_without_end_is_ended(person: Person, text: str, complaint: str) -> None:
    done = imported(person, f"{PROFILE}\n{text}\n", "--trust")
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert complaint in done.stderr
    assert not (person.home / "sc-web-server.user-data").exists()


def test_a_fork_bomb_is_small_and_gone(person: Person) -> None:
    done = imported(person, "b() { b | b & }; b; sleep 1\n" + PROFILE, "--trust")
    assert "fork: retry: Resource temporarily unavailable" in done.stderr or (
        "did not end in" in done.stderr
    )
    deadline = time.monotonic() + 10
    while running(person) and time.monotonic() < deadline:  # the kernel is still about it
        time.sleep(0.1)
    assert running(person) == []


def running(person: Person) -> list[str]:
    owner = person.home.stat().st_uid
    if owner == os.geteuid():  # our own others are not told apart
        return []
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if path.stat().st_uid == owner:
                found.append((path / "cmdline").read_text())
        except OSError:
            continue
    return found
