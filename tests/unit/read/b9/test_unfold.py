"""Let, LetX, Each and EachT by golden vectors, as B9's interpreter carries them out."""

import pytest

from raptorctl.model.diagnostic import FileError
from raptorctl.read.b9.typed import read_b9
from raptorctl.read.b9.unfold import MOST_ARTIFACTS, Artifact, unfold
from raptorctl.read.b9.variables import Unset, expanded

ONE = '[Artifact (IID "%s") (CloudInit [CI_DIR] "out/${instance_id}")]'


def artifacts(text: str, **known: str) -> tuple[Artifact, ...]:
    return unfold([read_b9(text, "x.b9")], known)


def names(text: str, **known: str) -> list[str]:
    return [str(one.name) for one in artifacts(text, **known)]


def problems(text: str, **known: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        artifacts(text, **known)
    return list(caught.value.problems)


VECTORS = {
    'Let [("a", "1"), ("b", "$a${a}x")]' + ONE % "v-$b": ["v-11x"],
    "Let []" + ONE % "v": ["v"],
    'Let [("a", "1"), ("a", "1")]' + ONE % "v-$a": ["v-1"],
    'LetX [("x", ["1", "2", "3"]), ("y", ["a", "b"])]' + ONE % "$x$y":
        ["1a", "1b", "2a", "2b", "3a", "3b"],
    'LetX [("x", ["1", "2"]), ("y", ["$x", "b"])]' + ONE % "$x$y": ["11", "1b", "22", "2b"],
    'LetX [("x", []), ("y", ["a"])]' + ONE % "$x$y": [],
    "LetX []" + ONE % "v": ["v"],
    'Each [("x", ["1", "2", "3"]), ("y", ["a", "b", "c"])]' + ONE % "$x$y": ["1a", "2b", "3c"],
    'EachT ["x", "y"] [["1", "a"], ["2", "b"]]' + ONE % "$x$y": ["1a", "2b"],
    'EachT ["x"] []' + ONE % "$x": [],
    "EachT [] [[], []] [EmptyArtifact]": [],
    'LetX [("x", ["1", "2"])] [Let [("z", "q$x")]' + ONE % "$z" + ', Each [("y", ["a", "b"])]'
    + ONE % "$x$y" + "]": ["q1", "1a", "1b", "q2", "2a", "2b"],
}  # fmt: skip


@pytest.mark.parametrize("text", VECTORS)
def test_generators_make_what_b9_makes_in_its_order(text: str) -> None:
    assert names(text) == VECTORS[text]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('Let [("a", "1"), ("a", "2")] []',
         "x.b9:1:19: 'a' is '1' already, and cannot be '2'; no name is set twice"),
        ('Let [("a", "1")] [LetX [("a", ["1", "2"])] []]',
         "x.b9:1:26: 'a' is '1' already, and cannot be '2'; no name is set twice"),
        ('Let [("a", "$b"), ("b", "1")] []', "x.b9:1:12: there is no variable 'b'; known: "),
        ('Each [("x", ["1", "2"]), ("y", ["a"])] []',
         "x.b9:1:1: the lists of this Each are not of one length; it has 'x' 2, 'y' 1"),
        ('Let [] [Each [("x", []), ("y", [])] []]',
         "x.b9:1:9: the lists of this Each are empty; write values in them"),
        ("Each [] []", "x.b9:1:1: Each has no variables"),
        ('EachT ["x", "y"] [["1", "a"], ["2"]] []',
         "x.b9:1:1: row 2 of this EachT has 1 values for 2 names"),
        ("Let []" + ONE % "${arg_1}", "x.b9:1:22: there is no ${arg_1}; give the arguments after"),
        ("Let []" + ONE % "$HOME", "x.b9:1:22: this $ stands for nothing in '$HOME'; write ${name}"),
        ("Let []" + ONE % "${buildDir}", "x.b9:1:22: there is no ${buildDir} here; a build's folder"),
        ('LetX [("x", ["1", "2"])]' + ONE % "v", "x.b9:1:40: two artifacts are called 'v'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_its_place(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


def test_arguments_are_counted_from_1() -> None:
    assert names("Let []" + ONE % "${arg_1}-$arg_2", arg_1="a", arg_2="b") == ["a-b"]


def test_an_artifact_knows_its_own_name_in_what_makes_it() -> None:
    (one,) = artifacts('Let [("a", "1")]' + ONE % "v-$a")
    assert one.assembly.args[1] == "out/v-1"
    assert one.known["instance_id"] == "v-1"


def test_several_files_are_one_build() -> None:
    files = [read_b9('Artifact (IID "v") (CloudInit [CI_DIR] "x")', name) for name in ("a", "b")]
    with pytest.raises(FileError, match="b:1:15: two artifacts are called 'v'"):
        unfold(files, {})


def test_a_fixup_is_as_it_was_written() -> None:
    """Upstream's specification: a script of the host keeps its `$variable`."""
    (one,) = artifacts(
        'Artifact (IID "v") (VmImagesWithFixup [] NoVmScript (As "$v" [In "$v" [Run "${1}" []]]))'
    )
    assert one.assembly.args[2].args[0] == "$v"


TEN = '["0","1","2","3","4","5","6","7","8","9"]'


def test_what_would_never_end_is_refused() -> None:
    keys = ", ".join(f'("k{number}", {TEN})' for number in range(10))
    assert problems(f"LetX [{keys}] []") == ["x.b9:1:1: sets variables more than 10000 times"]
    four = f'LetX [("a", {TEN}), ("b", {TEN}), ("c", {TEN}), ("d", {TEN})]'
    assert f"makes more than {MOST_ARTIFACTS} artifacts" in problems(four + ONE % "$a$b$c$d")[0]
    double = ", ".join(f'("a{n}", "$a{n - 1}$a{n - 1}")' for n in range(1, 60))
    assert "becomes longer than" in problems(f'Let [("a0", "x"), {double}] []')[0]


def test_many_texts_are_too_many_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("raptorctl.read.b9.variables.EACH", 1 << 20)
    found = problems(f'LetX [("a", {TEN})]' + ONE % "$a")
    assert len(found) == 1
    assert "all texts of all artifacts are more than" in found[0]


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("a$b'c", "a<b'c>"),
        ("${_x}1$$$_x.", "<_x>1$<_x>."),
        ("$größe", "<größe>"),
        ("", ""),
    ],
)  # fmt: skip
def test_names_are_haskells(said: str, meant: str) -> None:
    known = {name: f"<{name}>" for name in ("b'c", "_x", "größe")}
    assert expanded(said, known) == meant


@pytest.mark.parametrize("said", ["$", "$A", "${}", "${a", "$ {a}", "a$1", "${a b}"])
def test_any_other_dollar_is_an_error(said: str) -> None:
    assert isinstance(expanded(said, {"a": "1"}), Unset)
