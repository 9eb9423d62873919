"""Man pages: one of the program, and one of each command with all that is below it."""

from collections.abc import Iterator
from typing import Any, Final

from raptorctl import __version__
from raptorctl.cli.app import command
from raptorctl.cli.commands import COMMANDS, imported
from tools.manual.roff import block, bold, entries, italic, literal, prose, section
from tools.manual.table import opening, rows

DATE: Final = "2026-11-29"
"""Of the version; mandoc asks for one."""

EXIT: Final = ("README.md", "Exit codes")
FILES: Final = ("README.md", "Where everything lives")
ENVIRONMENT: Final = ("docs/README.md", "Environment")
SEE: Final = (("virsh", 1), ("lvm", 8), ("polkit", 8), ("cloud-init", 1), ("named", 8))


def pages() -> dict[str, str]:
    """Return all man pages by their paths below `share/`."""
    whole = command()
    top = _context(whole, "raptorctl", None)
    texts = {"raptorctl": _program(whole, top)}
    for name in COMMANDS:
        texts[f"raptorctl-{name}"] = _command(name, _context(imported(name), name, top))
    return {f"man/man1/{name}.1": text for name, text in texts.items()}


def _context(node: Any, name: str, parent: Any) -> Any:
    return node.context_class(node, info_name=name, parent=parent, **node.context_settings)


def _program(whole: Any, top: Any) -> str:
    listed = entries((bold(name), line) for name, (_, line) in COMMANDS.items())
    each = f"Each has a page of its own, such as\n{bold('raptorctl-provision')}(1)."
    return _page(
        "raptorctl",
        whole.help,
        section("SYNOPSIS", _usage(top)),
        section("DESCRIPTION", prose(opening("README.md"))),
        section("OPTIONS", *_options(top)),
        section("COMMANDS", each, *listed),
        section("EXIT STATUS", *_told(EXIT)),
        section("ENVIRONMENT", *_told(ENVIRONMENT)),
        section("FILES", *_told(FILES)),
        section("EXAMPLES", *_examples(whole)),
        section("SEE ALSO", ",\n".join(f"{bold(name)}({number})" for name, number in SEE)),
    )


def _command(name: str, context: Any) -> str:
    node, below = context.command, list(_below(context))
    acts = [context] if not below or node.invoke_without_command else []
    return _page(
        f"raptorctl-{name}",
        COMMANDS[name][1],
        section("SYNOPSIS", *_synopsis([*acts, *(inner for inner, _ in below)])),
        section("DESCRIPTION", *_paragraphs(node.help)),
        section("ARGUMENTS", *_arguments(context)),
        section("OPTIONS", *_options(context)),
        section("COMMANDS", *(line for _, lines in below for line in lines)),
        section("EXAMPLES", *_examples(node)),
        section("EXIT STATUS", *_told(EXIT)),
        section("SEE ALSO", f"{bold('raptorctl')}(1)"),
    )


def _below(context: Any) -> Iterator[tuple[Any, list[str]]]:
    """Give each command of a group, at any depth, with what is told of it."""
    for name, node in getattr(context.command, "commands", {}).items():
        inner = _context(node, name, context)
        if hasattr(node, "commands"):
            yield from _below(inner)
        else:
            yield inner, _part(inner)


def _part(context: Any) -> list[str]:
    explained = (*_arguments(context), *_options(context))
    head = [f".SS {literal(context.command_path)}", *_paragraphs(context.command.help)]
    return [*head, *explained, ".P", *_examples(context.command)]


def _page(name: str, line: str, *sections: list[str]) -> str:
    title = literal(name.upper())
    head = (
        r".\" Written by `make manual` from the command's own help.",
        f'.TH {title} 1 "{DATE}" "raptorctl {__version__}" "raptorctl manual"',
        ".SH NAME",
        rf"{literal(name)} \- {prose(line[:1].lower() + line[1:].rstrip('.'))}",
    )
    return "\n".join((*head, *(line for part in sections for line in part), ""))


def _synopsis(contexts: list[Any]) -> list[str]:
    usages = [_usage(context) for context in contexts]
    return [line for usage in usages for line in (".br", usage)][1:]


def _usage(context: Any) -> str:
    pieces = context.command.collect_usage_pieces(context)
    words = [italic(piece.strip("{}")) for piece in pieces]
    return " ".join((bold(context.command_path), *words))


def _paragraphs(text: str) -> list[str]:
    return "\n.P\n".join(prose(part) for part in text.split("\n\n")).split("\n")


def _arguments(context: Any) -> list[str]:
    return entries((italic(name), text) for name, text in _records(context, "argument"))


def _options(context: Any) -> list[str]:
    return entries((_option(name), text) for name, text in _records(context, "option"))


def _records(context: Any, kind: str) -> Iterator[tuple[str, str]]:
    """Give what the help says of each parameter; --help itself is the program's page's to tell."""
    node = context.command
    for parameter in node.params if context.parent else node.get_params(context):
        record = parameter.get_help_record(context)
        if record and parameter.param_type_name == kind:
            yield record


def _option(name: str) -> str:
    """`-o, --output <text|json>`: what begins with a hyphen is typed, the rest stands for it."""
    words = (bold(word) if word.startswith("-") else italic(word) for word in name.split(" "))
    return " ".join(words).replace(r",\fP", r"\fP,")


def _examples(node: Any) -> list[str]:
    """Return the examples of its help, which end it (raptorctl.cli.options.example)."""
    return block([line.removeprefix("  ") for line in (node.epilog or "").splitlines()[2:]])


def _told(where: tuple[str, str]) -> list[str]:
    return entries((prose(name), text) for name, text in rows(*where))
