"""`raptorctl reformat`: a B9 build file, laid out anew."""

from typing import Annotated

import typer

from raptorctl.api import reformat as api
from raptorctl.cli.options import Output, example, given_text
from raptorctl.cli.output import Format, plain, say, say_json, say_text
from raptorctl.errors import InputError
from raptorctl.model.exit_code import DIFFERS
from raptorctl.read.b9.literal import LARGEST

EXAMPLE = example("raptorctl reformat web.b9", "raptorctl reformat *.b9 --check")
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="B9 build files; - for standard input."),
]
Check = Annotated[
    bool,
    typer.Option("--check", help=f"Write nothing; exit with {DIFFERS} if a file would change."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(reformat)


def reformat(files: Files, check: Check = False, form: Output = Format.TEXT) -> None:
    """Lay out B9 build files: one argument a line where a line is too short; comments stay."""
    if "-" in files and len(files) > 1:
        raise InputError("- is standard input, and no file goes with it")
    laid_out = {file: api.reformat(given_text(file, LARGEST), file) for file in files}
    changed = any(one.changed for one in laid_out.values())
    if not check and "-" not in files:
        api.write(laid_out)
    if form is Format.JSON:
        rows = [{"file": file, "changed": one.changed} for file, one in laid_out.items()]
        say_json({"files": rows})
    elif "-" in files and not check:
        say_text(laid_out["-"].after)
    else:
        done = "would be laid out anew" if check else "is laid out anew"
        for file, one in laid_out.items():
            say(f"{plain(file)} {done if one.changed else 'is already so'}")
    if check and changed:
        raise typer.Exit(DIFFERS)
