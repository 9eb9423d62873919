"""Sets of CPUs keep their order and refuse what cannot be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("4-7", (4, 5, 6, 7)), ("7,6,5", (7, 6, 5)), ("0", (0,)), ("0-3,^2", (0, 1, 3)), ("2,0-1", (2, 0, 1))],
)  # fmt: skip
def test_reads_in_the_order_given(text: str, cpus: tuple[int, ...]) -> None:
    assert CpuSet.parse(text).cpus == cpus


@pytest.mark.parametrize(
    "text",
    ["", ",", "3-1", "1,1", "0-3,2", "a", "1-", "-1", "0-4294967295", "9999", "1 ,2", "0-1,^0-1", "1;2",
     "٣", "0" * 5000],
)  # fmt: skip
def test_refuses(text: str) -> None:
    with pytest.raises(InputError) as caught:
        CpuSet.parse(text)
    assert "\n" not in str(caught.value)


@given(st.lists(st.integers(0, 8191), min_size=1, max_size=64, unique=True))
def test_what_is_printed_reads_back(cpus: list[int]) -> None:
    assert CpuSet.parse(str(CpuSet(tuple(cpus)))).cpus == tuple(cpus)
