"""A machine that is saved, or runs other than it is defined: libvirt's session and QEMU decide.

Each test stands on what `virsh` did behind our back, as libvirt-guests and virt-manager do.
"""

import json
from collections.abc import Iterator

import pytest

from tests.integration.session_account import PLACES, Person
from tests.lab.firmware import image


@pytest.fixture(scope="module", autouse=True)
def _machines_halt(person: Person) -> None:
    """Firmware without a disk ends in a shell that spins, beside whatever else is tried."""
    firmware = person.home / "halt.fd"
    firmware.write_bytes(image())
    settings = person.home / PLACES["XDG_CONFIG_HOME"] / "raptorctl/settings.toml"
    settings.parent.mkdir()
    settings.write_text(f'[libvirt]\nfirmware_code = "{firmware}"\n')


@pytest.fixture
def machine(person: Person) -> Iterator[str]:
    """Give a small one that runs, and halts at once."""
    person.raptorctl("provision", "web", "--memory", "128M", "--cpus", "1", "-y")
    yield str(shown(person)["name"])
    person.raptorctl("stop", "web", "--timeout", "0", "--force", check=False)
    person.raptorctl("deprovision", "web", "-y")
    assert person.files() == set()


@pytest.fixture
def saved(person: Person, machine: str) -> str:
    virsh(person, "managedsave", machine)
    return machine


def virsh(person: Person, *words: str) -> str:
    return person.run("virsh", "-c", "qemu:///session", *words).stdout


def shown(person: Person) -> dict[str, object]:
    details: dict[str, object] = json.loads(person.raptorctl("show", "web", "-o", "json").stdout)
    return details


def findings(person: Person) -> list[str]:
    told = json.loads(person.raptorctl("doctor", "-o", "json").stdout)["findings"]
    return [str(one["what"]) for one in told]


def test_a_saved_machine_is_so_in_list_and_show_and_says_what_it_was_saved_with(
    person: Person, saved: str
) -> None:
    (listed,) = json.loads(person.raptorctl("list", "-o", "json").stdout)["machines"]
    assert listed["state"] == "saved"
    assert "saved" in person.raptorctl("list").stdout
    details = shown(person)
    assert details["state"] == "saved"
    kept = {"cpus": [], "emulator": [], "vcpus": 1, "memory": 128 << 20}
    assert (details["saved"], details["live"]) == (kept, None)


@pytest.mark.usefixtures("saved")
def test_resize_refuses_a_saved_machine_and_changes_nothing(person: Person) -> None:
    typed = ("resize", "web", "--memory", "256M", "--cpus", "2", "-y")
    refused = person.raptorctl(*typed, check=False)
    assert refused.returncode == 3
    assert "web is saved, and would resume with 1 CPU and 128M of memory" in refused.stderr
    assert (shown(person)["memory"], shown(person)["state"]) == (128 << 20, "saved")


def test_a_save_that_is_given_up_does_not_come_back(person: Person, saved: str) -> None:
    typed = ("resize", "web", "--memory", "160M", "--cpus", "2", "--drop-saved", "-y")
    person.raptorctl(*typed)
    assert shown(person)["state"] == "shut off"
    person.raptorctl("start", "web")
    said = virsh(person, "dominfo", saved)
    assert ("CPU(s):         2" in said, "163840 KiB" in said) == (True, True)


def test_start_says_that_a_saved_machine_resumes_and_with_what(person: Person, saved: str) -> None:
    changed = virsh(person, "dumpxml", "--inactive", saved).replace(">131072<", ">196608<")
    (person.home / "changed.xml").write_text(changed)
    virsh(person, "define", str(person.home / "changed.xml"))
    assert f"machine {saved} was saved with memory 128M; its definition says 192M" in findings(
        person
    )
    said = person.raptorctl("start", "web").stdout
    assert f"{saved} resumes what was saved of it, with memory 128M, which differs" in said
    details = shown(person)
    assert (details["state"], details["memory"]) == ("running", 192 << 20)
    live = details["live"]
    assert isinstance(live, dict)
    assert live["memory"] == 128 << 20
    assert f"machine {saved} runs with memory 128M; its definition says 192M" in findings(person)


def test_pins_that_only_what_runs_or_was_saved_has_are_told(person: Person, machine: str) -> None:
    virsh(person, "vcpupin", machine, "0", "1", "--live")
    virsh(person, "emulatorpin", machine, "0", "--live")
    for how, form in (("runs", "live"), ("was saved", "saved")):
        kept = shown(person)[form]
        assert isinstance(kept, dict)
        assert (kept["cpus"], kept["emulator"]) == ([1], [0])
        assert shown(person)["cpus"] == []
        said = f"machine {machine} {how} with CPUs 1; its definition says 1 (not pinned)"
        assert said in findings(person)
        if form == "live":
            virsh(person, "managedsave", machine)


@pytest.mark.usefixtures("saved")
def test_provision_of_a_saved_machine_resumes_it(person: Person) -> None:
    person.raptorctl("provision", "web", "--memory", "128M", "--cpus", "1", "-y")
    assert (shown(person)["state"], shown(person)["saved"]) == ("running", None)


def test_provision_and_start_have_a_paused_machine_go_on(person: Person, machine: str) -> None:
    for again in (("provision", "web", "-y"), ("start", "web")):
        virsh(person, "suspend", machine)
        assert shown(person)["state"] == "paused"
        person.raptorctl(*again)
        assert shown(person)["state"] == "running"


def test_provision_of_a_machine_that_is_off_starts_it(person: Person, machine: str) -> None:
    virsh(person, "destroy", machine)
    person.raptorctl("provision", "web", "-y")
    assert shown(person)["state"] == "running"


def test_what_a_broken_save_holds_is_told_as_unknown(person: Person, saved: str) -> None:
    (file,) = person.home.glob("conf/libvirt/qemu/save/*.save")
    file.write_bytes(b"cut")
    assert f"machine {saved} is saved, and libvirt cannot read what was saved" in findings(person)
    assert shown(person)["state"] == "saved"


def test_a_saved_machine_goes_wholly(person: Person, saved: str) -> None:
    person.raptorctl("deprovision", "web", "-y")
    assert list(person.home.glob("conf/libvirt/qemu/save/*")) == []
    person.raptorctl("provision", "web", "--memory", "128M", "--cpus", "1", "-y")  # for its end
