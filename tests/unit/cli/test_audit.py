import json

from tests.unit.cli.session import PROVISION, CommandLine


def test_the_audit_log_says_who_did_what(raptorctl: CommandLine) -> None:
    raptorctl(*PROVISION, "-y")
    raptorctl("deprovision", "alice", "dev", "-y")
    text = raptorctl("audit")
    assert [row.split()[2:4] for row in text.out.splitlines()[1:]] == [
        ["provision", "alice-dev"],
        ["deprovision", "alice-dev"],
    ]
    assert text.out.splitlines()[-1].endswith("40G")

    told = json.loads(raptorctl("audit", "-o", "json").out)
    assert [e["outcome"] for e in told["entries"]] == ["done", "done"]
    assert told["entries"][1]["wiped"][0]["coverage"] == "full"


def test_it_can_be_narrowed(raptorctl: CommandLine) -> None:
    raptorctl(*PROVISION, "-y")
    assert len(raptorctl("audit", "--tenant", "alice", "--since", "1h").out.splitlines()) == 2
    assert "nothing" in raptorctl("audit", "--tenant", "bob").out
    assert "nothing" in raptorctl("audit", "--since", "2999-01-01").out


def test_a_line_that_cannot_be_read_is_said_and_the_others_are_shown(
    raptorctl: CommandLine,
) -> None:
    raptorctl(*PROVISION, "-y")
    log = raptorctl.session().journals.audit.path
    log.write_text("{torn\n" + log.read_text())
    told = raptorctl("audit")
    assert told.code == 0
    assert "line 1 of the audit log" in told.err
    assert "provision" in told.out


def test_nonsense_is_refused(raptorctl: CommandLine) -> None:
    for words in (["--since", "yesterday"], ["--tenant", "Al"], ["--since", ""]):
        told = raptorctl("audit", *words)
        assert (told.code, told.out) == (2, "")
