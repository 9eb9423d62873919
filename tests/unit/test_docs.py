"""The documentation keeps up: every option, key and JSON shape is told, every example can be typed."""

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from raptorctl import errors
from raptorctl.cli.app import command
from raptorctl.engine.audit import AUDIT
from raptorctl.engine.journals import DIRECTORY
from raptorctl.engine.lock import LOCK_FILE
from raptorctl.host.image.login import PASSWORD, USER
from raptorctl.host.system.files import ADMIN_TEMPLATES
from raptorctl.host.system.profile import ADMIN_PROFILES
from raptorctl.model.exit_code import DIFFERS, DONE
from raptorctl.model.job import Outcome, StepState
from raptorctl.model.profile import KEYS, parse_profile
from raptorctl.model.raptor_file import MACHINE_KEYS
from raptorctl.model.settings import Settings
from raptorctl.model.settings_file import DEFAULT_FILE
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import Size
from raptorctl.model.ssh_key import parse_keys
from raptorctl.model.tenant import Account
from raptorctl.read.build_file import BuildReader, parse_builds
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from tests.fakes import IMAGE, Killed, Tripwire, World
from tests.unit.cli.session import PROVISION, CommandLine, FakeSession, below
from tests.unit.model.test_ssh_key import GOOD
from tests.unit.read.test_registry import WHOLE

CHECKOUT = Path(__file__).parents[2]
DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def blocks(path: Path, language: str) -> list[str]:
    return [text for said, text in BLOCK.findall(path.read_text()) if said == language]


