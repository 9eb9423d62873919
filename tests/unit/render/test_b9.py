"""Build files laid out anew: the same value, the same comments, and nothing to do a second time."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.read.b9.literal import parse
from raptorctl.read.b9.strings import quoted
from raptorctl.render.b9 import WIDTH, reformatted

SAMPLES = Path(__file__).parents[2] / "samples" / "b9"
PLACE = {"line", "column", "last", "until"}

COMMENTED = r"""-- head
{- block
   more -}
Let -- why
  [ ("a", "1") -- first
  , -- second
    ("b", "2") ]
  [ Sources [ FromContent "user-data" (FromString "#cloud-config\nline one of many\nline two of many, which is long\nline three\n") ] -- tail
     [ Artifact {- inline -} (IID "x") (CloudInit [CI_ISO -- iso
      , CI_DIR] "x") -- x
      -- at the end
      ]
  -- closing
  ]
-- eof"""
LAID_OUT = r"""-- head
{- block
   more -}
Let
  -- why
  [ ("a", "1")  -- first
  , -- second
    ("b", "2")
  ]
  [ Sources
      [ FromContent "user-data"
          (FromString
             "#cloud-config\n\
              \line one of many\n\
              \line two of many, which is long\n\
              \line three\n")
      ]  -- tail
      [ Artifact
          {- inline -}
          (IID "x")
          (CloudInit
             [ CI_ISO  -- iso
             , CI_DIR
             ]
             "x"  -- x
          )
        -- at the end
      ]
    -- closing
  ]
-- eof
"""


def meaning(value: Any) -> Any:
    """A value without its places."""
    if isinstance(value, tuple):
        return tuple(map(meaning, value))
    if not is_dataclass(value):
        return value
    kept = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in PLACE}
    return type(value).__name__, {key: meaning(one) for key, one in kept.items()}


def again(text: str) -> str:
    """Lay it out, and see that nothing is lost."""
    before = parse(text, "x.b9")
    after = reformatted(before)
    read = parse(after, "x.b9")
    assert meaning(read.value) == meaning(before.value)
    assert [one.text.split() for one in read.comments] == [
        one.text.split() for one in before.comments
    ]
    assert reformatted(read) == after
    return after


def test_comments_stay_where_they_belong() -> None:
    assert again(COMMENTED) == LAID_OUT


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.b9")), ids=lambda path: path.name)
def test_upstreams_own_are_the_same_and_fit(path: Path) -> None:
    assert all(len(line) <= WIDTH for line in again(path.read_text()).splitlines())


def test_what_fits_a_line_is_on_one() -> None:
    assert again("C\n (D\n [ ( -1 ) , 0x1F ]) (-1)\n 'a' () (1,2) E { f=1,\ng = 2 }") == (
        "C (D [-1, 0x1F]) (-1) 'a' () (1, 2) E {f = 1, g = 2}\n"
    )


def test_a_record_that_is_too_long_has_a_line_for_each_field() -> None:
    long = "x" * 50
    assert again(f'C {{f = "{long}", g = ["{long}", "{long}"]}}') == (
        f'C\n  {{ f = "{long}"\n  , g = [ "{long}"\n        , "{long}"\n        ]\n  }}\n'
    )


def test_a_parenthesis_is_never_in_a_comment() -> None:
    assert again("A (B (C 1 -- x\n))") == "A (B (C 1))  -- x\n"
    assert again("A (B (C 1 -- x\n2))") == "A\n  (B\n     (C\n        1  -- x\n        2))\n"
    assert again("A (B [1 -- x\n] 2 -- y\n) 3") == (
        "A\n  (B\n     [ 1  -- x\n     ]\n     2  -- y\n  )\n  3\n"
    )


LETTERS = st.characters(exclude_categories=["Cs"])
COMMENTS = st.sampled_from([" ", "\n", " -- c\n", " {- d -} ", "\n-- e\n", " {- f\n   g -}\n"])
VALUES = st.recursive(
    st.text(LETTERS, max_size=30).map(quoted)
    | st.integers(-9999, 9999).map(lambda number: f"({number})")
    | st.sampled_from(["A", "1.5e3", "'x'", "'\\''", "()", "B {}"]),
    lambda inner: st.one_of(
        st.tuples(COMMENTS, st.lists(inner, max_size=4)).map(
            lambda made: f"({'C' + made[0] + made[0].join(made[1])})"
        ),
        st.tuples(COMMENTS, st.lists(inner, max_size=4)).map(
            lambda made: f"[{made[0]}{(made[0] + ',').join(made[1])}{made[0]}]"
        ),
        st.tuples(COMMENTS, inner, inner).map(lambda made: f"({made[1]},{made[0]}{made[2]})"),
        st.tuples(COMMENTS, inner).map(lambda made: f"D {{{made[0]}f ={made[0]}{made[1]}}}"),
    ),
    max_leaves=12,
)


@given(VALUES, COMMENTS)
def test_any_value_stays_what_it_is(value: str, around: str) -> None:
    again(f"{around}{value}{around}")
