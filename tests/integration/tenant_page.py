"""A whole page for tenants of a host in memory: the front end, and the agents of alice and bob."""

import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from raptorctl.api import change, machine
from raptorctl.api import web as pages
from raptorctl.api.caller import Caller
from raptorctl.api.web import About
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.tenant import Quota
from raptorctl.model.web import Web
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import World
from tests.integration.front_end import ACCOUNT, front_end, listening
from tests.unit.api.session import InMemory
from tests.web import Browser
from tests.web_agent import Running, running, tenant_session

MACHINES: Final = {MachineName("alice", "dev"): "2-2", MachineName("bob", "web"): "3-3"}
"""With the CPUs that they have."""
NOTHING: Final = About(Quota())


@dataclass
class Page:
    """A whole page: front end, and the agents of alice and bob."""

    world: World
    port: int
    agents: Mapping[str, Running]
    front: ExitStack
    begin: Callable[[], AbstractContextManager[object]]

    @contextmanager
    def away(self) -> Iterator[None]:
        """End the front end, and with it all connections, for a while."""
        self.front.close()
        yield
        self.front.enter_context(self.begin())

    def browser(self, who: str) -> Browser:
        made = Browser(self.port)
        assert made.enter(self.agents[who].link(who)).status == 200
        return made


@contextmanager
def tenant_page(
    folder: Path, machines: Mapping[MachineName, str] = MACHINES, about: About = NOTHING
) -> Iterator[Page]:
    """Run one.

    Args:
        folder: where sockets are.
        machines: there are, with their CPUs.
        about: what each tenant is told of themselves.
    """
    world = World().with_tenants("alice", "bob")
    admin = InMemory(caller=Caller("carol", root=True))
    admin.put(world, folder)
    for which, cpus in machines.items():
        spec = MachineSpec(Size.parse("1G"), CpuSet.parse(cpus))
        change.carry_out(admin, machine.provision(ProvisionRequest(which, spec)))
    with pytest.MonkeyPatch.context() as patched, listening() as port, ExitStack() as stack:
        patched.setattr(pages, "myself", lambda: about)
        number = port.getsockname()[1]
        web = Web(f"http://127.0.0.1:{number}", number)
        owner = pwd.getpwnam(ACCOUNT).pw_uid
        agents = {}
        for name in ("alice", "bob"):
            session = tenant_session(world, folder, name, web)
            agents[name] = stack.enter_context(running(session, folder, owner=owner))

        def begin() -> AbstractContextManager[object]:
            return front_end(web, port, folder / "agents")

        front = stack.enter_context(ExitStack())
        front.enter_context(begin())
        yield Page(world, number, agents, front, begin)
