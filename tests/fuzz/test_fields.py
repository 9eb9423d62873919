"""Every field of the command line: never a traceback, and never exit 0 on what cannot be right.

What is right is said here a second time, in other words than the program's: see `is_...`.
"""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.model.names import RESERVED_TENANTS
from tests.fakes import World
from tests.fuzz import texts
from tests.fuzz.tally import tried
from tests.unit.cli.session import PROVISION, CommandLine, Result

GIB = 1 << 30
HOST_CPUS = set(range(2, 8))  # of eight, two are the host's own


def is_tenant(text: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9]{0,15}", text)) and text not in RESERVED_TENANTS


def is_machine(text: str) -> bool:
    parts = text.split("-")
    words = all(part and part.isascii() and part.isalnum() and part.islower() | part.isdigit()
                for part in parts)  # fmt: skip
    return words and text[0].isalpha() and len(text) <= 40 and parts[0] not in {"del", "wipe"}


def is_name(words: list[str]) -> bool:
    if len(words) == 1:
        tenant, hyphen, machine = words[0].partition("-")
        return bool(hyphen) and is_tenant(tenant) and is_machine(machine)
    return len(words) == 2 and is_tenant(words[0]) and is_machine(words[1])


def size_of(text: str) -> int:
    if not text.isascii() or not text[:-1].isdigit() or text[-1:] not in set("KMGT"):
        return 0
    return int(text[:-1][-16:]) << {"K": 10, "M": 20, "G": 30, "T": 40}[text[-1]]


def cpus_of(text: str) -> list[int]:
    """The CPUs that are meant; an empty list when nothing or nonsense is."""
    meant: list[int] = []
    for part in text.split(","):
        numbers = part.removeprefix("^").split("-")
        if len(numbers) > 2 or not all(n.isascii() and n.isdigit() and len(n) < 5 for n in numbers):
            return []
        span = range(int(numbers[0]), int(numbers[-1]) + 1)
        if not span:
            return []
        meant = [c for c in meant if c not in span] if part[0] == "^" else meant + list(span)
    return meant


def is_slot(text: str) -> bool:
    return text == "auto" or (text.isascii() and text.isdigit() and 1 <= int(text[-20:]) <= 5)


def host(folder: Path) -> CommandLine:
    for left in ("journal", "log"):
        shutil.rmtree(folder / left, ignore_errors=True)
    return CommandLine(World(), folder)


def holds(done: Result, allowed: set[int]) -> None:
    """What every command line owes its reader, whatever was typed."""
    assert done.code in allowed, (done.code, done.err)
    assert "Traceback" not in done.err
    assert "please report it" not in done.err, done.err
    if done.code:
        assert done.out == ""
        assert done.complaint.startswith(("raptorctl: ", '{"error": {'))
        assert done.complaint.isprintable()


WORDS = st.one_of(
    texts.nearly(st.builds("{}-{}".format, texts.tenants, texts.machines)).map(lambda w: [w]),
    st.lists(texts.nearly(texts.machines), max_size=3),
    st.tuples(texts.tenants, texts.nearly(texts.machines)).map(list),
)


@given(words=WORDS)
def test_names(folder: Path, words: list[str]) -> None:
    tried("machines' names")
    line = host(folder)
    before = line.world.picture()
    done = line(*PROVISION[:1], *PROVISION[3:], "--dry-run", "--", *words)
    holds(done, {0, 2})
    assert (done.code == 0) == is_name(words)
    assert line.world.picture() == before


@given(size=texts.nearly(texts.sizes), memory=st.none() | texts.nearly(texts.sizes))
def test_sizes(folder: Path, size: str, memory: str | None) -> None:
    tried("sizes")
    more = [] if memory is None else [f"--memory={memory}"]
    done = host(folder)(
        "provision", "alice", "dev", "--cpus=4", f"--size={size}", *more, "--dry-run"
    )
    holds(done, {0, 2, 3})
    if done.code == 0:
        assert 0 < size_of(size) <= 200 * GIB
        assert memory is None or 0 < size_of(memory) <= 16 * GIB
    if done.code == 3:
        assert size_of(size) > 200 * GIB - (4 << 20) or (memory and size_of(memory))


