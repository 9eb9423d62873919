"""Pages of docs as stories: what is typed, what is answered, and what is then shown."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs/tutorial.md"
BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANSWER: Final = re.compile(r"(Go on\? \[y/N\]|Type that name to go on:) (\w\S*)$", re.MULTILINE)


@dataclass(frozen=True)
class Act:
    """One command of the page.

    Args:
        line: as it is typed.
        shown: what the page shows below it, with what is answered.
    """

    line: str
    shown: str

    @property
    def words(self) -> list[str]:
        """The command, word for word; what runs on the host comes after `lab`."""
        return shlex.split(self.line)

    @property
    def answer(self) -> str:
        """What is typed when it asks."""
        return "".join(f"{word}\n" for _, word in ANSWER.findall(self.shown))

    @property
    def refused(self) -> bool:
        """Whether the page shows its error."""
        return self.shown.startswith("raptorctl: ")


def acts(page: Path = PAGE) -> Iterator[Act]:
    """Give a page's commands in their order; by default, the tutorial's."""
    for block in BLOCK.findall(page.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            yield Act(line, shown)
