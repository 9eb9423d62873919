"""A machine's life on the real host: it comes, it is what was asked, it goes and leaves nothing.

Everything is looked at by other means than raptorctl: lvs, virsh, dig, raw bytes.
"""

import json

import pytest

from tests.lab.host import Lab

PROVISION = ("raptorctl", "provision", "alice", "dev", "--size", "1G", "--cpus", "4-7")
SMALL = ("raptorctl", "provision", "alice", "dev", "--size", "128M", "--cpus", "4-7")
ADDRESSES = {"A": "198.51.100.1", "AAAA": "2001:db8:0:1::1"}


def dig(lab: Lab, *words: str) -> list[str]:
    answer = lab.run("dig", "+short", "+tcp", "@127.0.0.1", *words).stdout
    return sorted(line.strip('"') for line in answer.splitlines())


def volumes(lab: Lab) -> dict[str, str]:
    report = lab.run("lvs", "--reportformat", "json", "-o", "lv_name,lv_tags", "lvm-data").stdout
    return {lv["lv_name"]: lv["lv_tags"] for lv in json.loads(report)["report"][0]["lv"]}


def domains(lab: Lab) -> list[str]:
    return lab.run("virsh", "list", "--all", "--name").stdout.split()


def nvram(lab: Lab) -> list[str]:
    return lab.run("ls", "/var/lib/libvirt/qemu/nvram").stdout.split()


LEFT = f"""
virsh list --all --name
lvs --noheadings -o lv_name,lv_tags lvm-data
find /var/lib/libvirt/qemu/nvram /var/lib/libvirt/raptorctl -type f
find /var/lib/raptorctl/journal -maxdepth 1 -name '*.jsonl'
dig +short +tcp @127.0.0.1 {" ".join(f"alice-dev.raptor.example {kind}" for kind in ("A", "AAAA", "TXT"))}
dig +short +tcp @127.0.0.1 {" ".join(f"-x {address}" for address in ADDRESSES.values())}
"""
"""Names whatever there is of machines, in one login: it is asked after each removal."""


def nothing_is_left(lab: Lab) -> None:
    assert lab.sh(LEFT).stdout.split() == []


@pytest.fixture(scope="module")
def machine(quiet: Lab) -> Lab:
    """A host with alice's machine, made once for the tests that only look."""
    nothing_is_left(quiet)
    done = quiet.run(*PROVISION)
    assert "virsh console alice-dev" in done.stdout
    # Lest `nothing_is_left` be content because it sees nothing.
    seen = quiet.sh(LEFT).stdout.split()
    assert {"alice-dev", "guest-alice-dev", *ADDRESSES.values(), "alice-dev.raptor.example."} <= {
        *seen
    }
    assert [path for path in seen if path.endswith("alice-dev_VARS.fd")]
    return quiet


def test_the_volume_is_there_marked_and_clean(machine: Lab) -> None:
    tags = volumes(machine)["guest-alice-dev"].split(",")
    assert {"raptor", "raptor.tenant=alice", "raptor.slot=1", "raptor.clean"} <= set(tags)
    assert "raptor.dirty" not in tags
    size = machine.run("lvs", "--noheadings", "--units", "b", "-o", "lv_size", "lvm-data").stdout
    assert size.strip() == f"{1 << 30}B"


def test_the_domain_is_pinned_in_order_and_validates(machine: Lab) -> None:
    pins = machine.run("virsh", "vcpupin", "alice-dev").stdout.split("\n")[2:6]
    assert [line.split() for line in pins] == [["0", "4"], ["1", "5"], ["2", "6"], ["3", "7"]]
    assert machine.run("virsh", "emulatorpin", "alice-dev").stdout.split()[-1] == "6-7"
    machine.sh(
        "virsh dumpxml --inactive alice-dev >/tmp/d.xml && virt-xml-validate /tmp/d.xml domain"
    )
    xml = machine.run("virsh", "dumpxml", "--inactive", "alice-dev").stdout
    for part in ("type='raw' cache='none' io='native'", "52:54:00:00:00:01", "bridge='br-vm1'",
                 "/var/lib/libvirt/qemu/nvram/alice-dev_VARS.fd", "model='virtio'>"):  # fmt: skip
        assert part in xml
    assert "<graphics" not in xml
    assert "<video" not in xml


