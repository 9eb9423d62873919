"""A file of another tool's machines, as a file of ours."""

from dataclasses import replace

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.read.machines import KDL
from raptorctl.read.registry_machines import SUFFIXES, registry_tables
from raptorctl.read.vmfile import Tree, vmfile_tree
from raptorctl.render.raptor_toml import SCHEMA, table_lines


def import_file(text: str, file: str, owner: str, tenant: str = "") -> str:
    """Return the same machines as `raptor.toml`; a comment says what could not come along.

    Args:
        text: of a VMFile, or of a registry of vmp in one file.
        file: its name.
        owner: whose machines all are on a session host; "" on a shared host.
        tenant: on a shared host, whose they are to be.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        InputError: it is of no format that is read; or nobody says whose machines they are.
    """
    if not file.endswith((KDL, *SUFFIXES)):
        raise InputError(
            f"{shown(file)} is no file that can be imported",
            resolution="names end in .kdl (VMFile), .yaml (registry), .sh (profile), .b9 or .conf",
        )
    refuse_unclear(owner, tenant)
    tree = _tree(text, file, "slot" if tenant else "user")
    lines = [SCHEMA]
    for name, said in tree.data["machine"].items():
        left = [str(replace(one, file="not imported")) for one in tree.left[name]]
        lines += table_lines(("machine", f"{tenant}-{name}" if tenant else name), said, left)
    return "\n".join(lines) + "\n"


def _tree(text: str, file: str, reached: str) -> Tree:
    is_kdl = file.endswith(KDL)
    return vmfile_tree(text, file, reached) if is_kdl else registry_tables(text, file)


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
