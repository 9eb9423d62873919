"""Haskell's escapes, by the examples of the Haskell 2010 report, 2.6, and by what GHC shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.read.b9.strings import quoted, unquoted


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"\a\b\f\n\r\t\v\\\"\'"', "\a\b\f\n\r\t\v\\\"'"),
        (r'"\&"', ""),
        (r'"\^@\^A\^Z\^[\^\\^]\^^\^_"', "\x00\x01\x1a\x1b\x1c\x1d\x1e\x1f"),
        (r'"\NUL\SOH\SO\&H\DEL\SP"', "\x00\x01\x0eH\x7f "),
        (r'"\65\o101\x41\1234\&5"', "AAA\u04d25"),
        (r'"\1114111"', "\U0010ffff"),
        ('"Here is a backslant \\\\ as well as \\137, \\\n    \\a numeric escape"',
         "Here is a backslant \\ as well as \x89, a numeric escape"),
        ('"a\nb"', "a\nb"),
        (r"'\''", "'"),
    ],
)  # fmt: skip
def test_an_escape_is_what_haskell_says(written: str, meant: str) -> None:
    assert unquoted(written) == meant


@pytest.mark.parametrize("written", [r'"\q"', r'"\1114112"', r'"\xD800"', r'"\99999999999999"'])
def test_what_is_no_character_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"escape|character"):
        unquoted(written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x0eH", r'"\SO\&H"'),
        ("\x0eX", r'"\SOX"'),
        ("\u20281", r'"\8232\&1"'),
        ('say "hi"\n', r'"say \"hi\"\n"'),
        ("it's größer", '"it\'s größer"'),
    ],
)  # fmt: skip
def test_text_is_written_as_haskell_shows_it_with_its_letters(text: str, shown: str) -> None:
    assert quoted(text) == shown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read_back(text: str) -> None:
    assert unquoted(quoted(text)) == text
