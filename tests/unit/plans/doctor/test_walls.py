"""Doctor on machines and sessions: each wall that is missing is told, with how to build it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.host.access.walls import on_link, reads
from raptorctl.model.part import Part
from raptorctl.model.policy import RequestPolicy
from raptorctl.model.probe import Probe, Trouble, Verdict, Walls
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.volume import Volume
from raptorctl.plans.doctor.walls import walls
from tests.fakes import settings


def findings(seen: Walls | None, **fields: Any) -> list[tuple[Verdict, str]]:
    probe = Probe("/etc/raptorctl/settings.toml", walls=seen, **fields)
    return [(found.verdict, found.what) for found in walls(probe, settings())]


def test_all_walls_are_one_line() -> None:
    ((verdict, _),) = findings(Walls())
    assert verdict is Verdict.OK


MISSING: dict[str, tuple[Walls, Verdict, str]] = {
    "disks that udev reads": (
        Walls(read_disks=tuple(f"guest-alice-{n}" for n in "abcde")), Verdict.FAIL, "and 2 more"),
    "a prefix on the link": (Walls(on_link=("br-vm1",)), Verdict.WARN, "br-vm1"),
    "an account without a bound": (Walls(session=False), Verdict.WARN, "one account's"),
    "accounts without a bound": (Walls(sessions=False), Verdict.WARN, "all accounts'"),
    "managers for all": (Walls(shell_only=False), Verdict.WARN, "without a shell"),
    "lingering": (Walls(lingers=True), Verdict.WARN, "outlive"),
    "one place on the root": (Walls(on_root=("/home",)), Verdict.WARN, "/home is on it"),
    "two": (Walls(on_root=("/home", "/var/tmp")), Verdict.WARN, "/home and /var/tmp are on it"),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "verdict", "words"), MISSING.values(), ids=MISSING)
def test_each_missing_wall_is_told(seen: Walls, verdict: Verdict, words: str) -> None:
    ((found, what),) = findings(seen)
    assert (found, words in what) == (verdict, True), what


def test_who_listens_to_requests_has_a_policy_and_the_other_way_round() -> None:
    policy = replace(settings(), requests=RequestPolicy(verbs=("provision",)))
    probe = Probe("/etc/raptorctl/settings.toml", walls=Walls(requests=True))
    (deaf,) = walls(replace(probe, walls=Walls()), policy)
    (idle,) = walls(probe, settings())
    assert (deaf.verdict, "nothing listens" in deaf.what) == (Verdict.WARN, True)
    assert (idle.verdict, "ask nothing" in idle.what) == (Verdict.WARN, True)
    assert [found.verdict for found in walls(probe, policy)] == [Verdict.OK]


def test_what_could_not_be_looked_at_is_trouble_and_no_ok() -> None:
    told = findings(None, troubles={Part.WALLS: Trouble("systemd does not answer")})
    assert told == [(Verdict.FAIL, "systemd does not answer")]
    assert findings(None) == []


VOLUME = Volume("u", "guest-alice-dev", "vg", Size(GIB), major=253, minor=4)


@pytest.mark.parametrize(
    ("record", "read"),
    [
        ("S:disk/by-id/x\nE:DM_UDEV_DISABLE_OTHER_RULES_FLAG=1\n", False),
        ("E:DM_UDEV_DISABLE_OTHER_RULES_FLAG=\nE:ID_FS_LABEL=root\n", True),
        (None, False),
    ],
)
def test_udevs_own_record_says_whether_it_reads_a_disk(
    tmp_path: Path, record: str | None, read: bool
) -> None:
    if record is not None:
        (tmp_path / "b253:4").write_text(record)
    assert reads(VOLUME, tmp_path) is read


# As Linux 6.12 prints them: destination, its bits, source, its bits, next hop, ..., interface.
TAIL = f"{'0' * 32} 00 {'0' * 32} 00000100 00000001 00000000 00000001"
ROUTES = "".join(
    f"{address} {bits} {TAIL} {'':>5}{interface}\n"
    for address, bits, interface in (
        ("20010db8000000010000000000000000", "40", "br-vm1"),
        ("20010db8000000020000000000000001", "80", "br-vm2"),
        ("fe800000000000000000000000000000", "40", "br-vm2"),
        ("ff000000000000000000000000000000", "08", "br-vm2"),
        ("20010db8000000090000000000000000", "40", "eth0"),
    )
)


def test_a_prefix_on_a_slots_link_is_found_and_a_single_address_is_none() -> None:
    assert list(on_link(ROUTES, frozenset({"br-vm1", "br-vm2"}))) == ["br-vm1"]
