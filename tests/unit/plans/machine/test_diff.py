"""A machine that stands beside what is asked for: every key, and when it can become so."""

from dataclasses import fields, replace
from typing import Any

import pytest

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.made import Made, made_text, read_made
from raptorctl.model.seed import Network
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import UNSAID, BootDevice, Graphics, MachineSpec
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.machine import existing
from raptorctl.plans.machine.diff import COMPARISONS, compare
from raptorctl.plans.machine.difference import Difference, Standing, When
from tests.fakes import ISO
from tests.unit.plans.machine.test_provision import ALICE, facts, whole_machine

KEY = PublicKey("ssh-ed25519", "AAAA", "me@laptop")
TOLD = MachineSpec(
    network=Network.DHCP, seed=True, account="alice", hostname="alice-dev",
    packages=("nginx",), hosts={}, sysctl={}, swap=Size(0),
)  # fmt: skip
MADE = made_text(Made(TOLD, "", (KEY.fingerprint,)))


def differences(
    wanted: MachineSpec, made: str = MADE, **changes: object
) -> dict[str, tuple[str, When]]:
    whole = whole_machine()
    (domain,) = whole["domains"]
    domain = replace(domain, mark=replace(domain.mark, made=made), **changes)
    seen = replace(facts(), **whole | {"domains": (domain,)})
    there = existing.whole(ALICE.name, seen)
    found = compare(Standing(wanted, there, seen))
    return {one.key: (one.told, one.when) for one in found}


def test_every_key_of_a_machine_has_a_comparison_and_nothing_else_has() -> None:
    assert list(COMPARISONS) == [one.name for one in fields(MachineSpec)]


def test_what_was_not_said_is_not_compared_and_what_is_so_is_the_same() -> None:
    assert differences(UNSAID) == {}
    same = replace(TOLD, seed=None, emulator_cpus=CpuSet((7, 6)), share=False, vendor_data="", network_config="", meta_data="", tpm=False, secure_boot=False, boot=(BootDevice.DISK,), size=Size(40 * GIB), cpus=CpuSet((4, 5, 6, 7)),
                   memory=Size(4 * GIB), slot=1, template="virtio-console", graphics=Graphics.NONE,
                   user_data="", profile=("web-server",))  # fmt: skip
    assert {when for _, when in differences(same).values()} == {When.SAME}


@pytest.mark.parametrize(
    ("wanted", "says", "when"),
    [
        (MachineSpec(size=Size(80 * GIB)), "size 40G, not 80G", When.NOW),
        (MachineSpec(size=Size(20 * GIB)), "size 40G, not 20G", When.REFUSED),
        (MachineSpec(cpus=CpuSet((2, 3, 4, 5))), "CPUs 4-7, not 2-5", When.NOW),
        (MachineSpec(cpus=CpuSet((4, 5))), "CPUs 4-7, not 4,5", When.NEXT_START),
        (MachineSpec(emulator_cpus=CpuSet((0, 1))), "emulator CPUs 6,7, not 0,1", When.REFUSED),
        (MachineSpec(share=True), "share off, not on", When.REFUSED),
        (MachineSpec(cpus=3), "number of CPUs 4, not 3", When.NEXT_START),
        (MachineSpec(memory=Size(GIB)), "memory 4G, not 1G", When.NEXT_START),
        (MachineSpec(slot=3), "slot 1, not 3", When.REFUSED),
        (MachineSpec(iso="rescue.iso"), "ISO none, not rescue.iso", When.NOW),
        (MachineSpec(template="serial-console"), "template virtio-console, not serial-console",
         When.REFUSED),
        (MachineSpec(graphics=Graphics.VNC), "graphics none, not vnc-socket", When.REFUSED),
        (MachineSpec(tpm=True), "tpm off, not on", When.REFUSED),
        (MachineSpec(secure_boot=True), "secure boot off, not on", When.REFUSED),
        (MachineSpec(hugepages=Size(GIB)), "hugepages none, not 1G", When.REFUSED),
        (MachineSpec(boot=(BootDevice.NETWORK, BootDevice.DISK)),
         "boot order disk, not network, disk", When.REFUSED),
        (MachineSpec(network=Network.STATIC), "network dhcp, not static", When.REBUILD),
        (MachineSpec(seed=True), "seed none, not one", When.REBUILD),
        (MachineSpec(user_data="#!/bin/sh\n"), "user-data none, not sha256 a8076d3d28d2",
         When.REBUILD),
        (MachineSpec(vendor_data="#!/bin/sh\n"), "vendor-data none, not sha256 a8076d3d28d2",
         When.REBUILD),
        (MachineSpec(network_config="version: 2\n"), "network-config none, not sha256 16e0d1afd6e9",
         When.REBUILD),
        (MachineSpec(meta_data="rack: 7\n"), "meta-data none, not sha256 a56c09429a98",
         When.REBUILD),
        (MachineSpec(account="web"), "account alice, not web", When.REBUILD),
        (MachineSpec(hostname="ares"), "hostname alice-dev, not ares", When.REBUILD),
        (MachineSpec(packages=("vim",)), "packages nginx, not vim", When.REBUILD),
        (MachineSpec(hosts={"192.0.2.1": ("a", "b")}), "hosts none, not 192.0.2.1=a b",
         When.REBUILD),
        (MachineSpec(sysctl={"vm.x": "1"}), "sysctl none, not vm.x=1", When.REBUILD),
        (MachineSpec(expires="2027-01-31"), "expires never, not 2027-01-31", When.NOW),
        (MachineSpec(expires="90d"), "expires never, not 90d", When.NOW),
        (MachineSpec(swap=Size(GIB)), "swap none, not 1G", When.REBUILD),
    ],
)  # fmt: skip
def test_each_key_that_differs_says_what_is_what_shall_be_and_when(
    wanted: MachineSpec, says: str, when: When
) -> None:
    ((told, found),) = differences(wanted).values()
    assert (told, found) == (says, when)


