"""`raptorctl image push` and what belongs to it: images that others pull."""

from typing import Annotated

import typer

from raptorctl.api import image_share as api
from raptorctl.cli.image_watch import watched
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.drivers.image import Pushed
from raptorctl.model.codec import encode

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


def push(
    context: typer.Context,
    image: Reference,
    target: TargetText,
    password_file: PasswordFile = None,
    form: Output = Format.TEXT,
) -> None:
    """Share an image. What is there of the same name stays, as an older version."""
    session = session_of(context)
    with watched() as watch:
        done = api.push(session, image, target, password_file=password_file, watch=watch)
    _say_pushed(done, form)


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
