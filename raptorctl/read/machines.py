"""A file of machines in any format that is read, to the one noun."""

from raptorctl.model.raptor_file import RaptorFile
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry_machines import SUFFIXES, parse_registry_machines
from raptorctl.read.vmfile import parse_vmfile

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
    return parse_vmfile(text, reader)
