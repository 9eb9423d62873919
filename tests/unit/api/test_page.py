"""docs/api.md: every block runs, in order, and prints what the page says."""

import re
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import change, machine
from raptorctl.api.caller import Caller
from raptorctl.api.session import Session
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.names import MachineName
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.plans.machine.choice import ProvisionRequest
from tests.fakes import World
from tests.unit.api.conftest import ROOT
from tests.unit.api.session import InMemory

PAGE = Path(__file__).parents[3] / "docs/api.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_prints_what_the_page_says(
    session: InMemory, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(caller: Caller | None = None) -> Session:
        found = InMemory(caller=caller or ROOT)
        found.put(world, tmp_path)
        return found

    monkeypatch.setattr("raptorctl.api.session.Session", opened)
    wanted = ProvisionRequest(
        MachineName("bob", "web"), MachineSpec(Size.parse("8G"), CpuSet.parse("2"))
    )
    change.carry_out(session, machine.provision(wanted))
    world.guests.banners = ["SSH-2.0-OpenSSH_10.0p2"]

    names: dict[str, Any] = {"__name__": "page"}
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) > 15
    for (kind, text), (after, printed) in pairwise([*blocks, ("", "")]):
        if kind == "python":
            out, err = StringIO(), StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                exec(compile(text, str(PAGE), "exec", dont_inherit=True), names)  # noqa: S102
            assert out.getvalue() == (printed if after == "text" else "")
            assert err.getvalue() == ""
