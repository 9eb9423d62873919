"""`raptorctl image`: what machines' disks begin as, kept once for all of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.api import image as api
from raptorctl.api.image import all_images, known, login, source_of
from raptorctl.api.image_version import Version, reference_of
from raptorctl.api.image_version import versions as all_versions
from raptorctl.cli import image_share
from raptorctl.cli.image_share import PasswordFile, Reference
from raptorctl.cli.image_table import lines, rows, stored, version_lines, version_rows
from raptorctl.cli.image_watch import watched
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import DryRun, Output, example, named
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.drivers.image import Pulled, Wanted, Waste
from raptorctl.errors import HostError, InputError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.image import Image, image_name, parse_digest
from raptorctl.model.image_source import Source, parse_url
from raptorctl.model.sizes import Size

SourceText = Annotated[
    str,
    typer.Argument(
        metavar="REF|URL|PATH",
        help="`debian:13`, `https://...`, `oci://REGISTRY/REPOSITORY:TAG`, or `./FILE`.",
        show_default=False,
    ),
]
Name = Annotated[
    str,
    typer.Option("--name", metavar="NAME", help="Name for the image. Default: from its source."),
]
Sum = Annotated[
    str,
    typer.Option(
        "--sha256", metavar="HEX", help="Expected digest of the download, before unpacking."
    ),
]
SumUrl = Annotated[
    str,
    typer.Option("--checksum-url", metavar="URL", help="File of SHA-256 or SHA-512 sums."),
]
Refresh = Annotated[bool, typer.Option("--refresh", help="Look for a newer image at the source.")]
References = Annotated[
    list[str] | None,
    typer.Argument(metavar="[IMAGE]...", help="Only these images.", show_default=False),
]
To = Annotated[str, typer.Option("--to", metavar="raw|qcow2", help="The format.")]


Unsigned = Annotated[
    bool,
    typer.Option("--allow-unsigned", help="Take it unsigned, where a list says who may sign."),
]


Versions = Annotated[
    bool,
    typer.Option("--versions", help="List versions: build, when made, who signed, made from what."),
]
VERSIONS: Final = View[Version](
    "versions", encode, version_rows, "there are no images: see `raptorctl image pull --help`",
    name=("image",),
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    said = "sudo raptorctl image"
    group.command(
        "pull",
        epilog=example(
            f"{said} pull debian:13",
            f"{said} pull https://example.org/web.qcow2.xz --name web --sha256 HEX",
            f"{said} pull oci://ghcr.io/someone/web:1 --password-file ~/token",
        ),
    )(pull)
    group.command("list", epilog=example(f"{said} list", f"{said} list --versions"))(list_images)
    group.command("inspect", epilog=example(f"{said} inspect debian:13"))(inspect)
    group.command("verify", epilog=example(f"{said} verify"))(verify)
    group.command("remove", epilog=example(f"{said} remove debian:13"))(remove)
    group.command("gc", epilog=example(f"{said} gc --dry-run"))(gc)
    group.command("convert", epilog=example(f"{said} convert debian:13 --to raw"))(convert)
    image_share.register(group)
    app.add_typer(group, name="image")


def pull(
    context: typer.Context,
    source: SourceText,
    name: Name = "",
    sha256: Sum = "",
    checksum_url: SumUrl = "",
    refresh: Refresh = False,
    password_file: PasswordFile = None,
    allow_unsigned: Unsigned = False,
    form: Output = Format.TEXT,
) -> None:
    """Have an image here, whole and checked. One that is here already is not asked for again."""
    session = session_of(context)
    where = source_of(session, source)
    if checksum_url and where.kind in {"oci", "index"}:
        raise InputError(
            "--checksum-url goes with no oci:// source and no index: digests name their images",
            resolution="name it by its digest, oci://...@sha256:DIGEST, or give --sha256",
        )
    if checksum_url:
        list_url = named("--checksum-url", parse_url, checksum_url).text
        where = Source(where.text, where.name, list_url, where.listed)
    wanted = Wanted(
        where,
        named("--name", image_name, name) if name else "",
        named("--sha256", parse_digest, sha256) if sha256 else "",
        refresh,
        login(password_file),
        allow_unsigned,
    )
    with watched() as watch:
        done = api.pull(session, wanted, watch)
    _say_pulled(done, form)


@spread
def list_images(context: typer.Context, versions: Versions = False, *, how: Listed) -> None:
    """List images: name, format, size for a guest, what they take, digest, when they came."""
    session = session_of(context, root=False)
    if versions:
        show_list(all_versions(session), VERSIONS, how)
        return
    found, damaged = all_images(session), session.images.damaged()
    view = View[Image](
        "images",
        lambda image: {**encode(image), "problem": damaged.get(image.name, "")},
        lambda images: rows(images, damaged),
        "there are no images: see `raptorctl image pull --help`",
        more={"stored": sum(stored(found).values())},
    )
    show_list(found, view, how)


def inspect(context: typer.Context, image: Reference, form: Output = Format.TEXT) -> None:
    """Show all about one image: where it came from, its whole digest, where it lies."""
    session = session_of(context, root=False)
    found = known(session, image)
    problem = session.images.damaged().get(found.name, "")
    version = reference_of(session, found)
    if form is Format.JSON:
        told = encode(version) if version else None
        say_json({"image": {**encode(found), "problem": problem, "version": told}})
        return
    told = (*lines(found, problem), *(version_lines(version) if version else ()))
    say("\n".join(f"{label:<8} {plain(value)}" for label, value in told))


def verify(context: typer.Context, images: References = None, form: Output = Format.TEXT) -> None:
    """Hash images anew. Exit code 1 if one is not what it was."""
    session = session_of(context, root=False)
    chosen = [known(session, text) for text in images or ()] or all_images(session)
    with watched() as watch:
        results = api.verify(session, chosen, watch)
    _say_verdicts(results, form)
    if damaged := [image.name for image, whole in results if not whole]:
        raise HostError(
            f"damaged: {', '.join(damaged)}",
            resolution="`raptorctl image remove` it, and pull it again",
            code=Code.IMAGE_DAMAGED,
            subject=damaged[0],
        )


def remove(context: typer.Context, image: Reference, form: Output = Format.TEXT) -> None:
    """Forget an image. Its file goes with its last name, unless a machine's disk is built on it."""
    found = api.remove(session_of(context), image)
    if form is Format.JSON:
        say_json({"image": encode(found), "outcome": "removed"})
    else:
        say(f"image {found.name} is removed")


