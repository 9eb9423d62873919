"""One rule for laying tables over one another: golden vectors of what the reference does, and not."""

from typing import Any

import pytest

from raptorctl.model.merge import merge

DISK = {"name": "data", "size": "1G", "bus": "virtio"}
NIC = {"name": "lan", "options": {"mac": "a", "model": "virtio"}}


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"c": 3}}, {"a": 1, "b": {"c": 3, "d": 2}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": ["name", "x"]}, {"a": ["rename"]}, {"a": ["rename"]}),
        ([DISK, NIC], [{"name": "data", "size": "2G"}], [{**DISK, "size": "2G"}, NIC]),
        ([DISK], [NIC], [DISK, NIC]),
        ([NIC], [{"name": "lan", "options": {"mac": "b"}}],
         [{"name": "lan", "options": {"mac": "b", "model": "virtio"}}]),
        ([NIC], [{"name": "lan", "options": None}], [{"name": "lan", "options": None}]),
        ([DISK, NIC], [{"name": "data", "remove": True}], [NIC]),
        ([], [{"name": "data", "remove": True}], []),
        ([DISK, NIC], [], []),
        ([DISK], [{"size": "2G"}], [{"size": "2G"}]),
        ([{"size": "2G"}], [DISK], [DISK]),
        ([DISK], [1], [1]),
        (None, {"a": [NIC]}, {"a": [NIC]}),
    ],
)  # fmt: skip
def test_a_golden_vector(below: Any, above: Any, merged: Any) -> None:
    assert merge(below, above) == merged


def test_neither_is_altered_and_nothing_over_something_is_that() -> None:
    below, above = {"a": [dict(DISK)]}, {"a": [{"name": "data", "size": "2G"}]}
    merge(below, above)
    assert (below, above) == ({"a": [DISK]}, {"a": [{"name": "data", "size": "2G"}]})
    assert merge(below, {}) == below
