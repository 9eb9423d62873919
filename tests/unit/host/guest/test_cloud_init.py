"""cloud-init's own opinion, where its program is; played by a script that gives the same answers."""

from pathlib import Path

import pytest

from raptorctl.errors import InputError
from raptorctl.host.guest.cloud_init import check_schema
from raptorctl.host.system import command

SCRIPT = """#!/bin/sh
[ "$1 $2" = "schema --config-file" ] && [ "$(stat -c %a "$3")" = 600 ] || exit 9
if grep -q nonsense "$3"; then
    echo "Error:" >&2
    echo "Cloud config schema errors: $3: users: nonsense is not valid" >&2
    exit 1
fi
echo "Valid cloud-config: $3"
"""


@pytest.fixture(autouse=True)
def _only_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "PATH", str(tmp_path))


def install(folder: Path) -> None:
    program = folder / "cloud-init"
    program.write_text(SCRIPT)
    program.chmod(0o755)


def test_where_it_is_not_there_nothing_is_said() -> None:
    assert check_schema("#cloud-config\nnonsense: 1\n") is False


def test_it_reads_what_only_we_can_read_and_agrees(tmp_path: Path) -> None:
    install(tmp_path)
    assert check_schema("#cloud-config\n") is True


def test_what_it_refuses_is_refused_with_its_reason_and_without_our_files_name(
    tmp_path: Path,
) -> None:
    install(tmp_path)
    with pytest.raises(InputError) as caught:
        check_schema("#cloud-config\nnonsense: 1\n")
    assert str(caught.value) == (
        "cloud-init refuses it: Cloud config schema errors: user-data: users: nonsense is not valid"
    )