def gc(context: typer.Context, dry_run: DryRun = False, form: Output = Format.TEXT) -> None:
    """Remove what no name and no machine needs, and downloads nobody went on with for a day."""
    session = session_of(context)
    waste, unread = api.gc(session, dry_run=dry_run), api.unreadable(session)
    if form is Format.JSON:
        removed = [encode(each) for each in waste]
        say_json({"removed": removed, "dry_run": dry_run, "unreadable": list(unread)})
        return
    for name in unread:
        say(f"{name}: what is known of it cannot be read; it stays, and so do all files")
    if waste:
        say("\n".join(_waste_lines(waste)))
        room = Size(sum(each.size for each in waste))
        say(f"{room} would be free" if dry_run else f"{room} is free")
    else:
        say("nothing to remove")


def convert(
    context: typer.Context,
    image: Reference,
    to: To,
    name: Name = "",
    form: Output = Format.TEXT,
) -> None:
    """Have an image in another format as well. Its name ends in the format unless you choose."""
    if to not in {"raw", "qcow2"}:
        raise InputError("--to takes raw or qcow2")
    session = session_of(context)
    called = named("--name", image_name, name) if name else ""
    with watched() as watch:
        done = api.convert(session, image, to, called, watch)
    _say_pulled(done, form)


def _say_pulled(done: Pulled, form: Format) -> None:
    image = done.image
    if form is Format.JSON:
        say_json({"image": encode(image), "outcome": done.outcome})
        return
    what = {"already here": "is already here", "named": "is another name of what is here"}
    said = what.get(done.outcome, f"is {done.outcome}")
    say(f"image {image.name} {said}: {image.format}, {image.size}, sha256 {image.short}")


def _say_verdicts(results: Iterable[tuple[Image, bool]], form: Format) -> None:
    if form is Format.JSON:
        say_json({"images": [{"name": i.name, "digest": i.digest, "whole": w} for i, w in results]})
        return
    rows = [(i.name, i.short, "whole" if whole else "DAMAGED") for i, whole in results]
    lines = table(("NAME", "SHA256", "STATE"), rows, columns=width_of_output())
    say("\n".join(lines) if rows else "there are no images")


def _waste_lines(waste: Iterable[Waste]) -> list[str]:
    rows = [(w.image or Path(w.path).name[:16], str(w.size), w.reason) for w in waste]
    return table(("FILE", "SIZE", "WHY"), rows, right=("SIZE",), columns=width_of_output())
