"""Sizes carry units, always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.sizes import GIB, MIB, Size


@pytest.mark.parametrize(
    ("text", "number"), [("40G", 40 * GIB), ("512M", 512 * MIB), ("1K", 1024), ("2T", 2048 * GIB)]
)
def test_reads(text: str, number: int) -> None:
    assert Size.parse(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "0G", "-1G", "40", "1e9", "NaN", "0x10G", "1.5G", "40 G", "40GG", "٤0G", "9999999T", "G", "40g", "+4G"],
)  # fmt: skip
def test_refuses(text: str) -> None:
    with pytest.raises(InputError):
        Size.parse(text)


@pytest.mark.parametrize(("text", "hint"), [("40", "40G"), ("10GB", "10G"), ("10gib", "10G")])
def test_hints_at_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        Size.parse(text)


@given(st.integers(1, 4096), st.sampled_from("KMGT"))
def test_what_is_printed_reads_back(number: int, unit: str) -> None:
    size = Size.parse(f"{number}{unit}")
    assert "." in str(size) or Size.parse(str(size)) == size


@pytest.mark.parametrize("text", ["0", "00", "0K", "0G", "0 G", "0gib"])
def test_nothing_is_called_so_with_a_unit_and_without(text: str) -> None:
    with pytest.raises(InputError, match="is nothing: write e"):
        Size.parse(text)


@pytest.mark.parametrize("text", ["0", "0G", "1K", "1M", "15M", "16383K"])
def test_memory_that_no_machine_starts_with_is_one_error(text: str) -> None:
    with pytest.raises(InputError, match="is too little memory for any machine: give it 64M"):
        Size.parse_memory(text)


@pytest.mark.parametrize(
    ("size", "enough"),
    [(64 * MIB, "64M"), (64 * MIB + 512, "65M"), (2 * GIB, "2G"), (2 * GIB + 1, "2049M")],
)
def test_advice_is_the_least_that_reads_and_holds_it(size: int, enough: str) -> None:
    assert Size(size).enough == enough
    assert Size.parse(enough) >= size


def test_rounds_up_to_whole_extents() -> None:
    assert Size(5 * MIB).rounded_up(4 * MIB) == 8 * MIB
    assert Size(8 * MIB).rounded_up(4 * MIB) == 8 * MIB
    assert str(Size(1536 * MIB)) == "1.5G"
