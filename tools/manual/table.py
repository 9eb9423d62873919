"""What the documentation says already, and man pages say too."""

import re
from itertools import dropwhile, takewhile

from tools.manual import CHECKOUT


def opening(page: str) -> str:
    """Return the first paragraph of a page.

    Args:
        page: path below the checkout.
    """
    return (CHECKOUT / page).read_text().split("\n\n")[1]


def rows(page: str, heading: str) -> list[tuple[str, str]]:
    """Return the first two columns of the first table below a heading, without links.

    Args:
        page: path below the checkout.
        heading: of the second level.
    """
    text = (CHECKOUT / page).read_text().split(f"\n## {heading}\n")[1]
    table = takewhile(_is_row, dropwhile(lambda line: not _is_row(line), text.splitlines()))
    return [(name, said) for name, said, *_ in map(_cells, [*table][2:])]


def _is_row(line: str) -> bool:
    return line.startswith("|")


def _cells(line: str) -> list[str]:
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line)
    return [cell.strip() for cell in plain.strip("|").split(" | ")]