@pytest.mark.parametrize("key", ["network", "account", "hostname", "packages", "hosts", "sysctl",
                                 "swap", "user_data", "keys"])  # fmt: skip
@pytest.mark.parametrize("mark", ["", "{", '{"spec":{"colour":1}}'])
def test_what_an_older_mark_does_not_tell_is_not_known_and_never_the_same(
    key: str, mark: str
) -> None:
    values = vars(replace(TOLD, user_data="#!/bin/sh\n", keys=(KEY,)))
    wanted = replace(UNSAID, **{key: values[key]})
    assert differences(wanted, mark)[key][1] is When.UNKNOWN
    assert read_made(mark) is None


def test_a_machine_that_was_told_nothing_differs_in_all_that_it_should_have_been_told() -> None:
    nothing = made_text(Made(MachineSpec(seed=False)))
    assert differences(MachineSpec(account="alice"), nothing) == {
        "account": ("account never told, not alice", When.REBUILD)
    }


def test_a_seed_that_is_not_wanted_is_detached_and_what_it_would_say_is_no_matter() -> None:
    disks = ("/dev/lvm-data/guest-alice-dev", "/srv/alice-dev-seed.iso")
    wanted = MachineSpec(seed=False, account="web", packages=("vim",), user_data="#!/bin/sh\n")
    found = differences(wanted, disks=disks)
    assert found.pop("seed") == ("seed attached, not none", When.NOW)
    assert {when for _, when in found.values()} == {When.SAME}
    assert differences(MachineSpec(seed=False))["seed"][1] is When.SAME


def test_what_runs_otherwise_than_it_is_defined_is_so_at_its_next_start() -> None:
    form = Domain("u", "alice-dev", State.RUNNING, memory=Size(GIB))
    cases: list[tuple[str, dict[str, Any]]]
    cases = [("it runs", {"live": form}), ("it was saved", {"saved": form})]
    for words, changes in cases:
        told, when = differences(MachineSpec(memory=Size(4 * GIB)), **changes)["memory"]
        assert (told, when) == (f"{words} with memory 1G, not 4G", When.NEXT_START)


def test_what_was_made_is_read_back_as_it_was_written() -> None:
    assert read_made(MADE) == Made(TOLD, "", (KEY.fingerprint,))


def test_a_difference_says_when_and_how() -> None:
    one = Difference("size", "size", "1G", "2G", When.NOW, "raptorctl resize alice-dev --size 2G")
    assert (one.when, one.how) == (When.NOW, "raptorctl resize alice-dev --size 2G")


def test_an_iso_is_told_by_its_digest_and_one_that_is_not_in_the_cache_is_not_known() -> None:
    held: dict[str, Any] = {"cdroms": (f"/srv/alice-dev-cd-{ISO.digest}.iso",)}
    wanted = MachineSpec(iso="rescue.iso")
    assert differences(wanted, **held) == {"iso": ("ISO not known, rescue.iso asked", When.UNKNOWN)}
    whole = whole_machine()
    (domain,) = whole["domains"]
    seen = replace(facts(), **whole | {"domains": (replace(domain, **held),), "images": (ISO,)})
    (one,) = compare(Standing(wanted, existing.whole(ALICE.name, seen), seen))
    assert one.when is When.SAME
