"""A folder that `registry gen` made, with libvirt's session for real: pools, volumes, a domain."""

import getpass
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.session_account import Person, somebody
from tests.integration.sshd import Sshd

REGISTRY = """
nodes: [{name: here, libvirt: {connection: {uri: "qemu:///session"}}}]
images:
  - name: small
    tags: [{pattern: latest, url: "file://HOME/source.qcow2", volumeName: small.qcow2}]
vms:
  - name: vm1
    nodeName: here
    image: small
    provisioner: v1alpha1
    libvirt:
      domain: {name: "{VM_NAME}"}
      pools: [{name: vms, directory: {path: "HOME/pool"}}]
      volumes:
        - {name: "{IMAGE_VOLUME_NAME}", poolName: vms, deletionPolicy: Retain, capacity: 20M,
           uploadFile: {path: ".images/{IMAGE_VOLUME_NAME}"}}
        - {name: boot, poolName: vms, backingVolume: {name: "{IMAGE_VOLUME_NAME}", poolName: vms}}
        - {name: data, poolName: vms, format: raw, capacity: 4M}
"""
DOMAIN = """<domain type='qemu'><name>vm1</name><memory>65536</memory>
<os><type>hvm</type></os></domain>"""


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    with somebody() as found:
        yield found


def make(person: Person, *words: str) -> str:
    return person.run("make", "-s", "-C", f"{person.home}/vm1", *words).stdout


def pool(person: Person) -> set[str]:
    return {path.name for path in (person.home / "pool").glob("*")}


def reaches_the_guest(person: Person) -> None:
    """`ip` and `ssh`, of a real sshd in the guest's place, with no raptorctl to be found."""
    clean = ("env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
    assert person.run(*clean, "which", "raptorctl", check=False).returncode
    with TemporaryDirectory(prefix="raptor-") as folder, Sshd(Path(folder)) as server:
        key = person.home / "guest-key"
        shutil.copy(f"{folder}/own", key)
        shutil.chown(key, person.login)
        options = f"-p {server.port} -i {key} -o UserKnownHostsFile=/dev/null"
        told = person.run(
            *clean, "make", "-s", "-C", f"{person.home}/vm1", "ip", "ssh", "CMD=echo in; true",
            "V1ALPHA1_IP_CMD=echo 127.0.0.1", f"V1ALPHA1_SSH_USER={getpass.getuser()}",
            f"V1ALPHA1_SSH_EXTRA_OPTS={options} -o StrictHostKeyChecking=no",
        )  # fmt: skip
    assert told.stdout.splitlines() == ["127.0.0.1", "in"]


def test_a_generated_folder_makes_keeps_and_removes_what_it_says(person: Person) -> None:
    home = Path(person.home)
    person.run("qemu-img", "create", "-q", "-f", "qcow2", "source.qcow2", "10M")
    (home / "registry.yaml").write_text(REGISTRY.replace("HOME", str(home)))
    (home / "vm1.xml").write_text(DOMAIN)
    person.raptorctl("registry", "gen", "--registry", "registry.yaml")

    make(person, "build", "create/pool", "create/volume")
    assert pool(person) == {"small.qcow2", "boot", "data"}
    boot = person.run("qemu-img", "info", str(home / "pool/boot")).stdout
    assert "virtual size: 20 MiB" in boot
    assert f"backing file: {home}/pool/small.qcow2" in boot
    assert make(person, "build", "create/pool", "create/volume") == ""

    person.run("virsh", "-c", "qemu:///session", "define", str(home / "vm1.xml"))
    assert "started" in make(person, "create/domain", "start")
    assert make(person, "start") == ""
    reaches_the_guest(person)
    make(person, "down", "V1ALPHA1_STOP_TIMEOUT_SECS=1")
    assert pool(person) == {"small.qcow2"}
    assert make(person, "down") == ""
    make(person, "create/pool", "delete-all", "clean-all")
    assert pool(person) == set()
    said = person.run("virsh", "-c", "qemu:///session", "pool-list", "--all", "--name").stdout
    assert said.split() == []
