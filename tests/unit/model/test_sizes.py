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


def test_rounds_up_to_whole_extents() -> None:
    assert Size(5 * MIB).rounded_up(4 * MIB) == 8 * MIB
    assert Size(8 * MIB).rounded_up(4 * MIB) == 8 * MIB
    assert str(Size(1536 * MIB)) == "1.5G"
