"""`raptorctl seed`: what a machine's cloud-init was told, and taking that away."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from raptorctl.api import seed as api
from raptorctl.cli import ask, options
from raptorctl.cli.change import perform
from raptorctl.cli.options import DryRun, Output, Yes, example
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.errors import InputError
from raptorctl.model.profile import Profile
from raptorctl.model.seed import LARGEST_USER_DATA, FirstBoot, Network, Seed

if TYPE_CHECKING:
    from raptorctl.plans.provision import ProvisionRequest
    from raptorctl.plans.rebuild import RebuildRequest


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


@dataclass(frozen=True)
class Told:
    """What was typed about the first boot."""

    user_data: str | None = None
    network: Network | None = None
    no_seed: bool = False
    allow_private_key: bool = False
    key: str | None = None

    def __post_init__(self) -> None:
        if self.user_data == "-" == self.key:
            raise InputError("--key and --user-data cannot both be standard input")
        if self.no_seed and (self.user_data or self.network):
            raise InputError("--no-seed says nothing, so --user-data and --network say too much")


def first_boot(
    wanted: "ProvisionRequest | RebuildRequest", profile: Profile, beside: str, told: Told
) -> FirstBoot | None:
    """Make of what was typed what the machine is told; nothing for one that has no system yet.

    Args:
        wanted: the machine.
        profile: what it begins with.
        beside: the profile's own user-data, or "".
        told: what was typed.

    Raises:
        InputError: the user-data is refused; says why, on which line.
    """
    if told.no_seed or not (wanted.image or told.user_data or told.network or profile.tells_guest):
        return None
    from raptorctl.host.host_key import new_host_key

    return FirstBoot(
        host_key=new_host_key(str(wanted.name)),
        user_data=_user_data(told, beside),
        account=profile.account,
        hostname=profile.hostname,
        packages=profile.packages,
        hosts=profile.hosts,
        sysctl=profile.sysctl,
        swap=profile.swap,
        network=told.network or profile.network or Network.DHCP,
    )


def _user_data(told: Told, beside: str) -> str:
    text, where = beside, "--profile: user_data"
    if told.user_data is not None:
        where = "--user-data"
        text = options.named(
            where, lambda path: options.given_text(path, LARGEST_USER_DATA), told.user_data
        )
    if told.user_data is not None or text:
        options.named(where, lambda given: _checked(given, told), text)
    return text


def _checked(text: str, told: Told) -> None:
    from raptorctl.host.cloud_init import check_schema
    from raptorctl.render.user_data import check

    read = check(text, allow_private_key=told.allow_private_key)
    for note in read.notes:
        tell(f"note: {note}")
    if read.config is not None:
        check_schema(text)


def _lines(path: str, seed: Seed) -> Iterator[str]:
    yield f"# {path}"
    for name, text in asdict(seed).items():
        if text:
            yield f"\n# {name.replace('_', '-')}:"
            yield from map(plain, text.rstrip("\n").split("\n"))
