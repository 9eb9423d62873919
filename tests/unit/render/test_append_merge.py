"""Append-merge by the cases of B9's YamlObjectSpec, and where ours is stricter."""

from typing import Any

import pytest

from raptorctl.errors import InputError
from raptorctl.render.append_merge import appended
from raptorctl.render.user_data import tree


def merged(first: str, second: str, *, glue: bool = False) -> Any:
    return plain(appended(tree(first, "a")[0], tree(second, "b")[0], glue=glue))


def plain(value: Any) -> Any:
    """Scalars as they were written."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return getattr(value, "text", value)


FILE = "#cloud-config\n\nwrite_files:\n  - contents: |\n      {0}\n    path: /f\nruncmd:\n - {1}\n"


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        # combines primitives by putting them in an array
        ("true", "123", ["true", "123"]),
        # objects with disjunct keys
        ("k1: 1", "k2: 2", {"k1": "1", "k2": "2"}),
        # arrays by concatenating them
        ("[x]", "[y]", ["x", "y"]),
        # disjunct entries, and combined entries with the same keys
        ("{k1: 1, k: 2}", "{k2: 3, k: 4}", {"k1": "1", "k2": "3", "k": ["2", "4"]}),
        # 'write_files' and 'runcmd' from typical 'user-data' files
        (
            FILE.format("hello world!", "x y z"),
            FILE.format("hello world2!", "a b c"),
            {
                "write_files": [
                    {"contents": "hello world!\n", "path": "/f"},
                    {"contents": "hello world2!\n", "path": "/f"},
                ],
                "runcmd": ["x y z", "a b c"],
            },
        ),
        # strings by appending them
        ("k: Hello", "k: World", {"k": "HelloWorld"}),
        # and what its code says besides
        ("[a]", "b", ["a", "b"]),
        ("a", "[b]", ["a", "b"]),
        ("{a: {b: [1]}}", "{a: {b: [2], c: 3}}", {"a": {"b": ["1", "2"], "c": "3"}}),
        ("{a: 1}", "2", [{"a": "1"}, "2"]),
    ],
)
def test_two_become_one_as_in_b9(first: str, second: str, both: Any) -> None:
    assert merged(first, second, glue=True) == both


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("true", "123", "it is 'true' in one part and '123' in another"),
        ("a: {b: 1}", "a: {b: 2}", "a.b is '1' in one part and '2' in another"),
        ("a: x", "a: 2", "a is 'x' in one part and '2' in another"),
        ("a: {b: 1}", "a: 2", "a is a table in one part and '2' in another"),
    ],
)
def test_without_glue_scalars_that_differ_are_an_error(first: str, second: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        merged(first, second)
    assert caught.value.brief == said


def test_without_glue_what_says_the_same_stays() -> None:
    assert merged("{a: true, b: [1]}", "{a: true, b: [1]}") == {"a": "true", "b": ["1", "1"]}


def test_nothing_adds_nothing() -> None:
    assert merged("", "a: 1") == merged("a: 1", "") == {"a": "1"}
