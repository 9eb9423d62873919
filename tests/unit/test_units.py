"""The role's units of systemd."""

from configparser import ConfigParser
from pathlib import Path

import pytest

FILES = Path(__file__).parents[2] / "ansible/roles/raptor_host/files"
SOCKETS = [path for path in sorted(FILES.glob("*.socket")) if "Accept=yes" in path.read_text()]


@pytest.mark.parametrize("path", SOCKETS, ids=lambda path: path.name)
def test_one_account_closes_no_socket_to_the_others(path: Path) -> None:
    """Past a limit of triggers systemd closes it until it is restarted (systemd.socket(5))."""
    unit = ConfigParser(strict=False, interpolation=None)
    unit.read(path)
    socket = unit["Socket"]
    assert socket["TriggerLimitIntervalSec"] == "0"
    assert int(socket["MaxConnectionsPerSource"]) < int(socket["MaxConnections"])
