"""Lists: the same forms, columns, filters and orders for all of them."""

import csv
import io
import json
from typing import Any

import pytest
import yaml

from raptorctl.cli.app import command
from raptorctl.cli.listing import Listed, ListFormat, View, show_list
from raptorctl.errors import InputError
from tests.fakes import World
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_caller import parameters

THINGS: list[dict[str, Any]] = [
    {"name": "b", "size": 9, "on": True, "in": {"a": None, "b": 'x,"y'}, "keys": ["k1", "k2"]},
    {"name": "a", "size": 10, "on": False, "in": {"a": "z", "b": ""}, "keys": []},
]
VIEW = View[dict[str, Any]]("things", dict, lambda all_: [t["name"] for t in all_], "no things")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(things: list[dict[str, Any]] = THINGS, **wanted: Any) -> str:
        show_list(things, VIEW, Listed(**wanted))
        return capsys.readouterr().out

    return call


def test_each_form_says_all_of_it(said: Any) -> None:
    assert said() == "b\na\n"
    assert json.loads(said(form=ListFormat.JSON)) == {"things": THINGS}
    assert yaml.safe_load(said(form=ListFormat.YAML)) == {"things": THINGS}
    assert said(form=ListFormat.NAME) == "b\na\n"
    head, first, second = csv.reader(io.StringIO(said(form=ListFormat.CSV)))
    assert head == ["name", "size", "on", "in.a", "in.b", "keys"]
    assert first == ["b", "9", "true", "", 'x,"y', "k1,k2"]
    assert second == ["a", "10", "false", "z", "", ""]


def test_columns_are_chosen_in_each_form(said: Any) -> None:
    asked = {"columns": "in.a,size"}
    assert said(**asked) == "IN.A  SIZE\n-        9\nz       10\n"
    assert json.loads(said(**asked, form=ListFormat.JSON))["things"][0] == {"in.a": None, "size": 9}
    assert said(**asked, form=ListFormat.CSV) == "in.a,size\n,9\nz,10\n"


def test_numbers_are_sorted_as_such_and_what_is_not_there_comes_last(said: Any) -> None:
    assert said(sort="size") == "b\na\n"
    assert said(sort="-size") == "a\nb\n"
    assert said(sort="name") == "a\nb\n"
    assert said(sort="in.a") == "a\nb\n"


@pytest.mark.parametrize(
    ("filters", "names"),
    [(["name=a"], "a\n"), (["name!=a"], "b\n"), (["on=true,size=9"], "b\n"),
     (["on=true", "size=10"], "no things\n"), (["in.a="], "b\n"), (["keys=k1,"], None)],
)  # fmt: skip
def test_all_filters_must_hold(said: Any, filters: list[str], names: str | None) -> None:
    if names is None:
        with pytest.raises(InputError, match="'' says no value: write KEY=VALUE"):
            said(filters=filters)
    else:
        assert said(filters=filters) == names


@pytest.mark.parametrize(
    "asked", [{"columns": "name,nope"}, {"filters": ["nope=1"]}, {"sort": "-nope"}]
)
def test_a_key_that_is_none_names_those_that_are(said: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="there is no 'nope' here: there is: name, size, on, "):
        said(**asked)


def test_nothing_is_said_in_each_form_whatever_is_asked(said: Any) -> None:
    assert said([], columns="x", filters=["y=1"], sort="z") == "no things\n"
    assert json.loads(said([], form=ListFormat.JSON)) == {"things": []}
    assert said([], form=ListFormat.NAME) == said([], form=ListFormat.CSV) == ""


def test_every_command_that_lists_takes_all_of_it() -> None:
    taken: dict[str, set[str]] = {}
    for path, one in parameters(command()):
        taken.setdefault(path, set()).update(one.opts)
    lists = {path for path in taken if path.split()[-1:] == ["list"]}
    lists |= {"audit", "tenant shares", "request shares", "web sessions"}
    assert {path for path, words in taken.items() if "--columns" in words} == lists
    assert all({"--filter", "--sort", "--output"} <= taken[path] for path in lists)


def test_machines_of_one_tenant_by_size(raptorctl: CommandLine) -> None:
    for name, size, cpu in (("a", "2G", "2-2"), ("b", "1G", "3-3")):
        words = ("--size", size, "--cpus", cpu, "--memory", "64M", "-y")
        assert raptorctl("provision", "alice", name, *words).code == 0
    assert raptorctl("list", "--filter", "tenant=alice", "--sort", "size", "-o", "name").out == (
        "alice-b\nalice-a\n"
    )
    assert raptorctl("list", "--filter", "state=shut off").out == "there are no machines\n"
    assert raptorctl("list", "--columns", "name,size", "-o", "csv").out == (
        "name,size\nalice-a,2147483648\nalice-b,1073741824\n"
    )
    done = raptorctl("list", "--sort", "colour")
    assert (done.code, "--sort: there is no 'colour' here: there is: tenant" in done.complaint) == (
        2,
        True,
    )


@pytest.mark.parametrize("path", ["slot list", "job list", "audit", "tenant list", "image list",
                                  "template list", "wipe list", "snapshot list", "disk list",
                                  "tenant key list alice"])  # fmt: skip
@pytest.mark.parametrize("form", [one.value for one in ListFormat])
def test_every_list_can_be_said_in_every_form(raptorctl: CommandLine, path: str, form: str) -> None:
    assert raptorctl("provision", "alice", "a", "--size", "1G", "--cpus", "2-2", "-y").code == 0
    assert raptorctl("snapshot", "create", "alice", "a", "s", "-y").code == 0
    assert raptorctl("disk", "add", "alice", "a", "data=1G", "-y").code == 0
    done = raptorctl(*path.split(), "-o", form)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--columns", "name,expires", "-o", "csv"], "name,expires\nalice-a,2098-12-31\nalice-b,\n"),
        (["--filter", "expires=2098-12-31", "-o", "name"], "alice-a\n"),
        (["--filter", "expires!=", "-o", "name"], "alice-a\n"),
        (["--sort=-expires", "-o", "name"], "alice-a\nalice-b\n"),
        (["--sort", "expires", "-o", "name"], "alice-b\nalice-a\n"),
    ],
)  # fmt: skip
def test_a_list_says_when_machines_expire(
    expiring: CommandLine, words: list[str], said: str
) -> None:
    assert expiring("list", *words).out == said


def test_the_day_is_in_what_is_for_programs(expiring: CommandLine) -> None:
    machines = json.loads(expiring("list", "-o", "json").out)["machines"]
    assert [one["expires"] for one in machines] == ["2098-12-31", ""]
    head, first, second = expiring("list", "--sort", "expires").out.splitlines()
    assert (head.split()[-1], first.split()[-1], second.split()[-1]) == (
        "EXPIRES",
        "-",
        "2098-12-31",
    )


@pytest.mark.parametrize(
    "words", [[], ["-o", "name"], ["--columns", "name,state", "-o", "json"], ["--sort", "size"],
              ["--filter", "state=expires"]]
)  # fmt: skip
def test_no_definition_is_read_for_what_nobody_asked(
    expiring: CommandLine, words: list[str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.domains, "list", lambda: pytest.fail("definitions were read"))
    assert expiring("list", *words).code == 0


@pytest.fixture
def expiring(raptorctl: CommandLine) -> CommandLine:
    """Two machines, of which the first expires."""
    for name, cpu, more in (("a", "2-2", ("--expires", "2098-12-31")), ("b", "3-3", ())):
        words = ("--size", "1G", "--cpus", cpu, "--memory", "64M", "-y")
        assert raptorctl("provision", "alice", name, *words, *more).code == 0
    return raptorctl
