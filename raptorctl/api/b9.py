"""B9 build files, as builds of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from raptorctl.errors import InputError
from raptorctl.model.build import Build
from raptorctl.model.content import Content


@dataclass(frozen=True)
class BuildText:
    """A build file.

    Args:
        file: as it was named; paths in it begin beside it.
        text: what it says.
    """

    file: str
    text: str


def builds_of(
    files: Sequence[BuildText], arguments: Sequence[str], build: tuple[str, str]
) -> tuple[Build, ...]:
    """Read build files, as one build.

    Args:
        files: in their order; at least one.
        arguments: what `${arg_1}` and the following stand for.
        build: its id, and when it began.

    Raises:
        FileError: something in them cannot be; all of it, with places.
        HostError: a server does not give what it should.
        MissingError: Lark is not installed.
    """
    from raptorctl.host.image.supply import GivenSupply
    from raptorctl.read.b9.lower import lowered
    from raptorctl.read.b9.typed import read_b9
    from raptorctl.read.b9.unfold import unfold
    from raptorctl.render.content import Maker

    supply = GivenSupply()

    def make(content: Content, known: Mapping[str, str]) -> bytes:
        return Maker(supply, lambda text: _expanded(text, known)).made(content)

    read = [read_b9(one.text, one.file) for one in files]
    known = known_in(files[0].file, arguments, build)
    return lowered(unfold(read, known), make)


def known_in(file: str, arguments: Sequence[str], build: tuple[str, str]) -> dict[str, str]:
    """Return the variables that a build file begins with.

    Args:
        file: the first one.
        arguments: counted from 1.
        build: its id, and when it began.
    """
    numbered = {f"arg_{number}": said for number, said in enumerate(arguments, 1)}
    build_id, date = build
    folder = str(PurePosixPath(file).parent)
    return {**numbered, "build_id": build_id, "build_date": date, "projectRoot": folder}


def _expanded(text: str, known: Mapping[str, str]) -> str:
    from raptorctl.read.b9.variables import Unset, expanded

    made = expanded(text, known)
    if isinstance(made, Unset):
        raise InputError(made.problem, resolution=made.hint)
    return made
