"""`raptorctl build`: images of images, files and steps."""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from raptorctl.api import build as api
from raptorctl.api.b9 import BuildText
from raptorctl.api.build import Building, BuildOutcome, outputs_of
from raptorctl.api.build_asked import Asked, ReadBuilds
from raptorctl.api.build_look import Looking
from raptorctl.api.change import preview
from raptorctl.cli.change import described
from raptorctl.cli.image_watch import watched
from raptorctl.cli.options import FORMAT_OF_FILE, DryRun, Output, example, given_text
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.progress import reporter
from raptorctl.cli.raptor_file import Variables, read_variables
from raptorctl.cli.screen import Screen
from raptorctl.cli.session import Typed, session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.file_format import BuildsFormat, FileFormat
from raptorctl.model.raptor_file import DEFAULT, LARGEST, STDIN
from raptorctl.plans.build.request import BuildRequest
from raptorctl.read.file_format import by_name

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE] [BUILD]... [-- ARG...]",
        help=f"A file of builds, ./{DEFAULT} by default, - for standard input; only these builds "
        "of it; and after --, what the file calls ${arg_1}, ${arg_2} and so on.",
        show_default=False,
    ),
]
FormatOfFile = Annotated[BuildsFormat | None, FORMAT_OF_FILE]
More = Annotated[
    list[str] | None,
    typer.Option(
        "-f", "--file", metavar="FILE", help="One more B9 file, built as one with the first.",
        show_default=False,
    ),
]  # fmt: skip
ListOutputs = Annotated[
    bool, typer.Option("--list-outputs", help="Print what would be written, and stop.")
]
IfChanged = Annotated[
    bool, typer.Option("--if-changed", help="Leave what is built of the same already.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the folder that it is built in.")]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Let this host's kernel mount the images (systemd-nspawn, root)."),
]
Factor = Annotated[
    float,
    typer.Option(
        "--timeout-factor", metavar="N", min=0.01, max=1000, help="Multiply each time limit."
    ),
]
END: Final = "--"


def register(app: typer.Typer) -> None:
    """Add the command."""
    lines = ("raptorctl build", "raptorctl build lab.toml web-base --if-changed -- 1.4")
    app.command(epilog=example(*lines))(build)


@dataclass(frozen=True)
class BuildWish:
    """What is asked of the builds."""

    if_changed: IfChanged = False
    keep: Keep = False
    trust: Trust = False
    timeout_factor: Factor = 1.0


@spread
def build(
    context: typer.Context,
    words: Words = None,
    variables: Variables = None,
    more: More = None,
    said: FormatOfFile = None,
    *,
    list_outputs: ListOutputs = False,
    wish: BuildWish,
    dry_run: DryRun = False,
    form: Output = Format.TEXT,
) -> None:
    """Build images of images, files and steps, as a file says."""
    session = session_of(context, root=not list_outputs)
    file, names, args = _split(session, words or [])
    others = [BuildText(name, given_text(name, LARGEST)) for name in more or ()]
    first = BuildText(file, given_text(file, LARGEST))
    kind = FileFormat(said) if said else None
    found = api.read(first, read_variables(variables), args, others, kind)
    if list_outputs:
        _say_outputs(session, found, names, form)
        return
    if math.isnan(wish.timeout_factor):  # is neither too small nor too large
        raise InputError("--timeout-factor: nan is no number")
    asked = Asked(
        names, wish.trust, wish.keep, wish.if_changed, wish.timeout_factor, dry_run=dry_run
    )
    with watched() as watch:
        looking = Looking(session, found, asked, watch)
        requests = looking.requests()
    if not requests and form is Format.TEXT:
        say(plain(f"{file} makes nothing"))
    if dry_run:
        _say_plans(session, requests, form)
        return
    work = Building(session, reporter(), Screen().heard)
    done = []
    for request in requests:
        done.append(work.done(_ready(looking, request), if_changed=wish.if_changed))
        if form is Format.TEXT:
            say(_line(done[-1]))
    if form is Format.JSON:
        say_json({"builds": [one.encode() for one in done]})


def _ready(looking: Looking, request: BuildRequest) -> BuildRequest:
    """A build that begins as what another one has made by now, looked at as it is then."""
    if not request.awaits:
        return request
    with watched() as watch:
        return looking.again(request, watch)


def _say_plans(session: Typed, requests: tuple[BuildRequest, ...], form: Format) -> None:
    plans = [preview(session, api.plan_change(request)) for request in requests]
    if form is Format.JSON:
        say_json({"plans": [plan.encode() for plan in plans]})
    for plan in plans if form is Format.TEXT else ():
        say("\n".join(described(plan, sys.stdout)))


def _split(session: Typed, words: list[str]) -> tuple[str, list[str], list[str]]:
    """Tell the file, builds, and what is after `--`, which the parser leaves out."""
    typed = list(session.typed)
    args = typed[typed.index(END) + 1 :] if END in typed else []
    rest = words[: len(words) - len(args)]
    first = rest[0] if rest else ""
    is_file = first == STDIN or "/" in first or by_name(first) in {FileFormat.RAPTOR, FileFormat.B9}
    file = rest.pop(0) if is_file else DEFAULT
    if not is_file and not Path(DEFAULT).is_file():
        raise InputError(
            f"there is no {DEFAULT} here", resolution="name a file; see `man raptorctl-build`"
        )
    return file, rest, args


def _say_outputs(session: Typed, found: ReadBuilds, names: list[str], form: Format) -> None:
    builds = list(api.listed(session, found, names))
    rows = [(build.name, *output) for build in builds for output in outputs_of(build)]
    if form is Format.JSON:
        keys = ("build", "kind", "target", "format")
        say_json({"outputs": [dict(zip(keys, row, strict=True)) for row in rows]})
    else:
        cells = [tuple(map(plain, row)) for row in rows]
        head = ("BUILD", "KIND", "TARGET", "FORMAT")
        say("\n".join(table(head, cells, columns=width_of_output())))


def _line(outcome: BuildOutcome) -> str:
    build = outcome.request.build
    if not outcome.job:
        return f"{build.name}: nothing to do, it is built of the same already"
    kept = f"; its folder is {outcome.request.folder}/{outcome.job}"
    where = ", ".join(
        f"image {target}" if kind == "image" else target for kind, target, _ in outputs_of(build)
    )
    return plain(f"{build.name} is built: {where}{kept if outcome.request.keep else ''}")
