"""The edge: every error becomes one line and an exit code here, and nowhere else."""

import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Final, TextIO

from raptorctl.cli import output, streams
from raptorctl.cli.output import Colour, Format, painted, plain, tell
from raptorctl.cli.session import Typed
from raptorctl.errors import InputError, RaptorError
from raptorctl.model.error_code import Code
from raptorctl.model.exit_code import DONE, FAILED
from raptorctl.model.text import last_line

INTERRUPTED = 130
"""128 + SIGINT, as a shell says it."""
OUTPUT: Final = r"--output(?:=(.*))?|-[a-z]*?o(.*)"
"""`-o json`, `-ojson`, `-yo json`, `--output json`, `--output=json`: the rest, or the next word."""


def run(typed: Sequence[str], session: Typed | None = None) -> int:
    """Run one command line.

    Args:
        typed: the arguments.
        session: what to run it in; None makes the real one.

    Returns:
        The exit code.
    """
    _settle_surroundings()
    session = session or Typed(typed)
    try:
        code = _dispatch(typed, session)
    except KeyboardInterrupt:
        code = _interrupted(session)
    except SystemExit as leaving:
        # Click leaves so when the reader of its help has gone away, which is no failure.
        gone = isinstance(leaving.__context__, BrokenPipeError)
        code = DONE if gone else _code(leaving.code)
    except BrokenPipeError:
        code = DONE
    except Exception as error:  # noqa: BLE001 - the one place for what nobody foresaw
        code = explain(error, session)
    return _flushed(code, session)


def explain(error: Exception, session: Typed) -> int:
    """Say what went wrong, in one line, and return its exit code."""
    if type(error).__name__ == "Abort":  # what click makes of ^C
        return _interrupted(session)
    if isinstance(error, OSError) and _lost_output():
        return DONE  # `_flushed` tells
    known = error if isinstance(error, RaptorError) else _usage(error)
    return _tell(known or _unforeseen(error, session), session)


def _tell(error: RaptorError, session: Typed) -> int:
    """Print an error in the form that was asked for, and return its exit code."""
    if asks_json(session.typed):
        tell(json.dumps({"error": error.encode()}))
        return error.exit_code
    _complain(str(error))
    if error.details and (session.details or error.always_detailed):
        for line in error.details.splitlines():
            tell(f"  {plain(line)}")
    return error.exit_code


def asks_json(typed: Sequence[str]) -> bool:
    """Whether `-o json` is among the arguments, as click reads them: the last one counts.

    Errors come before the arguments are parsed as well, and while they are. What follows `--` is
    another program's.
    """
    asked, words = "", iter(takewhile(lambda word: word != "--", typed))
    for word in words:
        if found := re.fullmatch(OUTPUT, word):
            asked = found[1] or found[2] or next(words, "")
    return asked == Format.JSON


def _dispatch(typed: Sequence[str], session: Typed) -> int:
    from raptorctl.cli.app import command

    arguments = list(typed) or ["--help"]
    # Without `standalone_mode`, errors come here instead of being printed by click.
    code = command().main(arguments, prog_name="raptorctl", standalone_mode=False, obj=session)
    if code == INTERRUPTED:  # newer ones say ^C so
        return _interrupted(session)
    return code if isinstance(code, int) else DONE


def _interrupted(session: Typed) -> int:
    """A job has handlers of its own: who gets here was asked something, or only read."""
    tell("")
    error = RaptorError("interrupted, nothing was touched", code=Code.INTERRUPTED)
    error.exit_code = INTERRUPTED
    return _tell(error, session)


def _code(said: object) -> int:
    return said if isinstance(said, int) else FAILED if said else DONE


def _complain(sentence: str) -> None:
    label = painted("raptorctl:", Colour.BAD, sys.stderr)
    tell(f"{label} {plain(' '.join(sentence.split()))}")


def _usage(error: Exception) -> InputError | None:
    """Give click's complaint as one sentence, or None when the error is not click's.

    It is told by its shape: Typer carries a click of its own since 0.20, and which class that is
    depends on the version.
    """
    if not hasattr(error, "format_message"):
        return None
    sentence = str(error.format_message()).strip().rstrip(".")
    path = getattr(getattr(error, "ctx", None), "command_path", "raptorctl")
    brief = f"{sentence[:1].lower()}{sentence[1:]}"
    return InputError(brief, resolution=f"see `{path} --help`", code=Code.USAGE, subject=path)


def _unforeseen(error: Exception, session: Typed) -> RaptorError:
    what = f"unexpected {type(error).__name__}"
    if said := last_line(str(error)):
        what = f"{what}: {said}"
    path = _report(session)
    way = f"please report it with {path}" if path else "its report has no place"
    return RaptorError(what, resolution=way, code=Code.INTERNAL)


def _report(session: Typed) -> Path | None:
    """Write the full report of the error being handled where only its reader may read it."""
    import platform
    import tempfile
    import time
    import traceback

    from raptorctl import __version__

    head = f"raptorctl {__version__}, Python {platform.python_version()}, {platform.platform()}"
    text = f"{head}\narguments: {session.typed!r}\n\n{traceback.format_exc()}"
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    for directory in (session.log_directory, Path(tempfile.gettempdir())):
        path = directory / f"error-{stamp}-{os.getpid()}.log"
        try:
            # O_EXCL follows no link that somebody laid in a folder that all may write.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue
        return path
    return None


def _settle_surroundings() -> None:
    """Make sure of what every program takes for granted and a caller may have taken away."""
    streams.fill()
    streams.watch_output()
    try:
        Path.cwd()
    except FileNotFoundError:
        os.chdir("/")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # It flushes; a stream that cannot be written is told of when something is said.
            with suppress(OSError):
                stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")


def _lost_output() -> bool:
    """Whether an error is that of standard output: what click prints does not pass `output`."""
    _flush(sys.stdout)
    return bool(output.lost)


def _flushed(code: int, session: Typed) -> int:
    """Write out what is still held back, so that the interpreter has nothing to fail at."""
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    if output.lost and code == DONE:
        brief = f"the result could not be written to {output.lost[0]}"
        return _tell(RaptorError(brief, code=Code.OUTPUT_LOST), session)
    return code


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except BrokenPipeError:
        output.forget(stream)
    except (OSError, ValueError):
        output.lost.append(getattr(stream, "name", "?"))
        output.forget(stream)
