"""The front end of tenants' pages for tests: Debian's nginx, as an account without rights."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from raptorctl.model.metric import TEXTFILES
from raptorctl.model.web import AGENTS, Web
from raptorctl.web.front import CONF, lay

ACCOUNT = "www-data"
"""Any without rights."""


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A port of loopback, as systemd holds it."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        made.listen(1024)
        yield made


@contextmanager
def front_end(
    web: Web, port: socket.socket, agents: Path, texts: Path = Path(TEXTFILES)
) -> Iterator[subprocess.Popen[bytes]]:
    """Run it, with no right and in a network of its own: the socket is all that it has.

    Args:
        web: of the settings.
        port: where it listens.
        agents: where their sockets are.
        texts: where metrics are.
    """
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert nginx, "apt-get install nginx"
    account = pwd.getpwnam(ACCOUNT)
    folder = Path(tempfile.mkdtemp(prefix="front", dir="/tmp"))
    scratch = folder / "scratch"
    scratch.mkdir()
    os.chown(scratch, account.pw_uid, account.pw_gid)
    folder.chmod(0o755)
    lay(web, folder, account.pw_gid, scratch)
    text = (folder / CONF).read_text()
    text = text.replace(AGENTS, str(agents)).replace(TEXTFILES, str(texts))
    (folder / CONF).write_text(text)
    number = os.dup(port.fileno())
    os.set_inheritable(number, True)
    process = subprocess.Popen(
        ["unshare", "--net", "setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}",
         "--clear-groups", "--bounding-set=-all", "--no-new-privs",
         nginx, "-e", "stderr", "-c", folder / CONF],
        env={"NGINX": f"{number};"}, pass_fds=(number,), stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(number)
    try:
        yield process
    finally:
        process.terminate()
        _, told = process.communicate(timeout=60)
        shutil.rmtree(folder)
    assert b"[emerg]" not in told, told
