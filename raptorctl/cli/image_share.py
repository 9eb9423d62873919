"""`raptorctl image push` and what belongs to it: images that others pull."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.api import image_share as api
from raptorctl.api import image_version as versions
from raptorctl.cli.image_watch import watched
from raptorctl.cli.options import Output, example, named
from raptorctl.cli.output import Format, plain, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.drivers.image import Pushed
from raptorctl.errors import InputError
from raptorctl.model.codec import encode
from raptorctl.model.image import image_name
from raptorctl.model.names import shown
from raptorctl.model.tenant import parse_day

PasswordFile = Annotated[
    str | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="For a registry: one line, USER:PASSWORD or a token, and mode 0600. "
        "Default: RAPTORCTL_REGISTRY_USER, RAPTORCTL_REGISTRY_PASSWORD in the environment.",
        show_default=False,
    ),
]
Reference = Annotated[
    str,
    typer.Argument(metavar="IMAGE", help="Its name, source, or digest.", show_default=False),
]
TargetText = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help="`oci://REGISTRY/REPOSITORY:TAG`, `ssh://HOST/FOLDER`, or `./FOLDER`.",
        show_default=False,
    ),
]


Key = Annotated[
    str,
    typer.Option(
        "--key",
        metavar="FILE",
        help="Private ssh key, or the public one of a key that ssh-agent has.",
        show_default=False,
    ),
]
As = Annotated[
    str, typer.Option("--as", metavar="NAME", help="Name to sign it as. Default: the image's.")
]
Expires = Annotated[
    str,
    typer.Option(
        "--expires", metavar="DATE", help="First day that it is not believed any more, 2027-03-31."
    ),
]


MOST: Final = 10_000
Count = Annotated[
    str, typer.Argument(metavar="N|all", help="How many versions.", show_default=False)
]
IndexExpires = Annotated[
    str,
    typer.Option(
        "--expires",
        metavar="DATE",
        help="For a folder: first day that its index is not believed any more, 2027-03-31.",
    ),
]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    said = "sudo raptorctl image"
    group.command(
        "push",
        epilog=example(
            f"{said} push web oci://ghcr.io/someone/web:1 --password-file ~/token",
            f"{said} push web ssh://images.example.org/srv/images",
            f"{said} push web /srv/www/images",
        ),
    )(push)
    group.command("sign", epilog=example(f"{said} sign web --key ~/.ssh/id_ed25519"))(sign)
    group.command("keep", epilog=example(f"{said} keep 3 web", f"{said} keep all web"))(keep)


def push(
    context: typer.Context,
    image: Reference,
    target: TargetText,
    expires: IndexExpires = "",
    password_file: PasswordFile = None,
    form: Output = Format.TEXT,
) -> None:
    """Share an image. What is there of the same name stays, as an older version."""
    session = session_of(context)
    day = named("--expires", _coming_day, expires) if expires else ""
    where = api.target_of(session, image, target, expires=day)
    with watched() as watch:
        done = api.push(session, image, where, password_file=password_file, watch=watch)
    _say_pushed(done, form)


def sign(
    context: typer.Context,
    image: Reference,
    key: Key,
    called: As = "",
    expires: Expires = "",
    form: Output = Format.TEXT,
) -> None:
    """Sign an image with an ssh key. Who pulls it can tell that it is yours, and unchanged."""
    session = session_of(context)
    name = named("--as", image_name, called) if called else ""
    day = named("--expires", _coming_day, expires) if expires else ""
    found, said = api.sign(session, image, str(Path.cwd() / key), called=name, expires=day)
    if form is Format.JSON:
        say_json({"image": encode(found), "version": {**encode(said), "build": said.build}})
        return
    say(f"image {found.name} is signed as {said.name}: build {said.build}, serial {said.serial}")


def _coming_day(text: str) -> str:
    day = parse_day(text)
    if day and day <= datetime.now(UTC).date().isoformat():
        raise InputError(f"{day} has begun: from then on nobody would believe it")
    return day


def keep(
    context: typer.Context, count: Count, image: Reference, form: Output = Format.TEXT
) -> None:
    """Set how many of an image's newest versions `gc` keeps: a number, or `all`."""
    session = session_of(context)
    number = named("N", _count, count)
    waste = versions.keep(session, image, number)
    if form is Format.JSON:
        say_json({"name": image, "keep": number, "superfluous": [each.image for each in waste]})
        return
    newest = "all versions" if number is None else f"the newest {number}" if number > 1 else "one"
    say(f"of {image}, {newest} will be kept")
    if waste:
        names = ", ".join(each.image for each in waste)
        say(f"`raptorctl image gc` removes {names}, unless a machine needs it")


def _count(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:9]) <= MOST:
        raise InputError(f"{shown(text)} is no number of versions: from 1 to {MOST}, or all")
    return int(text)


def _say_pushed(done: Pushed, form: Format) -> None:
    said = done.statement
    if form is Format.JSON:
        outcome = {"outcome": done.outcome, "newest": done.newest, "places": list(done.places)}
        say_json({"version": {**encode(said), "build": said.build}, **outcome})
        return
    what = "is already there" if done.outcome == "already there" else "is pushed"
    say(f"image {said.name} {what}: build {said.build}")
    say("\n".join(f"  {plain(place)}" for place in done.places))
    if not done.newest:
        say(f"a newer build of {said.name} is there, which the name still means")
