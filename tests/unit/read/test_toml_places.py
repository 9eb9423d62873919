"""Where keys stand: each that tomllib reads is found, on the line that it is written on."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.read.toml_places import Path, error_place, place_of, places

TEXT = '''# [no.table]
name = "x" # y = 1
[vars]
a.b = 1.5
"q \\" r" = """x
# no [k] = 3
"""
lines = """a"""""
[machine.web]
steps = [ { run = "a" }, # c
  { copy = 'b', to = "c" } ]
day = 1979-05-27T07:32:00Z
[[machine.web.disk]]
name = "x"
[[machine.web.disk]]
name = "y"
[machine.web.disk.sub]
z = [[1,2],[3]]
e = { a = { b = 1 }, c.d = 2 }
f = []
g = {}
'''


def keys(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, key)
            yield from keys(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield (*path, number)
            yield from keys(item, (*path, number))


def test_every_key_is_found_and_no_other() -> None:
    found, there = places(TEXT), set(keys(tomllib.loads(TEXT)))
    assert set(found) <= there
    headers_of_headers = {("machine",), ("machine", "web", "disk")}
    assert there - set(found) == headers_of_headers


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (2, 1)),
        (("vars", "a", "b"), (4, 3)),
        (("vars", 'q " r'), (5, 1)),
        (("machine", "web"), (9, 1)),
        (("machine", "web", "steps", 1, "to"), (11, 17)),
        (("machine", "web", "disk", 1, "name"), (16, 1)),
        (("machine", "web", "disk", 1, "sub", "e", "c", "d"), (19, 24)),
        (("machine",), (9, 1)),
        (("machine", "web", "missing"), (9, 1)),
        (("nowhere",), (0, 0)),
    ],
)
def test_a_key_stands_on_its_line(path: Path, place: tuple[int, int]) -> None:
    assert place_of(path, places(TEXT)) == place


@given(st.text(alphabet="[]{}=,.\"'\n# ab1", max_size=40))
def test_whatever_tomllib_reads_is_read_to_its_end(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, _ = error_place(error, text)[1]
        assert 1 <= line <= text.count("\n") + 1
    else:
        assert set(places(text)) <= set(keys(data))
