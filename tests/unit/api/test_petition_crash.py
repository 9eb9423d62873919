"""Root's service and an admin's yes, killed at every call: all or nothing, and never twice."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import approval
from raptorctl.api.approval import Approval
from raptorctl.api.caller import Caller
from raptorctl.api.change import carry_out
from raptorctl.engine.recover import recover
from raptorctl.engine.report import Silent
from raptorctl.engine.stop import Stop
from raptorctl.errors import RefusedError
from raptorctl.model.petition import KeptPetition, PetitionState
from tests.fakes import Killed, Tripwire, World
from tests.unit.api.petitions import BIG, DEV, Service
from tests.unit.api.session import InMemory

pytestmark = pytest.mark.long


def services(folder: Path) -> Iterator[tuple[int, Service]]:
    """The same host anew, for a kill at each call."""
    for number in count(1):
        place = folder / str(number)
        place.mkdir()
        yield number, Service(World().with_tenants("alice", "bob"), place)


def recovered(service: Service) -> int:
    """Do what `recover` does; returns how many machines stand, whole."""
    session = service.admin
    recover(session.host, session.journals, Silent(), Stop())
    assert session.journals.unfinished() == ()
    domains, volumes = service.world.domains.list(), service.world.volumes.list()
    assert len(domains) == len(volumes) == len(service.world.domains.states())
    return len(domains)


def wired(service: Service, number: int) -> None:
    """Have the service's next session die at a call."""
    original = service.session

    def session(caller: Caller) -> InMemory:
        made = original(caller)
        made.wire = Tripwire(at=number)
        service.session = original  # type: ignore[method-assign]
        return made

    service.session = session  # type: ignore[method-assign]


def test_a_request_that_is_killed_anywhere_is_all_or_nothing(tmp_path: Path) -> None:
    for number, service in services(tmp_path):
        wired(service, number)
        try:
            said: dict[str, Any] | None = service.ask(DEV)
        except Killed:
            said = None
        stands = recovered(service)
        done = [one for one in service.admin.petitions.all() if one.state is PetitionState.DONE]
        assert len(done) <= stands <= 1
        if said:
            assert (stands, "done" in said) == (1, True)
            assert number > 20  # so many calls there were to die at
            return
        service.ask(DEV)  # the tenant asks again
        assert len(service.world.domains.list()) == 1


def approve(session: InMemory, one: KeptPetition) -> None:
    change = approval.approved(session, one)
    with approval.approving(session, one) as yes:
        yes.finish(carry_out(session, change, confirm=lambda _plan: yes.claim()))


def test_a_yes_that_is_killed_anywhere_is_never_carried_out_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is killed gives nothing back.
    monkeypatch.setattr(Approval, "give_back", lambda _self: None)
    for number, service in services(tmp_path):
        one = service.admin.petitions.find(service.ask(BIG)["waiting"]["id"])
        session = service.admin
        session.wire = Tripwire(at=number)
        ended = True
        try:
            approve(session, one)
        except Killed:
            ended = False
        stands, now = recovered(service), service.admin.petitions.find(one.id)
        if now.state is PetitionState.WAITING:
            assert stands == 0
        else:
            with pytest.raises(RefusedError):
                approval.waiting(service.admin, one.id)
        if ended:
            assert (stands, now.state) == (1, PetitionState.DONE)
            assert number > 20
            return
