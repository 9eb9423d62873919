"""Which format a file is of: its name says it, else its text; what is another's is told by place."""

import pytest

from raptorctl.model.diagnostic import FileError
from raptorctl.model.file_format import BuildsFormat, FileFormat, ImportFormat, MachinesFormat
from raptorctl.read.file_format import by_name, format_of, read_as

TEXTS = {
    FileFormat.RAPTOR: '# ours\n[machine.web]\nsteps = [{ inline = """\nvms:\nvm "a" {}\n""" }]\n',
    FileFormat.VMFILE: '// hers\nvm "web" {\n  provision "shell" { inline #"""\n[machine.x]\n"""# }\n}\n',
    FileFormat.REGISTRY: '# vmp\'s\nvms:\n  a: |\n    vm "x"\n    [machine.x]\n',
    FileFormat.B9: 'Artifact (IID "web")\n  (VmImages [] NoVmScript)\n',
    FileFormat.SHELL: "DOMAIN=web\ngenerate_user_data() {\n  cat <<E\nvms:\nE\n}\n",
}


@pytest.mark.parametrize(
    ("file", "form"),
    [
        ("x.toml", FileFormat.RAPTOR), ("VMFile.kdl", FileFormat.VMFILE),
        ("a.yaml", FileFormat.REGISTRY), ("r/*.yml", FileFormat.REGISTRY), ("p.sh", FileFormat.SHELL),
        ("x.b9", FileFormat.B9), ("b9.conf", FileFormat.B9_CONF), ("/a/b9.conf.4.0", FileFormat.B9_CONF),
        ("x.conf.b", None), ("b9", None), ("-", None), ("web", None),
    ],
)  # fmt: skip
def test_a_name_says_it(file: str, form: FileFormat | None) -> None:
    assert by_name(file) is form


@pytest.mark.parametrize("form", TEXTS)
def test_where_a_name_says_nothing_the_first_sign_in_the_text_does(form: FileFormat) -> None:
    for formats in (MachinesFormat, BuildsFormat, ImportFormat):
        if form.value in list(formats):
            assert format_of("-", TEXTS[form], formats) is form


def test_a_name_counts_more_than_a_text_and_only_what_can_be_is_told() -> None:
    vmfile = TEXTS[FileFormat.VMFILE]
    assert format_of("a.yaml", vmfile, MachinesFormat) is FileFormat.REGISTRY
    assert format_of("a.toml", vmfile, ImportFormat) is None
    assert format_of("a.conf", vmfile, MachinesFormat) is FileFormat.VMFILE
    assert format_of("-", TEXTS[FileFormat.B9], MachinesFormat) is None


def refused(form: FileFormat, text: str) -> str:
    with pytest.raises(FileError) as error, read_as(form, "f", text, MachinesFormat):
        raise FileError("f", ["f:1:1: is wrong", "f:2:1: is wrong, too"])
    return str(error.value)


def test_what_cannot_be_read_and_is_anothers_is_told_in_one_line() -> None:
    assert refused(FileFormat.RAPTOR, TEXTS[FileFormat.VMFILE]) == (
        "f:2:1: is a line of a VMFile, and was read as a raptor.toml; say --format vmfile"
    )
    assert (
        "f:1:1: is a line of a build file of B9's, and was read as a registry of vmp; it is for "
        "`raptorctl build`" in refused(FileFormat.REGISTRY, TEXTS[FileFormat.B9])
    )
    assert "f:2:1: is a line of a profile in bash" in refused(
        FileFormat.RAPTOR, TEXTS[FileFormat.SHELL]
    )
    for form, text in TEXTS.items():  # of which it is no question
        assert refused(form, text) == "f has 2 errors"
    assert refused(FileFormat.RAPTOR, "nothing of the kind\n") == "f has 2 errors"
