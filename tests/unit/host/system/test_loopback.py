"""Whose the other end of a loopback connection is."""

import os
import socket
from pathlib import Path

from raptorctl.host.system.loopback import owner


def test_the_kernel_says_whose_an_end_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            assert owner(client.getsockname()) == os.geteuid()
            name = client.getsockname()
        assert owner(name) is None  # closed: what is left of it is nobody's


def test_the_columns_are_the_kernels(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 0100007F:20F8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
        "   1: 0100007F:D431 0100007F:20F8 01 00000000:00000000 00:00000000 00000000  1004        0 2\n"
        "   2: 0100007F:D432 0100007F:20F8 06 00000000:00000000 03:00000AF0 00000000     0        0 0\n"
    )
    assert owner(("127.0.0.1", 0xD431), table) == 1004
    assert owner(("127.0.0.1", 0xD432), table) is None
    assert owner(("127.0.0.1", 1), table) is None


def test_what_cannot_be_read_is_nobodys(tmp_path: Path) -> None:
    assert owner(("127.0.0.1", 1), tmp_path / "none") is None
    (tmp_path / "tcp").write_text("nonsense\n")
    assert owner(("127.0.0.1", 1), tmp_path / "tcp") is None
