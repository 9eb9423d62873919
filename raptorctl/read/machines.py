"""A file of machines in any format that is read, to the one noun."""

from raptorctl.errors import MissingError
from raptorctl.model.names import shown
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry_machines import SUFFIXES, parse_registry_machines
from raptorctl.read.vmfile import Tree, parse_vmfile, vmfile_tree

KDL = ".kdl"


def parse_machines(text: str, reader: Reader) -> RaptorFile:
    """Read a file of machines, whose name tells what it is.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        MissingError: its format needs a library that is not installed.
    """
    if reader.file.endswith(SUFFIXES):
        return parse_registry_machines(text, reader)
    if not reader.file.endswith(KDL):
        return parse_raptor_file(text, reader)
    try:
        return parse_vmfile(text, reader)
    except ImportError as error:
        raise _without_kdl(reader.file) from error


def foreign_tree(text: str, file: str) -> Tree:
    """Read a file of another tool as tables of ours.

    Raises:
        FileError, MissingError: as `parse_machines`.
    """
    try:
        return vmfile_tree(text, file)
    except ImportError as error:
        raise _without_kdl(file) from error


def _without_kdl(file: str) -> MissingError:
    return MissingError(
        f"{shown(file)} is KDL, and kdlquery is not installed",
        resolution="pip install 'raptorctl[kdl]'",
    )
