"""A file of another tool's machines, as a file of ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from raptorctl.api.named_file import KEY, is_file
from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.file_format import FileFormat, ImportFormat
from raptorctl.model.names import shown
from raptorctl.model.spec import CLOUD_TEXTS
from raptorctl.read.file_format import format_of, read_as
from raptorctl.read.registry_machines import registry_tables
from raptorctl.read.vmfile import Tree, vmfile_tree
from raptorctl.render.raptor_toml import SCHEMA, table_lines


def import_file(
    texts: Sequence[tuple[str, str]],
    file: str,
    owner: str,
    tenant: str = "",
    form: FileFormat | None = None,
) -> str:
    """Return the same machines as `raptor.toml`; a comment says what could not come along.

    Args:
        texts: name and text of a VMFile, or of all files of a registry of vmp.
        file: as it was named; paths in what is returned begin where raptorctl runs.
        owner: whose machines all are on a session host; "" on a shared host.
        tenant: on a shared host, whose they are to be.
        form: its format; by default, its name or its text tell.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        InputError: it is of no format that is read; or nobody says whose machines they are.
    """
    form = form or format_of(file, texts[0][1], ImportFormat)
    if form not in {FileFormat.VMFILE, FileFormat.REGISTRY}:
        raise InputError(
            f"{shown(file)} is no file that can be imported",
            resolution="name a VMFile.kdl, registry.yaml, PROFILE.sh, or a .b9 or .conf of B9's; "
            "or say --format",
        )
    refuse_unclear(owner, tenant)
    first, text = texts[0]
    with read_as(form, first, text, ImportFormat):
        is_vmfile, reached = form is FileFormat.VMFILE, "slot" if tenant else "user"
        tree = vmfile_tree(text, file, reached) if is_vmfile else registry_tables(texts)
    lines, many = [SCHEMA], len(texts) > 1
    for name, said in tree.data["machine"].items():
        left = [
            str(replace(one, file=f"not imported: {one.file}" if many else "not imported"))
            for one in (*_unchecked(tree, name), *tree.left[name])
        ]
        table = ("machine", f"{tenant}-{name}" if tenant else name)
        lines += table_lines(table, _from_here(said, str(PurePosixPath(file).parent)), left)
    return "\n".join(lines) + "\n"


def _from_here(said: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A machine's table, whose paths began in a folder."""

    def path(text: str) -> str:
        is_whole = folder == "." or text.startswith(("/", "~/"))
        return text if is_whole else f"{folder}/{text.removeprefix('./')}"

    rules: dict[str, Callable[[Any], Any]] = {
        **dict.fromkeys(("image", "iso"), lambda text: path(text) if is_file(text) else text),
        **dict.fromkeys(CLOUD_TEXTS, path),
        "keys": lambda keys: [key if KEY.match(key) else path(key) for key in keys],
        "steps": lambda steps: [
            {key: path(one) if key in {"run", "copy"} else one for key, one in step.items()}
            for step in steps
        ],
    }
    return {key: rules[key](value) if key in rules else value for key, value in said.items()}


def _unchecked(tree: Tree, name: str) -> Iterator[Diagnostic]:
    """Say of a digest that no key of ours can, how its image is checked all the same."""
    if sha256 := tree.sha256.get(name):
        said = tree.data["machine"][name]
        hint = f"raptorctl image pull {said.get('image') or said['iso']} --sha256 {sha256}"
        yield Diagnostic(*sha256.place, "sha256", "is not checked by `up` of this file", hint)


def refuse_unclear(owner: str, tenant: str) -> None:
    """Refuse to guess whose machines they are to be.

    Args:
        owner: whose all are on a session host; "" on a shared host.
        tenant: who was named.

    Raises:
        InputError: nobody is known, or two are.
    """
    if bool(owner) == bool(tenant):
        hint = "name them with --tenant" if not owner else "leave --tenant out: there are none here"
        raise InputError("whose machines they are to be is not clear", resolution=hint)
