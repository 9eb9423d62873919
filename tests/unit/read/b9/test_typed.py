"""Build files as B9's types: upstream's own, and what is told of one that is wrong."""

import sys
from pathlib import Path

import pytest

from raptorctl.errors import MissingError
from raptorctl.model.b9 import FIELDS, GONE, REFUSED, TYPES, Con
from raptorctl.model.diagnostic import FileError
from raptorctl.read.b9.comments import DEEPEST
from raptorctl.read.b9.literal import LARGEST, Apply, Number, Sequence, parse
from raptorctl.read.b9.typed import read_b9

SAMPLES = Path(__file__).parents[3] / "samples" / "b9"
DIR = '(CloudInit [CI_DIR] "x")'


def problems(text: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        read_b9(text, "x.b9")
    return list(caught.value.problems)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.b9")), ids=lambda path: path.name)
def test_upstreams_own_are_read(path: Path) -> None:
    assert read_b9(path.read_text(), path.name).name == "Artifact"


def test_what_haskell_prints_of_a_value_is_that_value() -> None:
    typed, shown = ((SAMPLES / name).read_text() for name in ("filer.b9", "filer-shown.b9"))
    assert read_b9(typed, "x.b9") == read_b9(shown, "x.b9")


def test_a_value_has_all_that_haskell_prints() -> None:
    said = parse("C (-1) 0x1F 1.5e3 () ('a', \"b\") [] D {} E {f = 1, g' = [2]}", "x.b9").value
    assert isinstance(said, Apply)
    assert [part.value for part in said.parts[:3] if isinstance(part, Number)] == [-1, 31, None]
    assert isinstance(said.parts[3], Sequence)
    assert not said.parts[3].is_list
    assert len(said.parts) == 8


def test_comments_are_passed_over() -> None:
    text = f"""{{- a {{- nested -}} one -}} Artifact -- to the end
      --- of its line
      (IID "--not {{- one") {DIR}"""
    assert read_b9(text, "x.b9").args[0] == Con("IID", ("--not {- one",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.b9:1:1: the file ends too early; expected a constructor, a number, a string"),
        ('Artifact (IID "x"', "x.b9:1:18: the file ends too early; expected ',' or ')'"),
        ("Let [,]", "x.b9:1:6: did not expect ','; expected a constructor, a number, a string"),
        ("Let []\n  [; ]", "x.b9:2:4: did not expect ';'; expected"),
        ('Let "a\\q"', "x.b9:1:5: \\q is no escape of Haskell; a backslash is written \\\\"),
        ("Let 'ab'", "x.b9:1:5: did not expect \"'\"; expected"),
        ("Let '\\&'", r"""x.b9:1:5: "'\\&'" is not one character"""),
        ('Let "x', 'x.b9:1:5: this string is not closed; close it with "'),
        ("Let\n{- {- -}", "x.b9:2:1: this comment is not closed; close it with -}"),
        ("Let (1 2)", "x.b9:1:8: did not expect '2'; expected ',' or ')'"),
        ("Let 1234567890123456789", "x.b9:1:5: has more than 18 digits"),
        ("(" * (DEEPEST + 1), f"x.b9:1:{DEEPEST + 1}: is nested more than {DEEPEST} deep"),
        ('"' + "x" * LARGEST + '"', "x.b9: is larger than 256 KiB"),
        ("EmptyArtifact EmptyArtifact", "x.b9:1:1: EmptyArtifact has 1 argument, and takes 0"),
        ("Emptyartifact", "x.b9:1:1: 'Emptyartifact' is not known here; did you mean EmptyArtifact"),
        ("3", "x.b9:1:1: should be an ArtifactGenerator; known: Sources, Let, LetX, Each, EachT"),
        ("KB", "x.b9:1:1: KB does not belong here: should be an ArtifactGenerator; known: Sour"),
        ("Let [(\"a\", 1)] []", "x.b9:1:12: should be a string"),
        ("Let [\"a\"] []", "x.b9:1:6: should be a tuple of 2, (String, String)"),
        ("EachT ['a'] [] []", "x.b9:1:8: should be a string; write \"a\""),
        ("Let [] EmptyArtifact", "x.b9:1:8: should be a list of ArtifactGenerator; write it in br"),
        ('Let [("a\n", "b)] []', "x.b9:2:4: this string is not closed; does the string that begins"),
        ("Artifact {iid = 1}", "x.b9:1:1: Artifact has no fields; write Artifact InstanceId Artif"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place_and_what_was_expected(text: str, said: str) -> None:
    found = problems(text)
    assert found[0].startswith(said)
    assert all(one.isprintable() for one in found)


def test_a_string_whose_end_was_forgotten_is_told_of() -> None:
    (found,) = problems('Let [("a, b),\n ("c", "d")] []')
    assert found.endswith("; does the string that begins in line 1 end where it should?")
    (found,) = problems('Let [("a, b),\n ("c, "d")] []')
    assert found.startswith("x.b9:2:4: did not expect 'c'")
    assert found.endswith("; does the string that begins in line 1 end where it should?")
    (found,) = problems('Let [("a\\\n \\", "b",)] []')
    assert "string that begins" not in found


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(problems('Let [("a",1)] [Artifact (IID 2) (CloudInit [CI_CD] 3)]')) == 4


ERLANG = """ErlangPropList (ErlList [ErlTuple [ErlAtom "a", ErlNatural 1, ErlFloat 1.5, ErlChar 'x',
  ErlBinary "b", ErlString "s"]])"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CopyOnWrite", "ImageTarget Transient (CopyOnWrite (Image \"x\" Raw Ext4)) NotMounted"),
        ("LiveInstallerImage",
         "ImageTarget (LiveInstallerImage \"a\" \"b\" KeepSize) (From \"x\" KeepSize) NotMounted"),
        ("Ext4_64", "ImageTarget Transient (EmptyImage \"x\" Ext4_64 Raw (ImageSize 1 GB)) NotMounted"),
    ],
)  # fmt: skip
def test_what_is_deprecated_is_refused_by_its_name(name: str, text: str) -> None:
    found = problems(f'Artifact (IID "x") (VmImages [{text}] NoVmScript)')
    assert len(found) == 1
    assert f"{name} is not supported by raptorctl; {REFUSED[name]}" in found[0]


@pytest.mark.parametrize("tree", [f"AST ({ERLANG})", 'ASTObj [("a", ASTInt 1)]', "ASTMerge []"])
def test_erlang_is_read_and_refused_by_its_name(tree: str) -> None:
    found = problems(f'Sources [FromContent "sys.config" (RenderErlang ({tree}))] []')
    assert found == [
        "x.b9:1:36: RenderErlang is not supported by raptorctl; " + REFUSED["RenderErlang"]
    ]


@pytest.mark.parametrize("name", GONE)
def test_words_of_earlier_versions_say_what_is_written_since(name: str) -> None:
    assert problems(name) == [
        f"x.b9:1:1: {name} is of an earlier version of B9; write {GONE[name]}"
    ]
    assert not any(name in constructors for constructors in TYPES.values())


def test_a_literal_is_of_its_tree() -> None:
    tree = 'Sources [FromContent "x" (Render%s (AST (%s)))] []'
    yaml, cloud = 'YamlObject "a: 1"', 'MkCloudConfigYaml {fromCloudConfigYaml = YamlObject "a: 1"}'
    assert read_b9(tree % ("YamlObject", yaml), "x.b9")
    assert read_b9(tree % ("CloudConfig", cloud), "x.b9")
    assert "YamlObject does not belong here" in problems(tree % ("CloudConfig", yaml))[0]
    bare = 'MkCloudConfigYaml (YamlObject "a: 1")'
    assert "should have fields" in problems(tree % ("CloudConfig", bare))[0]


def test_each_constructor_is_of_one_type_but_those_of_trees() -> None:
    names = [con for name, cons in TYPES.items() if not name.endswith("Tree") for con in cons]
    assert sorted(names) == sorted(set(names))
    assert set(FIELDS) <= set(names)
    assert set(REFUSED) <= set(names)


def test_without_lark_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lark", None)
    with pytest.raises(MissingError) as caught:
        read_b9("EmptyArtifact", "x.b9")
    assert caught.value.brief == "'x.b9' is a B9 build file, and lark is not installed"
    assert "python3-lark" in caught.value.resolution
