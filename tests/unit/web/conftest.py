from collections.abc import Iterator
from pathlib import Path

import pytest

from raptorctl.api import change, machine
from raptorctl.api.caller import Caller
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import World
from tests.unit.api.session import InMemory
from tests.web import Browser, Served, served


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World().with_tenants("alice", "bob")
    session = InMemory(caller=Caller("carol", root=True))
    session.put(made, tmp_path)
    for name, cpu in ((MachineName("alice", "dev"), "2"), (MachineName("bob", "web"), "3")):
        spec = MachineSpec(Size.parse("1G"), CpuSet.parse(f"{cpu}-{cpu}"))
        change.carry_out(session, machine.provision(ProvisionRequest(name, spec)))
    return made


@pytest.fixture
def server(world: World, tmp_path: Path) -> Iterator[Served]:
    with served(world, tmp_path) as running:
        yield running


@pytest.fixture
def browser(server: Served) -> Browser:
    return server.browser()
