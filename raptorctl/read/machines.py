"""A file of machines in any format that is read, to the one noun."""

from collections.abc import Sequence

from raptorctl.model.file_format import FileFormat, MachinesFormat
from raptorctl.model.raptor_file import RaptorFile
from raptorctl.read.file_format import format_of, read_as
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry_machines import parse_registry_machines
from raptorctl.read.vmfile import parse_vmfile


def parse_machines(
    files: Sequence[tuple[str, str]], reader: Reader, said: FileFormat | None = None
) -> RaptorFile:
    """Read a file of machines in any format.

    Args:
        files: name and text; a registry may have many.
        reader: how it is to be read.
        said: its format; by default, its name or its text tell.

    Raises:
        FileError: something in it cannot be; all of it, with line and column.
        MissingError: its format needs a library that is not installed.
    """
    file, text = files[0]
    form = said or format_of(reader.file, text, MachinesFormat) or FileFormat.RAPTOR
    with read_as(form, file, text, MachinesFormat):
        match form:
            case FileFormat.REGISTRY:
                return parse_registry_machines(files, reader)
            case FileFormat.VMFILE:
                return parse_vmfile(text, reader)
            case _:
                return parse_raptor_file(text, reader)
