"""`raptorctl doctor`: whether everything is there that provision needs."""

import textwrap
from collections import Counter
from collections.abc import Sequence

import typer

from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Colour, Format, painted, plain, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.errors import DONE, REFUSED
from raptorctl.model.codec import encode
from raptorctl.model.probe import Finding, Verdict

INDENT = 21
COLOURS = {Verdict.OK: Colour.GOOD, Verdict.WARN: Colour.DOUBT, Verdict.FAIL: Colour.BAD}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(short_help="Check what provision needs.", epilog=example("sudo raptorctl doctor"))(
        doctor
    )


def doctor(context: typer.Context, form: Output = Format.TEXT) -> None:
    """Check everything that provision needs; changes nothing. Exit code 3 when something fails."""
    session = session_of(context, root=False)

    from raptorctl.plans.doctor import examine

    findings = examine(session.probe())
    if form is Format.JSON:
        say_json({"findings": encode(findings)})
    else:
        say("\n".join(line for finding in findings for line in _lines(finding)))
        say(_verdict(findings))
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    raise typer.Exit(REFUSED if failed else DONE)


def _lines(finding: Finding) -> list[str]:
    word = painted(f"{finding.verdict.value:<4}", COLOURS[finding.verdict])
    advice = _wrapped(f"-> {plain(finding.advice)}", "   ") if finding.advice else []
    first, *rest = [*_wrapped(plain(finding.what), ""), *advice]
    return [f"{word}  {finding.check:<13}  {first}", *(f"{'':{INDENT}}{line}" for line in rest)]


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text,
        80 - INDENT,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _verdict(findings: Sequence[Finding]) -> str:
    count = Counter(finding.verdict for finding in findings)
    if count[Verdict.FAIL]:
        return f"not ready: {count[Verdict.FAIL]} of {len(findings)} checks failed"
    doubts = f", {count[Verdict.WARN]} worth a look" if count[Verdict.WARN] else ""
    return f"ready for provision{doubts}"
