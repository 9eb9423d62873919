"""B9 build files, as builds of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from raptorctl.errors import InputError
from raptorctl.model.build_set import BuildSet
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


def build_sets(
    files: Sequence[BuildText],
    variables: Mapping[str, str],
    given: Sequence[Mapping[str, str]],
) -> list[BuildSet]:
    """Read build files as one, once for each way in which some variables are set.

    Args:
        files: in their order; at least one.
        variables: that are set in each.
        given: more of them, for each time.

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

    first = files[0].file
    read = [read_b9(one.text, one.file) for one in files]
    known = {"projectRoot": str(PurePosixPath(first).parent), **variables}
    sets = [lowered(unfold(read, {**known, **more}), make, first) for more in given]
    sources = (*(one.file for one in files), *sorted(supply.files))
    return [replace(one, sources=sources) for one in sets]


def _expanded(text: str, known: Mapping[str, str]) -> str:
    from raptorctl.read.b9.variables import Unset, expanded

    made = expanded(text, known)
    if isinstance(made, Unset):
        raise InputError(made.problem, resolution=made.hint)
    return made
