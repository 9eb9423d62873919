"""`render makefile`, with libvirt's session for real: a machine is made again without raptorctl."""

import json
import shutil

from tests.integration.session_account import Person

ISO = any(map(shutil.which, ("genisoimage", "mkisofs", "xorrisofs")))
"""Whether something here writes seeds, as the folder asks for."""


def virsh(person: Person, *words: str) -> str:
    return person.run("virsh", "-c", "qemu:///session", *words).stdout


def test_what_stands_is_made_again_by_virsh_alone(person: Person) -> None:
    image = person.home / "tiny.qcow2"
    person.run("qemu-img", "create", "-q", "-f", "qcow2", str(image), "16M")
    person.raptorctl(
        "provision", "web", "--memory", "256M", "--cpus", "1", "--size", "64M", "--image",
        str(image), "--disk", "data=32M,keep,bus=sata", *(() if ISO else ("--no-seed",)), "-y",
    )  # fmt: skip
    port = json.loads(person.raptorctl("show", "web", "-o", "json").stdout)["ssh"]
    person.raptorctl("render", "makefile", "web")
    make = ("make", "-s", "-C", f"{person.home}/web")
    refused = person.run(*make, "start", check=False)
    assert "was not made by this folder" in refused.stderr
    person.raptorctl("deprovision", "web", "--force", "-y")
    person.raptorctl("disk", "remove", "web.data", "-y")

    started = person.run(*make, "up").stdout
    name = f"{person.login}-web"
    assert f"Domain '{name}' started" in started
    pool = person.home / "web/pool"
    disks = {path.name for path in pool.iterdir()}
    assert {"disk.qcow2", "disk-data.qcow2"} < disks
    told = person.run("qemu-img", "info", "-U", str(pool / "disk.qcow2")).stdout
    assert "virtual size: 64 MiB" in told
    assert f"hostfwd=tcp:{port}-:22" in virsh(person, "dumpxml", name)
    assert person.raptorctl("list").stdout.startswith("there are no machines")
    assert person.run(*make, "up").stdout == ""

    person.run(*make, "down", "V1ALPHA1_STOP_TIMEOUT_SECS=0")
    kept = {path.name for path in pool.iterdir()}
    assert "disk.qcow2" not in kept
    assert "disk-data.qcow2" in kept
    person.run(*make, "create/pool", "delete-all", "clean-all")
    assert list(pool.iterdir()) == []
    assert virsh(person, "list", "--all", "--name").split() == []
    assert person.files() == set()