def sections(path: Path) -> dict[str, str]:
    """A page's second-level sections by heading."""
    parts = re.split(r"^## (.*)$", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


# The command line


def commands(node: Any, path: str = "raptorctl") -> Iterator[tuple[str, Any]]:
    if not hasattr(node, "commands") or node.invoke_without_command:
        yield path, node
    for name, child in below(node).items():
        yield from commands(child, f"{path} {name}")


COMMANDS = dict(commands(command()))


def options(node: Any) -> set[str]:
    return {name for p in node.params for name in (*p.opts, *p.secondary_opts) if name[0] == "-"}


def takes_value(node: Any, name: str) -> bool:
    return any(name in p.opts and not p.is_flag for p in node.params)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_a_section_that_names_its_options(path: str) -> None:
    told = [text for page in PAGES for head, text in sections(page).items() if head == path]
    assert len(told) == 1
    assert {name for name in options(COMMANDS[path]) if name not in told[0]} == set()


def test_the_options_before_any_command_are_told() -> None:
    told = sections(DOCS / "README.md")["Before any command"]
    assert {name for name in options(command()) if name not in told} == set()


def typed() -> Iterator[str]:
    """Every line of the documentation that calls raptorctl, without what stands around the call."""
    for page in PAGES:
        for block in blocks(page, "console"):
            joined = block.replace("\\\n", " ")
            for line in joined.splitlines():
                if line.startswith("$ ") and (
                    call := re.search(r"\braptorctl (?=[a-z-])[^|]*", line)
                ):
                    yield call[0]


@pytest.mark.parametrize("line", sorted({line.strip() for line in typed()}))
def test_every_example_can_be_typed(line: str) -> None:
    # What follows ` -- ` is another program's.
    words = shlex.split(re.split(" > | -- ", line, maxsplit=1)[0])[1:]
    node = command()
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            assert word in options(node) | {"-h", "--help"}, line
            if hasattr(node, "commands") and takes_value(node, word):
                del words[0]
        elif hasattr(node, "commands") and not word.startswith("/"):
            node = below(node)[word]
    assert not hasattr(node, "commands") or node.invoke_without_command or "--" in line, line


# The settings


def keys(kind: type = Settings, before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys with their defaults."""
    hints = get_type_hints(kind)
    for field in (f for f in dataclasses.fields(kind) if f.init):
        inner = [hint for hint in (hints[field.name], *get_args(hints[field.name]))
                 if dataclasses.is_dataclass(hint) and hint.__module__ != "raptorctl.model.cpuset"]  # fmt: skip
        if inner:
            assert isinstance(inner[0], type)
            yield from keys(inner[0], f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}", field.default


def told_keys() -> dict[str, str]:
    """Dotted keys with their default, as docs/settings.md tells them."""
    rows = re.findall(
        r"^\| `([\w.]+)` \| .*? \| (.*?) \|", (DOCS / "settings.md").read_text(), re.MULTILINE
    )
    return dict(rows)


def as_toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Size():
            return f'"{value}"'
        case int() | float():
            return str(value)
        case tuple():
            return f"[{', '.join(map(as_toml, value))}]"
    return f'"{value}"'


def test_every_settings_key_is_told_with_its_default_and_no_other() -> None:
    known = {
        key: "none" if default in {None, dataclasses.MISSING} else f"`{as_toml(default)}`"
        for key, default in keys()
    }
    told = {key: said.removesuffix(", must be set") for key, said in told_keys().items()}
    assert told == known


def test_settings_that_are_shown_can_be_read() -> None:
    for page in PAGES:
        for text in blocks(page, "toml"):
            if page.stem in {"profiles", "disks"}:
                parse_profile(text, page.name)
            elif "[machine." in text:
                owner = "carol" if page.stem == "README" else ""
                parse_raptor_file(text, Reader(page.name, owner))
            elif "[build." in text:
                given = {"build_id": "b1", "build_date": "2026-11-20T12:00:00Z", "arg_1": "1"}
                assert parse_builds(text, BuildReader(page.name, given=given)).builds
            else:
                parse_settings(text)


def test_every_key_of_a_profile_is_told_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", sections(DOCS / "profiles.md")["Your own"], re.MULTILINE)
    assert rows == list(KEYS)


def test_every_key_of_a_file_of_machines_is_told() -> None:
    told = sections(DOCS / "files.md")["The file"]
    own = [key for key in MACHINE_KEYS if key not in KEYS]
    assert [key for key in own if f"\n| `{key}` |" not in told] == []


# Where things are, and words that programs rely on


@pytest.mark.parametrize(
    "path", [DEFAULT_FILE, DIRECTORY, AUDIT, LOCK_FILE, ADMIN_TEMPLATES, ADMIN_PROFILES]
)
def test_where_everything_lives_is_told(path: Path | str) -> None:
    told = sections(CHECKOUT / "README.md")["Where everything lives"]
    assert re.search(rf"`{path}/?`", told)


READ = re.compile(r"""environ\w*(?:\.get\(|\[|, )["']([A-Z_]+)["']""")


def test_every_variable_of_the_environment_is_told() -> None:
    package = CHECKOUT / "raptorctl"  # the relay's is its unit's to set
    code = [path.read_text() for path in package.rglob("*.py") if "relay" not in path.parts]
    read = {name for text in code for name in READ.findall(text)} | {USER, PASSWORD}
    told = sections(DOCS / "README.md")["Environment"]
    assert {"SUDO_USER", "NO_COLOR"} <= read
    assert {name for name in read if f"`{name}`" not in told} == set()


def test_every_exit_code_is_told() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {DONE, *(k.exit_code for k in classes if issubclass(k, errors.RaptorError))}
    for page in (CHECKOUT / "README.md", DOCS / "jobs.md"):
        rows = re.findall(r"^\| (\d[\d, ]*) \|", sections(page)["Exit codes"], re.MULTILINE)
        told = {int(number) for row in rows for number in row.split(",")}
        assert told == codes | {DIFFERS, 129, 130, 143}


def test_every_state_of_a_job_and_of_a_step_is_told() -> None:
    jobs, shapes = (DOCS / "jobs.md").read_text(), (DOCS / "json.md").read_text()
    seen = set(Outcome)
    assert {outcome.value for outcome in seen if f"`{outcome.value}`" not in jobs} == set()
    assert {state.value for state in StepState if f"`{state.value}`" not in shapes} == set()


# The shapes of `-o json`

FREE = {"observed"}
"""What stands below these keys depends on the step."""


def shape(data: Any, path: str = "") -> set[str]:
    """Every key of a document, dotted; lists are told by all of their items together."""
    if isinstance(data, dict):
        inner = (
            {f"{path}{key}"} | (set() if key in FREE else shape(value, f"{path}{key}."))
            for key, value in data.items()
        )
        return set().union(*inner)
    if isinstance(data, list):
        return set().union(*(shape(item, path) for item in data))
    return set()


def told_shape(heading: str, number: int = 0) -> set[str]:
    text = sections(DOCS / "json.md")[heading]
    return shape(json.loads(BLOCK.findall(text)[number][1]))


@pytest.fixture
def raptorctl(tmp_path: Path) -> CommandLine:
    host = CommandLine(World(), tmp_path)
    (tmp_path / "alice.pub").write_text(GOOD)
    assert host("tenant", "add", "alice", "--key", str(tmp_path / "alice.pub")).code == 0
    assert host(*PROVISION).code == 0
    host.world.with_tenants("bob")
    assert host("access", "install").code == 0
    assert host("tenant", "share", "alice", "dev", "bob", "--console", "-y").code == 0
    domains = host.world.domains
    for domain in domains.list():  # as libvirt tells of one that runs
        domains.by_uuid[domain.uuid] = dataclasses.replace(
            domain, live=dataclasses.replace(domain, xml="")
        )
    return host


@pytest.mark.parametrize(
    "words",
    [
        "list",
        "show alice dev",
        "tenant list",
        "tenant quota alice",
        "tenant key list alice",
        "tenant shares",
        "slot list",
        "slot show 1",
        "cpu map",
        "doctor",
    ],
)
def test_what_views_print_as_json_is_as_told(raptorctl: CommandLine, words: str) -> None:
    heading = f"`{words.removesuffix(' dev').removesuffix(' alice').removesuffix(' 1')}`"
    assert shape(json.loads(raptorctl(*words.split(), "-o", "json").out)) == told_shape(heading)


def test_what_is_told_of_guests_as_json_is_as_told(
    raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl.world.guests.banners, key = ["SSH-2.0-x"], parse_keys(GOOD)[0]
    block = f"-----BEGIN SSH HOST KEY KEYS-----\n{key}\n-----END SSH HOST KEY KEYS-----"
    monkeypatch.setattr(FakeSession, "console_text", lambda *_words: block)
    (tmp_path / "a.sh").write_text("#!/bin/sh\n")
    step = ("--run", str(tmp_path / "a.sh"), "--identity", str(tmp_path / "a.sh"))
    for verb, words in (("wait", ()), ("ip", ()), ("why", ()), ("run", step)):
        done = raptorctl(verb, "alice", "dev", *words, "-o", "json")
        assert shape(json.loads(done.out)) == told_shape(f"`{verb}`")


def test_what_waits_for_its_wipe_as_json_is_as_told(tmp_path: Path) -> None:
    host = CommandLine(World().with_tenants("alice"), tmp_path)
    session = host.session(*PROVISION)
    session.wire = Tripwire(at=7)
    with pytest.raises(Killed):
        host(*PROVISION, session=session)
    assert shape(json.loads(host("wipe", "list", "-o", "json").out)) == told_shape("`wipe list`")


def test_snapshots_as_json_are_as_told(raptorctl: CommandLine) -> None:
    assert raptorctl("snapshot", "create", "alice", "dev").code == 0
    listed = json.loads(raptorctl("snapshot", "list", "-o", "json").out)
    assert shape(listed) == told_shape("`snapshot list`")


def test_disks_as_json_are_as_told(raptorctl: CommandLine) -> None:
    assert raptorctl("disk", "add", "alice", "dev", "data=1G").code == 0
    listed = json.loads(raptorctl("disk", "list", "-o", "json").out)
    assert shape(listed) == told_shape("`disk list`")


def test_what_builds_print_as_json_is_as_told(
    raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raptorctl.world.images.all = (IMAGE,)
    monkeypatch.chdir(tmp_path)
    build = '[build.web]\nfrom = "debian:13"\noutput = [{ image = "web" }]\n'
    Path("raptor.toml").write_text(build)
    for number, words in enumerate(([], ["--list-outputs"])):
        told = json.loads(raptorctl("build", *words, "-o", "json").out)
        assert shape(told) == told_shape("`build`", number)


def test_what_changes_print_as_json_is_as_told(raptorctl: CommandLine) -> None:
    heading = "`provision` and `deprovision`"
    removal = json.loads(raptorctl("deprovision", "alice", "dev", "-y", "-o", "json").out)
    job = json.loads(raptorctl("job", "show", removal["job"]["id"], "-o", "json").out)
    assert shape(removal) == told_shape(heading)
    assert shape(job) == told_shape("`job show`")
    jobs = json.loads(raptorctl("job", "list", "-o", "json").out)["jobs"]
    assert job in jobs
    assert told_shape("`job list`") == {"jobs"}
    assert shape(json.loads(raptorctl("recover", "-o", "json").out)) == told_shape("`recover`")


def test_a_plan_as_json_is_as_told(raptorctl: CommandLine) -> None:
    raptorctl("deprovision", "alice", "dev", "-y")
    plan = json.loads(raptorctl(*PROVISION, "--dry-run", "-o", "json").out)
    assert shape(plan) == told_shape("`provision` and `deprovision`", 1)


def test_files_of_machines_as_json_are_as_told(
    raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.sh").write_text("#!/bin/sh\n")
    text = '[machine.alice-web]\nsize = "1G"\ncpus = 1\nmemory = "1G"\n'
    (tmp_path / "raptor.toml").write_text(f'{text}steps = [{{ run = "a.sh" }}]\n')
    plan = json.loads(raptorctl("up", "--dry-run", "-o", "json").out)
    told = told_shape("`up`, `reload` and `down`", 1)
    assert {key for key in shape(plan) if "facts." not in key} == {
        k for k in told if "facts." not in k
    }
    (tmp_path / "raptor.toml").write_text(text)
    up = json.loads(raptorctl("up", "-o", "json").out)
    assert shape(up) == told_shape("`up`, `reload` and `down`")
    (tmp_path / "raptor.toml").write_text(text.replace('memory = "1G"', 'memory = "2G"'))
    diff = json.loads(raptorctl("diff", "-o", "json").out)
    assert shape(diff) == told_shape("`diff`")
    assert shape(json.loads(raptorctl("export", "-o", "json").out)) == told_shape("`export`")


def test_what_owners_verbs_print_as_json_is_as_told(raptorctl: CommandLine) -> None:
    stopped = json.loads(raptorctl("stop", "alice", "dev", "-o", "json").out)
    assert shape(stopped) == told_shape("`start` and `stop`")


def test_what_polkit_answers_as_json_is_as_told(raptorctl: CommandLine) -> None:
    raptorctl.world.accounts.by_name["carol"] = Account(
        "carol", 1500, 1500, groups=frozenset({"wheel"})
    )
    raptorctl("access", "install")
    explained = raptorctl("access", "explain", "alice", "console", "bob-web", "-o", "json").out
    assert shape(json.loads(explained)) == told_shape("`access explain`")
    tried = json.loads(raptorctl("access", "test", "-o", "json").out)
    assert shape(tried) == told_shape("`access test`")


def test_seeds_and_templates_as_json_are_as_told(raptorctl: CommandLine) -> None:
    words = (
        "provision",
        "alice",
        "web",
        "--profile",
        "web-server",
        "--cpus",
        "2-2",
        "--image",
        "x",
    )
    raptorctl.world.images.all = (dataclasses.replace(IMAGE, name="x"),)
    assert raptorctl(*words, "-y").code == 0
    shown = json.loads(raptorctl("seed", "show", "alice", "web", "-o", "json").out)
    assert shape(shown) == told_shape("`seed show`")
    listed = json.loads(raptorctl("template", "list", "-o", "json").out)
    assert shape(listed) == told_shape("`template list`")
    profile = json.loads(raptorctl("template", "show", "web-server", "-o", "json").out)
    assert shape(profile) == told_shape("`template show`")


def test_xml_as_json_is_as_told(raptorctl: CommandLine) -> None:
    words = ("render", "xml", "alice", "test", "--size", "1G", "--cpus", "2-2", "-o", "json")
    assert shape(json.loads(raptorctl(*words).out)) == told_shape("`render xml`")


def test_what_a_registry_says_as_json_is_as_told(raptorctl: CommandLine) -> None:
    listed = json.loads(raptorctl("registry", "list", "-o", "json", answer=WHOLE).out)
    assert shape(listed) == told_shape("`registry list`")
    found = json.loads(raptorctl("registry", "config", "-o", "json", answer=WHOLE).out)
    kinds = told_shape("`registry config`")
    assert {key for key in kinds if key.count(".") < 3} <= shape(found)
    image = raptorctl("registry", "image-url", "alpine", "-o", "json", answer=WHOLE).out
    assert shape(json.loads(image)) == told_shape("`registry image-url`")


# Links


def anchors(path: Path) -> set[str]:
    """GitHub's rule: lower case, punctuation away, spaces to hyphens."""
    text = BLOCK.sub("", path.read_text())
    return {
        re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in HEADING.findall(text)
    }


def test_the_index_has_every_page_once_under_its_kind() -> None:
    kinds = ("Tutorial", "How-to", "Reference", "Explanation")
    index = sections(DOCS / "README.md")
    listed = [
        name
        for kind in kinds
        for name in re.findall(r"^\| \[.*?\]\((.*?)\)", index[kind], re.MULTILINE)
    ]
    assert sorted(listed) == sorted(
        path.name for path in DOCS.glob("*.md") if path.stem != "README"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text())
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


WIDTH = 120
"""Characters of a line of text; rows of tables, and what programs print, are as long as they are."""


@pytest.mark.parametrize("page", [*PAGES, CHECKOUT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_text_is_of_lines_that_a_terminal_can_show(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    lines = (line for line in text.splitlines() if not line.startswith("|"))
    assert [line for line in lines if len(line) > WIDTH] == []


def test_the_glossary_is_in_order_and_every_word_leads_on() -> None:
    rows = re.findall(
        r"^\| ([a-z].*?) \| (.*) \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE
    )
    words = [word for word, _ in rows][1:]
    assert words == sorted(words, key=str.lower)
    assert [word for word, text in rows[1:] if "](" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_each_row_of_a_table_has_the_cells_of_its_head(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, *rows = table.splitlines()
        # GitHub takes a bar for the end of a cell in code as well, unless it is escaped.
        assert [row for row in rows if bars(row) != bars(head)] == []


def bars(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row))