@given(text=texts.nearly(texts.cpu_sets))
def test_cpus(folder: Path, text: str) -> None:
    tried("sets of CPUs")
    done = host(folder)("provision", "alice", "dev", f"--cpus={text}", "--size=1G", "--dry-run")
    holds(done, {0, 2, 3})
    if text.isascii() and text.isdecimal():  # a number alone is how many
        right = len(text) < 4 and 0 < int(text) <= len(HOST_CPUS)
    else:
        meant = cpus_of(text)
        right = bool(meant) and len(set(meant)) == len(meant) and set(meant) <= HOST_CPUS
    assert (done.code == 0) == right


@given(slot=texts.nearly(texts.slots), template=texts.nearly(texts.templates))
def test_slots_and_templates(folder: Path, slot: str, template: str) -> None:
    tried("slots and templates")
    done = host(folder)(*PROVISION, f"--slot={slot}", f"--template={template}", "--dry-run")
    holds(done, {0, 2})
    right = is_slot(slot) and template in {"virtio-console", "serial-console"}
    assert (done.code == 0) == right


READERS = {
    ("show",): {0, 2, 3},
    ("list",): {0, 2},
    ("job", "show"): {2},
    ("recover",): {0, 2},
    ("deprovision", "-y"): {0, 2},
    ("wipe", "resume", "-y"): {2, 3},
    ("render", "xml", "--size=1G", "--cpus=2"): {0, 2},
}


@given(command=st.sampled_from(sorted(READERS)), words=st.lists(texts.anything, max_size=3))
def test_arguments(folder: Path, command: tuple[str, ...], words: list[str]) -> None:
    tried("arguments of other commands")
    line = host(folder)
    before = line.world.picture()
    holds(line(*command, "--", *words), READERS[command])
    assert line.world.picture() == before


@given(
    tenant=texts.nearly(texts.tenants),
    since=texts.nearly(
        st.from_regex(r"[0-9]{1,6}[mhdw]|[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-9:.+Z-]{0,14})?",
                      fullmatch=True)
    ),
    form=texts.nearly(st.sampled_from(["text", "json"])),
)  # fmt: skip
def test_the_audit_log_is_asked(folder: Path, tenant: str, since: str, form: str) -> None:
    tried("options of audit")
    done = host(folder)("audit", f"--tenant={tenant}", f"--since={since}", f"--output={form}")
    holds(done, {0, 2})
    if done.code == 0:
        assert is_tenant(tenant)
        assert form in {"text", "json"}
        assert since[0].isdigit()


TOKENS = st.one_of(
    st.sampled_from(
        "provision deprovision list show slot cpu map render xml job audit recover wipe resume doctor "
        "alice dev alice-dev --size 1G --size=1G --cpus 2 --cpus=2-3 --memory --slot --template -o json "
        "text --dry-run -y --yes --all --fix --abandon --since 1d --tenant -v --settings /x -- - -x".split()
    ),
    texts.anything,
)  # fmt: skip


@given(typed=st.lists(TOKENS, max_size=8), terminal=st.booleans(), answer=texts.anything)
def test_any_command_line(folder: Path, typed: list[str], terminal: bool, answer: str) -> None:
    """No word asks for completion to be installed: that writes into the home directory."""
    tried("whole command lines")
    done = host(folder)(*typed, terminal=terminal, answer=answer)
    assert done.code in {0, 1, 2, 3}
    assert "Traceback" not in done.err
    assert "please report it" not in done.err, done.err


@given(answer=texts.nearly(st.sampled_from(["alice-dev\n", "alice dev\n", "y\n"])))
def test_answers(folder: Path, answer: str) -> None:
    tried("answers")
    line = host(folder)
    assert line(*PROVISION).code == 0
    done = line("deprovision", "alice", "dev", terminal=True, answer=answer)
    said = answer.replace("\r\n", "\n").partition("\n")[0].strip()
    assert (done.code == 0) == (said in {"alice-dev", "alice dev"})
    assert bool(line.world.domains.list()) == (done.code != 0)


@given(name=st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"), max_size=70))
def test_who_sudo_says(folder: Path, name: str) -> None:
    tried("names that sudo says")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUDO_USER", name)
        line = host(folder)
        assert line(*PROVISION).code == 0
        (domain,) = line.world.domains.list()
        assert domain.mark is not None
        by = domain.mark.created_by
        assert by.isprintable()
        assert by == name or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}", name)
