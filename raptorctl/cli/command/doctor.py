"""`raptorctl doctor`: whether everything is there that provision needs, and nothing else."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from raptorctl.api.doctor import findings as examined
from raptorctl.api.session import Session
from raptorctl.cli import ask
from raptorctl.cli.options import Manner, example
from raptorctl.cli.output import Colour, Format, painted, plain, say, say_json
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError, RefusedError
from raptorctl.model.codec import encode
from raptorctl.model.error_code import Code
from raptorctl.model.exit_code import DONE, REFUSED
from raptorctl.model.probe import Finding, Verdict

if TYPE_CHECKING:
    from raptorctl.api.change import Done

INDENT = 21
COLOURS = {Verdict.OK: Colour.GOOD, Verdict.WARN: Colour.DOUBT, Verdict.FAIL: Colour.BAD}


Fix = Annotated[
    bool,
    typer.Option("--fix", help="Repair what raptorctl made; shows the plan first. Needs root."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=example("sudo raptorctl doctor", "sudo raptorctl doctor --fix"))(doctor)


@spread
def doctor(context: typer.Context, fix: Fix = False, *, run: Manner) -> None:
    """Check the host for everything that provision needs, and for what does not belong.

    Changes nothing without --fix. Exit code 3 when something fails.
    """
    if (run.dry_run or run.yes) and not fix:
        raise InputError("--dry-run and -y are for --fix", resolution="add --fix")
    session = session_of(context, root=fix)
    if fix and session.on_session_host:
        raise RefusedError(
            "this host is your own, and --fix is for shared ones",
            resolution="deprovision what is not whole",
            code=Code.SESSION_HOST,
        )
    done = _mended(session, run) if fix else None
    if not run.dry_run:
        _told(session, done, run.form)


def _told(session: Session, done: "Done | None", form: Format) -> None:
    findings = examined(session)
    if form is Format.JSON:
        say_json({**(done.encode() if done else {}), "findings": encode(findings)})
    else:
        if done:
            say(done.plan.summary)
            findings = tuple(one for one in findings if one.verdict is not Verdict.OK)
        say("\n".join((*(line for one in findings for line in _lines(one)), _verdict(findings))))
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    raise typer.Exit(REFUSED if failed else DONE)


def _mended(session: Session, run: Manner) -> "Done | None":
    """Apply what the findings offer; with `--dry-run`, show it only."""
    from raptorctl.api.doctor import fix
    from raptorctl.cli.change import carry_out, preview

    see = ", or --dry-run to see it"
    asks = ask.before("the plan on", "Do this?", asks=run.asks, otherwise=see)
    if run.dry_run:
        preview(session, fix(session), run.form)
        return None
    return carry_out(session, fix(session), asks)


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
