"""Builds on a shared host, by root: edited, and by systemd-nspawn; what is left is looked for."""

import pytest

from tests.lab.host import Lab

TREE = r"""
set -e
rm -rf /root/build && mkdir -p /root/build/tree && cd /root/build/tree
mkdir bin etc proc sys dev run tmp usr root mnt
echo ID=test > etc/os-release
for program in sh cat touch mkdir cp chmod chown; do
  path=$(readlink -f "$(command -v $program)")
  cp "$path" bin/$program
  for library in $(ldd "$path" | grep -o '/[^ ]*'); do cp --parents -L "$library" .; done
done
cd /root/build && mkdir share && echo in > share/in
truncate -s 64M base.raw && mke2fs -q -F -t ext4 -d tree base.raw
cat > raptor.toml
"""
FILE = """
[build.edited]
from = "./base.raw"
size = "96M"
files = [{ content = "hello", to = "/etc/motd" }]
output = [{ image = "edited" }, { file = "out/edited.qcow2" }]

[build.run]
from = "./base.raw"
way = "nspawn"
shares = [{ path = "share", at = "/mnt/in" }]
steps = [{ inline = "cat /mnt/in/in > /etc/made; ! touch /mnt/in/new" }]
output = [{ file = "out/run.raw" }]

[build.fails]
from = "./base.raw"
way = "nspawn"
steps = [{ inline = "exit 7" }]
output = [{ file = "out/fails.raw" }]
"""


@pytest.fixture(scope="module")
def host(lab: Lab) -> Lab:
    lab.sh(f"{TREE.rstrip()} <<'EOF'\n{FILE}EOF\n")
    return lab


def build(lab: Lab, *words: str, check: bool = True) -> str:
    line = f"cd /root/build && raptorctl build {' '.join(words)} 2>&1"
    return lab.sh(line, check=check).stdout


def left(lab: Lab) -> str:
    return lab.sh(
        "losetup -a; grep raptorctl/builds /proc/self/mountinfo;"
        "ls -A /var/lib/libvirt/raptorctl/builds 2>/dev/null; ls /run/systemd/nspawn",
        check=False,
    ).stdout.strip()  # fmt: skip


def test_files_are_put_into_a_copy_and_the_image_is_as_it_was(host: Lab) -> None:
    before = host.sh("sha256sum /root/build/base.raw").stdout
    assert "edited is built" in build(host, "edited")
    assert host.sh("sha256sum /root/build/base.raw").stdout == before
    host.sh("cd /root/build && qemu-img convert -O raw out/edited.qcow2 e.raw && e2fsck -fn e.raw")
    assert host.sh("debugfs -R 'cat /etc/motd' /root/build/e.raw").stdout == "hello"
    assert "edited" in host.run("raptorctl", "image", "list").stdout
    assert left(host) == ""


def test_steps_are_run_by_systemd_nspawn_only_for_who_trusts_the_image(host: Lab) -> None:
    assert "--trust says" in build(host, "run", check=False)
    said = build(host, "run", "--trust")
    assert "run is built" in said
    assert "no network" not in said  # pasta makes them one, below AppArmor
    assert host.sh("debugfs -R 'cat /etc/made' /root/build/out/run.raw").stdout == "in\n"
    assert host.sh("ls /root/build/share").stdout == "in\n"
    assert left(host) == ""


def test_a_step_that_fails_exports_nothing_and_leaves_nothing(host: Lab) -> None:
    assert "ended with status 7; rolled back" in build(host, "fails", "--trust", check=False)
    assert host.sh("ls /root/build/out").stdout.split() == ["edited.qcow2", "run.raw"]
    assert left(host) == ""
