"""A build file as it is laid out by `raptorctl reformat`, with its comments.

What fits a line is on one; else each argument and each item has a line of its own, with commas in
front, as Haskell's `ppShow` and B9 write it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from raptorctl.read.b9 import literal as b9
from raptorctl.read.b9.comments import Comment
from raptorctl.read.b9.strings import quoted

WIDTH: Final = 88
_FAR: Final = (1 << 62, 0)
"""Behind the end of every file."""

Lines = list[str]
Position = tuple[int, int]


def reformatted(document: b9.Document) -> str:
    """Return the file.

    Args:
        document: as it was parsed.
    """
    layout = _Layout(list(document.comments))
    lines = [*layout.before(document.value.start)]
    lines += layout.item(document.value, WIDTH, _FAR)
    return "\n".join((*lines, *layout.before(_FAR), ""))


@dataclass
class _Layout:
    """One file that is written, from its beginning to its end.

    Args:
        waiting: comments that are not written yet.
        open: whether what was written last is a comment to the end of its line.
    """

    waiting: list[Comment]
    open: bool = False

    def before(self, position: Position) -> Iterator[str]:
        """Take the comments up to a place, each on lines of its own."""
        while self.waiting and _start(self.waiting[0]) < position:
            yield from _comment(self.waiting.pop(0))

    def item(self, node: b9.Literal, room: int, until: Position, *, part: bool = False) -> Lines:
        """Lay out what begins a line, and put the comments of its last line behind it.

        Args:
            node: what is written.
            room: columns that are left.
            until: where what follows it begins.
            part: whether it is an argument, which may need parentheses.
        """
        around = part and _needs_parentheses(node)
        lines = self._body(node, room - 2 * around, until)
        if around:
            lines = ["(" + lines[0], *(f" {line}" for line in lines[1:])]
            # Behind a comment to the end of its line, a parenthesis would be of the comment.
            lines = [*lines, ")"] if self.open else [*lines[:-1], lines[-1] + ")"]
            self.open = False
        while self.waiting and _is_behind(self.waiting[0], node, until):
            said = self.waiting.pop(0).text
            lines = [*lines[:-1], f"{lines[-1]}  {said}"]
            self.open = said.startswith("--")
        return lines

    def _body(self, node: b9.Literal, room: int, until: Position) -> Lines:
        flat, self.open = _flat(node), False
        inside = self.waiting and _start(self.waiting[0]) < node.end
        if not inside and len(flat) <= room:
            return [flat]
        match node:
            case b9.Apply(name=name, parts=parts) if parts:
                return self._arguments(name, parts, room, until)
            case b9.Fields(name=name, fields=fields) if fields or inside:
                starts = [f"{key} = " for key, _ in fields]
                values = [value for _, value in fields]
                return [name, *_indented(self._items(node, values, room - 2, starts))]
            case b9.Sequence(parts=parts) if parts or inside:
                return self._items(node, parts, room)
            case b9.String(text=text, is_character=False):
                return _broken(text)
        return [flat]

    def _arguments(
        self, name: str, parts: Sequence[b9.Literal], room: int, until: Position
    ) -> Lines:
        """A constructor with its first simple arguments, and the others below."""
        head, count = name, 0
        for part, following in _pairs(parts, until)[:-1]:
            commented = self.waiting and _start(self.waiting[0]) < following
            if commented or not _is_simple(part):
                break
            head, count = f"{head} {_flat(part, part=True)}", count + 1
        lines = [head]
        for part, following in _pairs(parts[count:], until):
            below = [*self.before(part.start), *self.item(part, room - 2, following, part=True)]
            lines += _indented(below)
        return lines

    def _items(
        self, node: b9.Literal, parts: Sequence[b9.Literal], room: int, starts: Sequence[str] = ()
    ) -> Lines:
        """What is in brackets, each with what it starts with."""
        brackets = _brackets(node)
        end = (node.last, node.until - 1)
        lines: Lines = []
        for number, (part, following) in enumerate(_pairs(parts, end)):
            said = starts[number] if starts else ""
            above = [*self.before(part.start)]
            first, *others = self.item(part, room - 2 - len(said), following)
            whole = [*above, said + first, *(" " * len(said) + line for line in others)]
            lines += [f"{',' if number else brackets[0]} {whole[0]}", *_indented(whole[1:])]
        below = [*self.before(end)]
        if not parts:  # and yet there are comments
            lines, below = [f"{brackets[0]} {below[0]}"], below[1:]
        self.open = False
        return [*lines, *_indented(below), brackets[1]]


def _pairs(parts: Sequence[b9.Literal], until: Position) -> list[tuple[b9.Literal, Position]]:
    """Each part, and where what follows it begins."""
    following = [*(part.start for part in parts[1:]), until]
    return list(zip(parts, following, strict=False))


def _flat(node: b9.Literal, *, part: bool = False) -> str:
    """All of it on one line, without comments."""
    if part and _needs_parentheses(node):
        return f"({_flat(node)})"
    match node:
        case b9.Apply(name=name, parts=parts):
            return " ".join((name, *(_flat(one, part=True) for one in parts)))
        case b9.Fields(name=name, fields=fields):
            return f"{name} {{{', '.join(f'{key} = {_flat(value)}' for key, value in fields)}}}"
        case b9.Sequence(parts=parts, is_list=is_list):
            within = ", ".join(map(_flat, parts))
            return f"[{within}]" if is_list else f"({within})"
        case b9.String(text=text, is_character=is_character):
            return _character(text) if is_character else quoted(text)
        case b9.Number(said=said):
            return said
    raise AssertionError(node)


def _character(letter: str) -> str:
    if letter in {"'", '"'}:
        return r"'\''" if letter == "'" else "'\"'"
    return f"'{quoted(letter)[1:-1]}'"


def _broken(text: str) -> Lines:
    """A string of several lines, with a gap behind each (Haskell 2010 report, 2.6)."""
    pieces = text.splitlines(keepends=True)
    if len(pieces) < 2:
        return [quoted(text)]
    first, *others = (quoted(piece)[1:-1] for piece in pieces)
    lines = [f'"{first}\\', *(f" \\{piece}\\" for piece in others)]
    return [*lines[:-1], lines[-1][:-1] + '"']


def _brackets(node: b9.Literal) -> str:
    if isinstance(node, b9.Fields):
        return "{}"
    return "[]" if isinstance(node, b9.Sequence) and node.is_list else "()"


def _needs_parentheses(node: b9.Literal) -> bool:
    if isinstance(node, b9.Apply):
        return bool(node.parts)
    return isinstance(node, b9.Number) and node.said.startswith("-")


def _is_simple(node: b9.Literal) -> bool:
    """What may stay behind its constructor: `Artifact (IID "web")`."""
    if isinstance(node, b9.Apply):
        return not node.parts or (len(node.parts) == 1 and _is_simple(node.parts[0]))
    return isinstance(node, b9.String | b9.Number) and len(_flat(node)) < WIDTH // 2


def _indented(lines: Sequence[str]) -> Lines:
    return [f"  {line}" if line else line for line in lines]


def _is_behind(comment: Comment, node: b9.Literal, until: Position) -> bool:
    """Whether a comment is of the line on which a value ends, and of nothing that follows."""
    beside = comment.line == node.last and _start(comment) < until
    return beside and not comment.alone and "\n" not in comment.text


def _start(comment: Comment) -> Position:
    return comment.line, comment.column


def _comment(comment: Comment) -> Lines:
    """Its lines, without the column that it stood in."""
    first, *others = comment.text.splitlines()
    margin = comment.column - 1
    return [first, *(line[min(margin, len(line) - len(line.lstrip())) :] for line in others)]
