"""Files of people who mean harm: refused in a line, whatever reads them.

Elsewhere are what a profile in bash may do (`tests/integration/test_shell_profile.py`), symbolic
links (`tests/unit/host/system/test_caller.py`, `tests/unit/cli/test_registry.py`), and letters that
mean something to a shell or to make (`tests/unit/render/test_makefile.py`, `test_provisioner.py`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from raptorctl.errors import RaptorError
from raptorctl.model.diagnostic import FileError
from raptorctl.read.b9.typed import read_b9
from raptorctl.read.build_file import BuildReader, parse_builds
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry import parse_registry
from raptorctl.read.shell_profile import parse_said, profile_table
from raptorctl.read.vmfile import parse_vmfile

READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "machines": lambda text: parse_raptor_file(text, Reader("f")),
    "builds": lambda text: parse_builds(text, BuildReader("f")),
    "vmfile": lambda text: parse_vmfile(text, Reader("f", "alice")),
    "registry": lambda text: parse_registry([("f", text)]).machines(),
    "b9": lambda text: read_b9(text, "f"),
}
MANY: Final = 5000
DEEP: Final = {
    "TOML's brackets": ("machines", f"x = {'[' * MANY}{']' * MANY}"),
    "TOML's brackets that nobody closes": ("machines", f"x = {'[' * MANY}"),
    "TOML's braces": ("machines", f"x = {'{a = ' * MANY}"),
    "a key of TOML's with many parts": ("machines", f"{'a.' * 50 * MANY}a = 1"),
    "such a key in a table": ("machines", f"x = {{{'a.' * 50 * MANY}a = 1}}"),
    "a table of many parts": ("machines", f"[{'a.' * MANY}a]"),
    "brackets in a file of builds": ("builds", f"x = {'[' * MANY}{']' * MANY}"),
    "a key with many parts in a file of builds": ("builds", f"{'a.' * 50 * MANY}a = 1"),
    "KDL's blocks": ("vmfile", f"{'a {' * MANY}{'}' * MANY}"),
    "KDL's blocks that nobody closes": ("vmfile", 'vm "a" {' * MANY),
    "KDL's comments": ("vmfile", "/*" * MANY),
    "YAML's lists": ("registry", f"{'[' * MANY}{']' * MANY}"),
    "YAML's dashes": ("registry", f"{'- ' * MANY}x"),
    "YAML's tables": ("registry", "{a: " * MANY),
    "YAML that contains itself": ("registry", "&a [*a]"),
    "Haskell's lists": ("b9", f"{'[' * MANY}{']' * MANY}"),
    "Haskell's parentheses": ("b9", f"Artifact {'(' * MANY}"),
    "Haskell's comments": ("b9", "{-" * MANY),
}


@pytest.mark.parametrize("what", DEEP)
def test_what_is_nested_without_end_is_refused_in_a_line(what: str) -> None:
    reader, text = DEEP[what]
    with pytest.raises(RaptorError) as refused:
        READERS[reader](text)
    said = str(refused.value)
    assert said.startswith("f")
    assert len(said) < 300
    assert "\n" not in said


@pytest.mark.parametrize("reader", ["machines", "builds"])
def test_a_number_that_python_does_not_read_is_refused(reader: str) -> None:
    with pytest.raises(FileError, match="f: has a number of too many digits"):
        READERS[reader](f"x = {'1' * MANY}")


@pytest.mark.parametrize("reader", ["machines", "builds"])
def test_dots_are_no_harm_where_they_are_no_key(reader: str) -> None:
    dots = "." * MANY
    READERS[reader](f'# {dots}\n[vars]\na = "{dots}"\nb = """\n{"a." * MANY}\n"""\n')


def test_a_bomb_of_anchors_is_refused() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    with pytest.raises(FileError) as refused:
        READERS["registry"]("\n".join(lines))
    assert "has more than 100000 values" in str(refused.value.details)


def test_variables_that_double_each_other_are_refused() -> None:
    doubled = "".join(f'v{n + 1} = "${{v{n}}}${{v{n}}}"\n' for n in range(60))
    text = f'[vars]\nv0 = "x"\n{doubled}[machine.alice-web]\nimage = "${{v60}}"'
    with pytest.raises(FileError) as refused:
        READERS["machines"](text)
    assert "becomes longer than 1024 KiB" in str(refused.value.details)


NODE: Final = """
nodes: [{name: here, libvirt: {connection: {uri: "qemu:///session"}}}]
images: [{name: a, tags: [{pattern: latest, url: "https://a.example/a.img", volumeName: a.qcow2}]}]
"""
OUTSIDE: Final = (
    "..",
    "../x",
    "/etc",
    "a/../b",
    ".",
    "a b",
    "$(id)",
    "`id`",
    "a;id",
    "-rf",
    "%s",
    "",
)


def named(name: str) -> dict[str, str]:
    """Files with a machine, or a build, or a tenant, of that name."""
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    said = f'"{text}"'
    return {
        "machines": f'[machine."alice-{text}"]\nimage = "a:1"',
        "builds": f'[build.{said}]\nfrom = "a:1"\noutput = [{{ image = "x" }}]',
        "vmfile": f'vm {said} {{ image "a.qcow2"; }}',
        "registry": f"{NODE}vms: [{{name: {said}, nodeName: here, image: a, provisioner: v1alpha1, "
        'libvirt: {domain: {name: "x"}}}]',
    }


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("reader", ["machines", "builds", "vmfile", "registry"])
def test_a_name_that_leads_out_of_its_folder_or_into_a_shell_is_refused(
    reader: str, name: str
) -> None:
    READERS[reader](named("web")[reader])
    with pytest.raises(FileError):
        READERS[reader](named(name)[reader])


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_tenant_of_such_a_name_is_refused(name: str) -> None:
    with pytest.raises(FileError, match="tenant's name"):
        READERS["machines"](f'[tenant."{name}"]\nkeys = []')


@pytest.mark.parametrize("to", ["../x", "/../x", "/a/../../x", "x", ""])
def test_what_goes_into_a_build_goes_nowhere_else(to: str) -> None:
    text = f'[build.a]\nfrom = "a:1"\noutput = [{{ image = "x" }}]\nfiles = [{{ content = "", to = "{to}" }}]'
    with pytest.raises(FileError, match=r"should be an absolute path, without \.\.|is missing"):
        READERS["builds"](text)


@pytest.mark.parametrize("said", [b"", b"\0", b"\xff" * 100, b"DOMAIN\0../x\0" * MANY, b"=" * MANY])
def test_what_a_profile_prints_is_a_profile_or_refused(said: bytes) -> None:
    with pytest.raises(RaptorError):
        profile_table(parse_said(said, "f"), "f", "key")
