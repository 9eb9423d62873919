"""`$name` and `${name}` in a build file, as Haskell's Data.Text.Template takes them.

A name begins with a small letter or `_`; `$$` is a dollar; any other dollar is an error.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from raptorctl.model.b9 import Con, Place
from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.names import shown
from raptorctl.model.registry import Text

LONGEST: Final = 1 << 20
"""Characters of one text with everything put in: names could stand for names that double."""
MOST: Final = 1 << 24
"""Characters of all texts of a file together."""
EACH: Final = 16
"""What each counts at least: a million empty ones take their time as well."""
_NAME: Final = r"(?:[a-z_]|(?![A-Z])[^\W\d])[\w']*"
_USE: Final = re.compile(
    rf"\$(?:(?P<dollar>\$)|\{{(?P<braced>{_NAME})\}}|(?P<bare>{_NAME})|(?P<wrong>))"
)
_HOST_ONLY: Final = {
    "buildDir": "a build's folder is its own, and goes with it",
}
"""Variables of B9 that mean nothing here, and why."""


@dataclass(frozen=True)
class Unset:
    """A text that cannot be expanded.

    Args:
        problem, hint: why, and what to do.
    """

    problem: str
    hint: str


@dataclass
class Expanding:
    """All that is expanded of one file.

    Args:
        wrong: what could not be.
        left: characters that may still be written.
    """

    wrong: list[Diagnostic] = field(default_factory=list)
    left: int = MOST

    def tell(self, at: Place, problem: str, hint: str = "") -> None:
        """Say that something is wrong."""
        self.wrong.append(Diagnostic(*at, "", problem, hint))

    def text(self, said: str, known: Mapping[str, str], at: Place = ("", 0, 0)) -> Text:
        """Expand a text; what is wrong is told, in its place.

        Args:
            said: a text, which may know its place.
            known: what each name stands for.
            at: where it is, if it does not know.
        """
        if isinstance(said, Text):
            at = (said.file, said.line, said.column)
        made = expanded(said, known) if self.left > 0 else ""
        if isinstance(made, Unset):
            self.tell(at, made.problem, made.hint)
            return Text("", at)
        if 0 < self.left <= len(made) + EACH:
            self.tell(at, f"all texts of all artifacts are more than {MOST} characters")
        self.left -= len(made) + EACH
        return Text(made, at)

    def con(self, con: Con, known: Mapping[str, str]) -> Con:
        """Expand all texts of a constructor; a fixup has none that are."""
        args = tuple(
            one if con.name == "VmImagesWithFixup" and place == 2 else self._any(one, known)
            for place, one in enumerate(con.args)
        )
        return Con(con.name, args, con.at)

    def _any(self, value: object, known: Mapping[str, str]) -> object:
        if isinstance(value, Con):
            return self.con(value, known)
        if isinstance(value, tuple):
            return tuple(self._any(one, known) for one in value)
        return self.text(value, known) if isinstance(value, Text) else value


def expanded(said: str, known: Mapping[str, str], longest: int = LONGEST) -> str | Unset:
    """Put in what names stand for.

    Args:
        said: any text.
        known: what each name stands for.
        longest: characters that it may become.
    """
    parts, size, at = [], 0, 0
    for match in _USE.finditer(said):
        name = match["braced"] or match["bare"]
        if name is None and not match["dollar"]:
            hint = "write ${name}, which begins with a small letter, or $$ for a dollar"
            return Unset(f"this $ stands for nothing in {shown(said)}", hint)
        if name is not None and name not in known:
            return _unknown(name, known)
        parts += [said[at : match.start()], "$" if name is None else known[name]]
        size += len(parts[-2]) + len(parts[-1])
        at = match.end()
        if size > longest:
            break
    if size + len(said) - at > longest:
        return Unset(f"becomes longer than {longest} characters", "")
    return "".join((*parts, said[at:]))


def _unknown(name: str, known: Mapping[str, str]) -> Unset:
    if name in _HOST_ONLY:
        return Unset(f"there is no ${{{name}}} here", _HOST_ONLY[name])
    if name.startswith("arg_"):
        return Unset(f"there is no ${{{name}}}", "give the arguments after --")
    names = sorted(one for one in known if re.fullmatch(_NAME, one) and one.isprintable())
    return Unset(f"there is no variable {shown(name)}", f"known: {', '.join(names)}")