def test_it_runs_and_starts_with_the_host(machine: Lab) -> None:
    assert machine.run("virsh", "domstate", "alice-dev").stdout.strip() == "running"
    assert "alice-dev" in machine.run("virsh", "list", "--autostart", "--all", "--name").stdout


def test_the_world_finds_it_by_name_and_by_address(machine: Lab) -> None:
    for kind, address in ADDRESSES.items():
        assert dig(machine, "alice-dev.raptor.example", kind) == [address]
        assert dig(machine, "-x", address) == ["alice-dev.raptor.example."]
    (owner,) = dig(machine, "alice-dev.raptor.example", "TXT")
    assert owner.startswith("heritage=raptorctl tenant=alice machine=dev job=")


def test_list_and_show_tell_the_truth(machine: Lab) -> None:
    (listed,) = json.loads(machine.run("raptorctl", "list", "-o", "json").stdout)["machines"]
    assert (listed["tenant"], listed["machine"], listed["slot"]) == ("alice", "dev", 1)
    assert listed["state"] == "running"
    assert listed["size"] == 1 << 30
    assert "alice" in machine.run("raptorctl", "list").stdout
    text = machine.run("raptorctl", "show", "alice", "dev").stdout
    for part in ("4-7", "6,7", "198.51.100.1", "2001:db8:0:1::1", "guest-alice-dev"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_same_again_is_already_so(machine: Lab) -> None:
    before = (volumes(machine), machine.run("virsh", "domuuid", "alice-dev").stdout)
    assert "already so" in machine.run(*PROVISION).stdout
    assert before == (volumes(machine), machine.run("virsh", "domuuid", "alice-dev").stdout)


def test_the_same_name_with_other_wishes_is_refused(machine: Lab) -> None:
    done = machine.run(*PROVISION[:-1], "2-3", check=False)
    assert done.returncode == 3
    assert "CPUs 4-7, not 2,3" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("bob", "web", "--size", "1G", "--cpus", "64-64"), 3, "0-7"),
        (("bob", "web", "--size", "900T", "--cpus", "2-2"), 3, "free"),
        (("bob", "web", "--size", "1G", "--cpus", "2-2", "--memory", "1T"), 3, "the host has"),
    ],
)
def test_what_this_host_does_not_have_gets_one_line_and_touches_nothing(
    machine: Lab, words: tuple[str, ...], code: int, says: str
) -> None:
    """What is refused whatever the host has is in tests/unit/cli/test_bad_input.py."""
    before = (volumes(machine), domains(machine))
    done = machine.run("raptorctl", "provision", *words, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert before == (volumes(machine), domains(machine))


def test_removal_without_a_terminal_needs_a_yes(machine: Lab) -> None:
    done = machine.run("raptorctl", "deprovision", "alice", "dev", check=False)
    assert done.returncode == 2
    assert "-y" in done.stderr
    assert domains(machine) == ["alice-dev"]


def test_a_removed_machine_leaves_nothing_not_even_its_bytes(pristine: Lab) -> None:
    lab = pristine
    lab.run(*SMALL, "--no-start")
    disk = "/dev/lvm-data/guest-alice-dev"
    lab.sh(f"dd of={disk} bs=1M count=128 iflag=fullblock oflag=direct status=none < <(yes secret)")
    extents = lab.run("lvs", "--noheadings", "-o", "seg_pe_ranges", "lvm-data").stdout
    lab.run("raptorctl", "deprovision", "alice", "dev", "-y")
    nothing_is_left(lab)
    # The same extents, handed out anew without LVM's own zeroing of the first 4 KiB.
    lab.run("lvcreate", "-y", "-Zn", "-Wn", "-L", "128M", "-n", "next", "lvm-data")
    again = lab.run("lvs", "--noheadings", "-o", "seg_pe_ranges", "lvm-data").stdout
    assert again == extents
    lab.run("cmp", "-n", str(128 << 20), "/dev/lvm-data/next", "/dev/zero")
    audit = lab.run("tail", "-n", "1", "/var/log/raptorctl/audit.jsonl").stdout
    (receipt,) = json.loads(audit)["wiped"]
    assert (receipt["size"], receipt["verified"], receipt["coverage"]) == (
        128 << 20,
        128 << 20,
        "full",
    )


def test_removing_it_again_is_already_so(lab: Lab) -> None:
    done = lab.run("raptorctl", "deprovision", "alice", "dev", "-y")
    assert "no machine alice-dev" in done.stdout
