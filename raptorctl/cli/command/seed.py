"""`raptorctl seed`: what a machine's cloud-init was told, and taking that away."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import typer

from raptorctl.api import seed as api
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.options import Output, example, given_text, named
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.model.seed import LARGEST_USER_DATA, Seed, Taken
from raptorctl.model.spec import CLOUD_TEXTS

if TYPE_CHECKING:
    from raptorctl.cli.request import MachineOptions
    from raptorctl.model.spec import MachineSpec


FOLDER: Final = "--cloud-init"


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


@spread
def detach(
    context: typer.Context,
    words: options.Words,
    *,
    run: options.Manner,
) -> None:
    """Detach and remove a machine's seed, also while it runs; nothing in the guest changes."""
    change, asks = api.detach(options.machine_name(words)), ask.before_it_comes(asks=run.asks)
    perform(session_of(context), change, run, asks)


def texts(options: "MachineOptions", below: "MachineSpec") -> dict[str, Any]:
    """Return what cloud-init is told in its own words, checked: what was typed, else the profile's.

    Args:
        options: what was typed.
        below: what the profiles say.

    Raises:
        InputError: one of them is refused; says why, on which line.
    """
    from raptorctl.host.system.seed_folder import given_files

    found: dict[str, Any] = {}
    files = named(FOLDER, given_files, options.cloud_init) if options.cloud_init else {}
    for key in CLOUD_TEXTS:
        option, text = f"--{key.replace('_', '-')}", getattr(below, key)
        where = f"--profile: {key}"
        if (path := getattr(options, key)) is not None:
            where, text = option, named(option, _given, path)
        elif options.cloud_init is not None:
            where = f"{FOLDER}: {option.removeprefix('--')}"
            text = named(FOLDER, _given, files[key]) if key in files else None
        if key == "network_config" and options.network and path is None:
            text = None  # what was typed is over what a profile says
        if text is not None and not options.no_seed:
            named(where, partial(_check, key, options), text)
        found[key] = text
    return found


def _given(path: str) -> str:
    return given_text(path, LARGEST_USER_DATA)


def _check(key: str, options: "MachineOptions", text: str) -> None:
    allowed = Taken(private_key=options.allow_private_key, jinja=options.allow_jinja)
    for note in api.check_text(key, text, allowed):
        tell(f"note: {note}")


def _lines(path: str, seed: Seed) -> Iterator[str]:
    yield f"# {path}"
    for name, text in asdict(seed).items():
        if text:
            yield f"\n# {name.replace('_', '-')}:"
            yield from map(plain, text.rstrip("\n").split("\n"))
