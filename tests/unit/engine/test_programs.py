"""How many programs a job starts: each is a few hundredths of a second that somebody waits.

Counted at the one door, `raptorctl.host.system.command`, with our driver of LVM at work on an LVM in
memory. Where a program more is right, write it in here.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from raptorctl.drivers.host import Host
from raptorctl.engine.apply import apply
from raptorctl.engine.journals import Journals
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.host.survey.survey import Scope, survey
from raptorctl.host.system import command, cpu
from raptorctl.host.volume import device, udev
from raptorctl.host.volume.lvm_life import LivingGroup
from raptorctl.model.facts import HostFacts
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.plans.machine.deprovision import plan_deprovision
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.plans.plan import Plan
from tests.fakes import IMAGE, World, but, settings, topology
from tests.unit.host.volume.test_lvm import Lvm, selected
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

GROUP = {"vg_name": "lvm-data", "vg_size": str(200 * GIB), "vg_free": str(100 * GIB),
         "vg_extent_size": str(4 * MIB), "vg_missing_pv_count": "0",
         "max_lv": "0", "lv_count": "1"}  # fmt: skip
OTHER = {
    **GROUP, "lv_uuid": "KmPlTn-jZ1C-8Ych-Y0Lp-iEtb-5nBW-000000", "lv_name": "backup",
    "lv_size": "4194304", "lv_tags": "", "lv_kernel_major": "253", "lv_kernel_minor": "0",
    "lv_device_open": "", "lv_layout": "linear", "origin": "", "snap_percent": "",
    "lv_snapshot_invalid": "",
}  # fmt: skip


class Door(Lvm):
    """The door, and LVM behind it: notes every program, and does what it is told."""

    def __init__(self) -> None:
        super().__init__([dict(OTHER)])
        self.programs: list[tuple[str, ...]] = []

    def started(self, argv: tuple[str, ...], **_: object) -> object:
        self.programs.append(argv)
        said = getattr(self, argv[0])(argv)
        return SimpleNamespace(stdout=json.dumps(said).encode(), wait=lambda: None)

    def vgs(self, _: tuple[str, ...]) -> object:
        return {"report": [{"vg": [GROUP]}]}

    def lvs(self, _: tuple[str, ...]) -> object:
        return {"report": [{"lv": self.rows}]}

    def lvcreate(self, argv: tuple[str, ...]) -> None:
        number = str(len(self.rows))
        self.rows.append({
            **OTHER, "lv_name": _after(argv, "--name")[0], "lv_tags": ",".join(_after(argv, "--addtag")),
            "lv_size": _after(argv, "--size")[0].removesuffix("b"), "lv_kernel_minor": number,
            "lv_uuid": OTHER["lv_uuid"].replace("000000", number.zfill(6)),
        })  # fmt: skip

    def lvchange(self, argv: tuple[str, ...]) -> None:
        for row in self._selected(argv):
            kept = [tag for tag in row["lv_tags"].split(",") if tag not in _after(argv, "--deltag")]
            row["lv_tags"] = ",".join(dict.fromkeys([*kept, *_after(argv, "--addtag")]))

    def lvrename(self, argv: tuple[str, ...]) -> None:
        next(row for row in self.rows if row["lv_name"] == argv[-2])["lv_name"] = argv[-1]

    def lvremove(self, argv: tuple[str, ...]) -> None:
        for row in self._selected(argv):
            self.rows.remove(row)

    def _selected(self, argv: tuple[str, ...]) -> list[dict[str, Any]]:
        return [row for row in self.rows if selected(row, argv)]


def _after(argv: tuple[str, ...], option: str) -> list[str]:
    return [value for word, value in pairwise(argv) if word == option]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(command, "_started", door.started)
    monkeypatch.setattr(device, "mapping", door.mapping)
    # As where a machine ran since boot: systemd is asked of machine.slice only before that.
    monkeypatch.setattr(cpu, "CGROUPS", Path("/proc/none"))
    for name in ("wait_for_node", "wait_until_gone", "settle"):
        monkeypatch.setattr(udev, name, lambda *_: None)
    return door


Starts = Callable[..., None]


@pytest.fixture
def starts(door: Door, tmp_path: Path) -> Starts:
    """Carry a job out as its command does, survey and all; assert which programs it started."""
    world = World().with_tenants("alice")
    world.images.all = (IMAGE,)

    def run(planned: Callable[[HostFacts], Plan], *wanted: str) -> None:
        door.programs.clear()
        host: Host = replace(world.host(), volumes=LivingGroup("lvm-data"))
        facts = survey(
            host, settings(), Scope(tuple((r.name, r.type) for r in world.zones.records))
        )
        here = replace(facts, topology=topology(), memory=Size(16 * GIB), templates=TEMPLATES)
        journals = Journals(tmp_path / "journal", tmp_path / "audit.jsonl")
        apply(planned(here), host, journals, Silent(), Stop())
        started = "\n".join(map(" ".join, door.programs))
        assert [argv[0] for argv in door.programs] == list(wanted), f"it started\n{started}"

    return run


def provision(facts: HostFacts) -> Plan:
    return plan_provision(ALICE, settings(), facts, JOB)


def from_an_image(facts: HostFacts) -> Plan:
    return plan_provision(but(ALICE, image=IMAGE.name), settings(), facts, JOB)


def deprovision(facts: HostFacts) -> Plan:
    return plan_deprovision(ALICE.name, settings(), facts, replace(JOB, job="j2"))


MADE = ["lvs", *("lvcreate", "lvs"), *("lvchange", "lvs")]
"""The survey; made dirty, and looked at; wiped and tagged clean, and looked at."""


def test_a_provision_starts_seven_programs_five_of_them_looks(starts: Starts, door: Door) -> None:
    starts(provision, *MADE, "lvs", "lvs")  # before it is defined, and started
    assert door.rows[1]["lv_name"] == "guest-alice-dev"
    assert "raptor.clean" in door.rows[1]["lv_tags"]


def test_an_image_takes_a_look_a_tag_and_a_look_more(starts: Starts) -> None:
    # qemu-img is not counted: the one who writes images is not the real one here.
    starts(from_an_image, *MADE, "lvs", "lvchange", "lvs", "lvs", "lvs")


def test_a_deprovision_starts_eight_programs_four_of_them_looks(starts: Starts, door: Door) -> None:
    starts(provision, *MADE, "lvs", "lvs")
    starts(
        deprovision,
        "lvs",  # the survey
        *("lvrename", "lvchange", "lvs"),  # retired, and looked at
        *("lvchange", "lvs"),  # wiped, and looked at
        *("lvremove", "lvs"),  # gone, and looked at
    )
    assert door.rows == [OTHER]


def test_the_first_machine_of_a_group_costs_one_question_more(starts: Starts, door: Door) -> None:
    door.rows.clear()
    starts(provision, "lvs", "vgs", *MADE[1:], "lvs", "lvs")
