"""A build file's `Let`, `LetX`, `Each` and `EachT`, carried out: what is left is its artifacts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from raptorctl.model.b9 import Con
from raptorctl.model.diagnostic import refuse
from raptorctl.model.names import shown
from raptorctl.model.registry import Text
from raptorctl.read.b9.variables import Expanding

MOST_ARTIFACTS: Final = 1000
MOST_ROUNDS: Final = 10_000
"""How often variables are set: a `LetX` of ten lists of ten would take for ever."""
INSTANCE: Final = "instance_id"
"""The variable that is an artifact's name; B9 documents it, and sets it too late."""
NO_PLACE: Final = ("", 0, 0)

Known = Mapping[str, str]
Bindings = Sequence[tuple[Text, Text]]


@dataclass(frozen=True)
class Artifact:
    """One thing to be made.

    Args:
        name: its instance id.
        assembly: a `CloudInit`, `VmImages` or `VmImagesWithFixup`, expanded.
        sources: `ArtifactSource`s, outermost first, not yet expanded.
        known: the variables where it stands.
    """

    name: Text
    assembly: Con
    sources: tuple[Con, ...]
    known: Known = field(repr=False)


def unfold(generators: Sequence[Con], known: Known) -> tuple[Artifact, ...]:
    """Carry out files, one after the other, as one.

    Args:
        generators: of the files, read.
        known: the variables that are set already.

    Raises:
        FileError: a variable is unknown or set twice, lists do not fit; all of it, with places.
    """
    unfolding = _Unfolding()
    artifacts = [
        one for generator in generators for one in unfolding.generator(generator, (), known)
    ]
    if not unfolding.expanding.wrong:
        unfolding.twice(artifacts)
    refuse(generators[0].at[0], unfolding.expanding.wrong)
    return tuple(artifacts)


@dataclass
class _Unfolding:
    expanding: Expanding = field(default_factory=Expanding)
    rounds: int = 0
    made: int = 0

    def generator(self, con: Con, sources: tuple[Con, ...], known: Known) -> Iterator[Artifact]:
        match con.name, con.args:
            case "Artifact", (iid, assembly):
                yield from self._artifact(con, iid, assembly, sources, known)
            case "Sources", (more, body):
                yield from self._all(body, (*sources, *more), known)
            case _, (*_, body):
                for bindings in self._rounds(con):
                    inner = self._bound(con, bindings, known)
                    if inner is None:
                        return
                    yield from self._all(body, sources, inner)

    def _all(
        self, body: Sequence[Con], sources: tuple[Con, ...], known: Known
    ) -> Iterator[Artifact]:
        for one in body:
            yield from self.generator(one, sources, known)

    def _artifact(
        self, con: Con, iid: Con, assembly: Con, sources: tuple[Con, ...], known: Known
    ) -> Iterator[Artifact]:
        self.made += 1
        if self.made > MOST_ARTIFACTS:
            if self.made == MOST_ARTIFACTS + 1:
                self.expanding.tell(con.at, f"makes more than {MOST_ARTIFACTS} artifacts")
            return
        name = self.expanding.text(iid.args[0], known)
        known = {**known, INSTANCE: str(name)}
        yield Artifact(name, self.expanding.con(assembly, known), sources, known)

    def _rounds(self, con: Con) -> Iterator[Bindings]:
        """Which variables a generator sets, each time that it is carried out."""
        match con.name, con.args:
            case "Let", (bindings, _):
                yield bindings
            case "LetX", (lists, _):
                keys = [key for key, _ in lists]
                for values in product(*(values for _, values in lists)):
                    yield list(zip(keys, values, strict=True))
            case "Each", (lists, _):
                yield from self._each(con, lists)
            case "EachT", (keys, rows, _):
                yield from self._each_row(con, keys, rows)

    def _each(self, con: Con, lists: Sequence[tuple[Text, Sequence[Text]]]) -> Iterator[Bindings]:
        if not lists:
            self.expanding.tell(con.at, "Each has no variables")
            return
        lengths = ", ".join(f"{shown(key)} {len(values)}" for key, values in lists)
        if len({len(values) for _, values in lists}) > 1:
            problem = "the lists of this Each are not of one length"
            self.expanding.tell(con.at, problem, f"it has {lengths}")
            return
        if not lists[0][1]:
            self.expanding.tell(con.at, "the lists of this Each are empty", "write values in them")
            return
        for row in zip(*(values for _, values in lists), strict=True):
            yield [(key, value) for (key, _), value in zip(lists, row, strict=True)]

    def _each_row(
        self, con: Con, keys: Sequence[Text], rows: Sequence[Sequence[Text]]
    ) -> Iterator[Bindings]:
        for number, row in enumerate(rows, 1):
            if len(row) != len(keys):
                problem = f"row {number} of this EachT has {len(row)} values for {len(keys)} names"
                self.expanding.tell(con.at, problem)
                return
        for row in rows:
            yield list(zip(keys, row, strict=True))

    def _bound(self, con: Con, bindings: Bindings, known: Known) -> Known | None:
        """Set variables; a value may use those before it. None once it has been too many."""
        self.rounds += 1
        if self.rounds > MOST_ROUNDS or self.made > MOST_ARTIFACTS:
            if self.rounds == MOST_ROUNDS + 1:
                self.expanding.tell(con.at, f"sets variables more than {MOST_ROUNDS} times")
            return None
        inner = dict(known)
        for key, said in bindings:
            value = str(self.expanding.text(said, inner))
            if inner.get(key, value) != value:
                problem = (
                    f"{shown(key)} is {shown(inner[key])} already, and cannot be {shown(value)}"
                )
                self.expanding.tell(
                    (key.file, key.line, key.column), problem, "no name is set twice"
                )
            inner[str(key)] = value
        return inner

    def twice(self, artifacts: Sequence[Artifact]) -> None:
        """Tell of names that two artifacts have: B9 lets the later one overwrite the other."""
        seen: set[str] = set()
        for one in artifacts:
            if one.name in seen:
                at = (one.name.file, one.name.line, one.name.column)
                self.expanding.tell(at, f"two artifacts are called {shown(one.name)}")
            seen.add(str(one.name))
