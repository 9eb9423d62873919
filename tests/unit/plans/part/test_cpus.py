"""Which host CPUs a machine gets: whole cores of one node first; and who may have the same."""

from dataclasses import replace
from typing import Any

import pytest

from raptorctl.errors import RefusedError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain
from raptorctl.model.facts import HostFacts
from raptorctl.model.topology import Cpu, Topology
from raptorctl.plans.machine.provision import plan_provision, render_xml
from raptorctl.plans.machine.resize import ResizeRequest, plan_resize
from raptorctl.plans.part import cpus
from raptorctl.render.read_domain import read_domain
from tests.fakes import World, but, settings
from tests.session_host import SessionWorld
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES, facts


def numbered(*threads: tuple[int, int], node: int = 0) -> Topology:
    """Cores of two threads each, numbered as firmware likes."""
    cpus = (
        Cpu(number, 0, core, node) for core, pair in enumerate(threads) for number in sorted(pair)
    )
    return Topology(tuple(cpus), cores=tuple(CpuSet(pair) for pair in threads))


APART = numbered((0, 4), (1, 5), (2, 6), (3, 7))
"""As most machines have them: the second threads after all the first."""


def taken(*numbers: int) -> Domain:
    return Domain("u", "bob-web", pins=CpuSet(numbers))


def chosen(count: int, topology: Topology, *numbers: int) -> str:
    there = replace(HostFacts(topology=topology), domains=(taken(*numbers),) if numbers else ())
    free = replace(settings(), cpus=type(settings().cpus)())
    return str(cpus.chosen(count, free, there))


@pytest.mark.parametrize(
    ("count", "numbers", "set_"),
    [
        (2, (), "0,4"),
        (4, (), "0,4,1,5"),
        (3, (), "0,4,1"),
        (2, (0,), "1,5"),  # 4 is free, and shares its core
        (3, (0, 1, 2), "3,7,4"),
        (2, (0, 1, 2, 3), "4,5"),
        (8, (), "0,4,1,5,2,6,3,7"),
    ],
)
def test_whole_cores_come_first_with_their_siblings_together(
    count: int, numbers: tuple[int, ...], set_: str
) -> None:
    assert chosen(count, APART, *numbers) == set_


def test_a_node_with_enough_whole_cores_is_better_than_a_scarcer_one_without() -> None:
    low, high = numbered((0, 1), (2, 3)), numbered((4, 5), (6, 7), (8, 9), node=1)
    both = Topology((*low.cpus, *high.cpus), cores=(*low.cores, *high.cores))
    assert chosen(2, both) == "0,1"
    assert chosen(2, both, 0, 2) == "4,5"
    assert chosen(4, both, 0) == "4-7"
    assert chosen(8, both) == "0-7"


def test_a_refused_set_is_answered_with_a_free_one() -> None:
    there = replace(facts(), domains=(taken(4, 5),))
    with pytest.raises(RefusedError) as caught:
        cpus.refuse(CpuSet((4, 3)), settings(), there)
    assert str(caught.value) == (
        "CPU 4 belongs to machine bob-web: free: 2,3,6,7, for example --cpus 2,3"
    )
    with pytest.raises(RefusedError, match=r"free: 2,3,6,7, for example --cpus 2-2$"):
        cpus.refuse(CpuSet((4,)), settings(), there)
    with pytest.raises(RefusedError, match=r"free: 2,3,6,7$"):
        cpus.refuse(CpuSet((2, 3, 4, 5, 6)), settings(), there)


def test_one_that_shares_takes_what_another_has_and_says_so_in_its_mark() -> None:
    there = replace(facts(), domains=(taken(4, 5),))
    with pytest.raises(RefusedError, match="belongs to machine bob-web"):
        plan_provision(ALICE, settings(), there, JOB)
    sharing = but(ALICE, share=True)
    assert plan_provision(sharing, settings(), there, JOB).steps
    mark = read_domain(render_xml(sharing, settings(), there, JOB)).mark
    assert mark
    assert mark.shares == "cpus"
    kept = replace(there, topology=replace(there.topology, allowed=CpuSet((2, 3))))
    with pytest.raises(RefusedError, match="may not use CPU 4-7"):
        plan_provision(sharing, settings(), kept, JOB)


@pytest.mark.parametrize(
    ("asked", "says"),
    [((0, 1), ""), ((0, 2), ""), ((4,), ""), ((3,), "CPU 3 belongs to machine bob-web"),
     ((99,), "CPU 99 is absent")],
)  # fmt: skip
def test_the_emulator_may_be_on_the_hosts_own_cpus_with_others_and_not_on_anothers(
    asked: tuple[int, ...], says: str
) -> None:
    other = Domain("u", "bob-web", pins=CpuSet((3,)), emulator=CpuSet((0, 1)))
    there = replace(facts(), domains=(other,))
    wanted = but(ALICE, emulator_cpus=CpuSet(asked))
    if says:
        with pytest.raises(RefusedError, match=says):
            plan_provision(wanted, settings(), there, JOB)
    else:
        assert plan_provision(wanted, settings(), there, JOB).steps
        domain = read_domain(render_xml(wanted, settings(), there, JOB))
        assert domain.emulator == CpuSet(asked)


def standing(**wanted: Any) -> World:
    world = World().with_tenants("alice")
    request = but(ALICE, **wanted)
    for step in plan_provision(request, settings(), world.facts(TEMPLATES), JOB).steps:
        step.apply(world.host(), lambda *_: None)
    return world


def resized(world: World, **asked: Any) -> Domain:
    request = ResizeRequest(ALICE.name, **asked)
    plan = plan_resize(request, settings(), world.facts(TEMPLATES), JOB)
    (xml,) = (step.encode()["xml"] for step in plan.steps if step.kind == "domain.redefine")
    return read_domain(xml)


def test_a_number_keeps_the_cpus_that_a_machine_has_as_far_as_they_go() -> None:
    world = standing()
    assert resized(world, vcpus=2).pins == CpuSet((4, 5))
    assert resized(world, vcpus=6).pins == CpuSet((4, 5, 6, 7, 2, 3))
    with pytest.raises(RefusedError, match="3 CPUs asked; free: 2,3"):
        resized(world, vcpus=7)


def test_an_emulator_that_was_put_somewhere_stays_there() -> None:
    assert resized(standing(), vcpus=2).emulator == CpuSet((4, 5))
    put = standing(emulator_cpus=CpuSet((0, 1)))
    assert resized(put, vcpus=2).emulator == CpuSet((0, 1))


@pytest.mark.parametrize(
    ("said", "option"),
    [({"emulator_cpus": CpuSet((0,))}, "emulator-cpus"), ({"share": True}, "share")],
)
def test_a_session_host_pins_nothing(tmp_path: Any, said: dict[str, Any], option: str) -> None:
    world = SessionWorld(tmp_path)
    wanted = but(ALICE, cpus=1, **said)
    with pytest.raises(RefusedError, match=f"leave out --{option}$"):
        plan_provision(wanted, world.settings, world.facts(), JOB)
