"""`raptorctl seed`: what a machine's cloud-init was told, and taking that away."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from raptorctl.api import seed as api
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.options import DryRun, Output, Yes, example, given_text, named
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.model.seed import LARGEST_USER_DATA, Seed

if TYPE_CHECKING:
    from raptorctl.cli.request import MachineOptions


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("show", epilog=example("sudo raptorctl seed show alice dev"))(show)
    group.command("detach", epilog=example("sudo raptorctl seed detach alice dev"))(detach)
    app.add_typer(group, name="seed")


def show(context: typer.Context, words: options.Words, form: Output = Format.TEXT) -> None:
    """Show a machine's cloud-init seed; keys and passwords are hidden."""
    name = options.machine_name(words)
    shown = api.show(session_of(context), name)
    if form is Format.JSON:
        say_json({"machine": str(name), "path": shown.path, **asdict(shown.seed)})
    else:
        say("\n".join(_lines(shown.path, shown.seed)))


def detach(
    context: typer.Context,
    words: options.Words,
    dry_run: DryRun = False,
    yes: Yes = False,
    form: Output = Format.TEXT,
) -> None:
    """Detach and remove a machine's seed, also while it runs; nothing in the guest changes."""
    change, asks = api.detach(options.machine_name(words)), ask.before_it_comes(asks=not yes)
    perform(session_of(context), change, form, dry_run=dry_run, confirm=asks)


def user_data(options: "MachineOptions", beside: str | None) -> str | None:
    """Return the user-data that is meant, checked: what was typed, else the profile's.

    Args:
        options: what was typed.
        beside: the profile's own, or None.

    Raises:
        InputError: the user-data is refused; says why, on which line.
    """
    text, where = beside, "--profile: user_data"
    if options.user_data is not None:
        where = "--user-data"
        text = named(where, lambda path: given_text(path, LARGEST_USER_DATA), options.user_data)
    if text is not None and not options.no_seed:
        allow = options.allow_private_key
        named(where, lambda given: _checked(given, allow_private_key=allow), text)
    return text


def _checked(text: str, *, allow_private_key: bool) -> None:
    for note in api.check_user_data(text, allow_private_key=allow_private_key):
        tell(f"note: {note}")


def _lines(path: str, seed: Seed) -> Iterator[str]:
    yield f"# {path}"
    for name, text in asdict(seed).items():
        if text:
            yield f"\n# {name.replace('_', '-')}:"
            yield from map(plain, text.rstrip("\n").split("\n"))
