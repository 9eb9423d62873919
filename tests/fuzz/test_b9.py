"""Build files and b9.conf of anybody: read or refused with a place, and soon; never a traceback."""

import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.b9 import ANY_NUMBER, FIELDS, LETTER, REFUSED, TEXT, TYPES, WHOLE, Type
from raptorctl.model.build import Build
from raptorctl.model.content import Content
from raptorctl.model.diagnostic import FileError
from raptorctl.read.b9.conf import read_conf
from raptorctl.read.b9.literal import parse
from raptorctl.read.b9.lower import lowered
from raptorctl.read.b9.strings import quoted
from raptorctl.read.b9.typed import read_b9
from raptorctl.read.b9.unfold import unfold
from raptorctl.render.b9 import reformatted
from raptorctl.render.content import Maker
from tests.fuzz import texts
from tests.fuzz.tally import tried

SAMPLES = Path(__file__).parents[1] / "samples" / "b9"
FILES = [path.read_text() for path in sorted(SAMPLES.glob("*.b9"))]
CONFS = [path.read_text() for path in sorted(SAMPLES.glob("*.conf"))]
PLACED = re.compile(r"x\.b9(:\d+){0,2}: \S")
TOKENS = st.sampled_from([
    *(name for constructors in TYPES.values() for name in constructors),
    *"()[]{},=-\"'\\", "{-", "-}", "--", "\n", "$x", "${arg_1}", '"\\SO\\&H"', "'\\''", "0x1F", "1e9",
    '"\\\n\\"', "(-1)", '("a", "b")', "[]", "()", "\0", "\ufeff", "\u2028", "9" * 30,
])  # fmt: skip
LETTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.sampled_from(["/", "a", "b/c", "../x", "$arg_1", "$$", "${x}", "", "user-data"])


def value(wanted: Type, depth: int) -> st.SearchStrategy[str]:
    """Anything of a type, as an argument: in parentheses where it needs them."""
    if isinstance(wanted, list):
        if depth <= 0:
            return st.just("[]")
        items = st.lists(value(wanted[0], depth - 1), max_size=2)
        return items.map(lambda made: f"[{', '.join(made)}]")
    if isinstance(wanted, tuple):
        return st.tuples(*(value(one, depth) for one in wanted)).map(
            lambda made: f"({', '.join(made)})"
        )
    plain: dict[str, st.SearchStrategy[str]] = {
        TEXT: st.one_of(WORDS, st.text(LETTERS, max_size=8)).map(quoted),
        WHOLE: st.sampled_from(["0", "1", "7", "8", "(-3)", "64"]),
        LETTER: st.just("'x'"),
        ANY_NUMBER: st.just("1.5"),
    }
    return plain[wanted] if wanted in plain else st.deferred(lambda: constructed(wanted, depth))


def constructed(wanted: str, depth: int) -> st.SearchStrategy[str]:
    known = {name: shape for name, shape in TYPES[wanted].items() if name not in REFUSED}
    known = known or dict(TYPES[wanted])
    if depth <= 0:  # what has no more within it comes to an end
        fewest = min(len(shape) for shape in known.values())
        known = {name: shape for name, shape in known.items() if len(shape) == fewest}
    return st.sampled_from(sorted(known)).flatmap(
        lambda name: st.tuples(*(value(one, depth - 1) for one in known[name])).map(
            lambda made: _written(name, made)
        )
    )


def _written(name: str, parts: tuple[str, ...]) -> str:
    if name in FIELDS:
        within = ", ".join(f"{key} = {part}" for key, part in zip(FIELDS[name], parts, strict=True))
        return f"{name} {{{within}}}"
    return f"({' '.join((name, *parts))})" if parts else name


class Nothing:
    """No file, and no server."""

    def file(self, path: str) -> bytes:
        raise InputError(f"{path!a} is not there")

    def url(self, url: str) -> bytes:
        return url.encode()


def make(content: Content, _known: Any) -> bytes:
    return Maker(Nothing(), lambda text: text).made(content)


def all_the_way(text: str) -> tuple[Build, ...]:
    known = {"arg_1": "one", "build_id": "id", "projectRoot": "."}
    return lowered(unfold([read_b9(text, "x.b9")], known), make, "x.b9").builds


def holds(text: str) -> None:
    """What it makes goes nowhere but where it may; what it does not is told in its place."""
    try:
        builds = all_the_way(text)
    except FileError as error:
        assert all(PLACED.match(one) and one.isprintable() for one in error.problems), (
            error.problems
        )
        return
    for build in builds:
        assert "/" not in build.name
        assert all(one.target and "\0" not in one.target for one in build.outputs)
        for file in (*build.files, *(one for share in build.shares for one in share.files)):
            assert ".." not in file.to.split("/")
        assert all(disk.mount == "" or disk.mount.startswith("/") for disk in build.disks)


@given(st.sampled_from(FILES), st.lists(st.tuples(st.floats(0, 1), TOKENS), max_size=3))
def test_upstreams_files_with_something_wrong(text: str, put: list[tuple[float, str]]) -> None:
    tried("build files of upstream, bent")
    for place, token in put:
        at = int(place * len(text))
        text = text[:at] + token + text[at + len(token) // 2 :]
    holds(text)


@given(st.lists(TOKENS | texts.anything, max_size=30))
def test_words_of_build_files(words: list[str]) -> None:
    tried("words of build files")
    holds(" ".join(words))


@given(value("ArtifactGenerator", 7))
def test_values_that_have_the_right_types(text: str) -> None:
    """They are read, whatever becomes of them, and laid out without a change."""
    tried("build files of the right types")
    holds(text)
    after = reformatted(parse(text, "x.b9"))
    assert read_or_refused(after) == read_or_refused(text)
    assert reformatted(parse(after, "x.b9")) == after


def read_or_refused(text: str) -> Any:
    try:
        return read_b9(text, "x.b9")
    except FileError as error:
        assert all("is not supported by raptorctl" in one for one in error.problems)
        return len(error.problems)


@given(st.sampled_from(CONFS), st.floats(0, 1), texts.anything | TOKENS)
def test_configurations_with_something_wrong(text: str, place: float, piece: str) -> None:
    tried("b9.conf, bent")
    at = int(place * len(text))
    try:
        read_conf(text[:at] + piece + text[at + len(piece) // 2 :], "b9.conf")
    except FileError as error:
        assert all(one.startswith("b9.conf") and one.isprintable() for one in error.problems)
