"""A real named on loopback, on a free port, in a directory of its own; as root or not."""

import base64
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ZONE = "raptor.example."
REVERSE4 = "100.51.198.in-addr.arpa."
REVERSE6 = "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
ZONES = (ZONE, REVERSE4, REVERSE6)

# `raptorctl` may do what the role grants it, `stranger` nothing, `keeper` everything.
KEYS = ("raptorctl", "stranger", "keeper")
_TRIES = 5
_SECONDS = 20


@dataclass
class Named:
    """A running server.

    Args:
        directory: its own.
        port: on 127.0.0.1, TCP and UDP.
        process: named in the foreground.
    """

    directory: Path
    port: int
    process: subprocess.Popen[bytes] = field(repr=False)

    def key_file(self, key: str) -> Path:
        """The file of one of KEYS, in named's own format."""
        return self.directory / f"{key}.key"

    def stop(self) -> None:
        """End it, within seconds."""
        self.process.terminate()
        try:
            self.process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def dig(self, name: str, kind: str) -> set[str]:
        """What the program `dig` sees at a name: `300 A 198.51.100.1`, one text per record."""
        argv = ["dig", "@127.0.0.1", "-p", str(self.port), "+tcp", "+norec", "+noall", "+answer"]
        answer = _run([*argv, name, kind])
        return {_without_name(line) for line in answer.splitlines() if line.strip()}

    def serial(self, zone: str) -> str:
        """The zone's serial number: it grows with every change."""
        (soa,) = self.dig(zone, "SOA")
        return soa.split()[4]

    def nsupdate(self, *lines: str) -> None:
        """Let somebody else change the zones, by the program `nsupdate`."""
        script = "\n".join([f"server 127.0.0.1 {self.port}", *lines, "send", ""])
        _run(["nsupdate", "-v", "-k", str(self.key_file("keeper"))], script)


@contextmanager
def running_named(directory: Path, zones: tuple[str, ...] = ZONES) -> Iterator[Named]:
    """Start a named that serves `zones`; end it afterwards."""
    for key in KEYS:
        write_key(directory / f"{key}.key", key)
    for zone in zones:
        (directory / _file(zone)).write_text(_zone_text())
    # A copy: where AppArmor confines named, it does so by path, and would deny it this directory.
    program = shutil.copy(shutil.which("named") or "/usr/sbin/named", directory / "named")
    named = _start(Path(program), directory, zones)
    try:
        yield named
    finally:
        named.stop()


def write_key(path: Path, name: str, secret: bytes | None = None) -> Path:
    """Write a key file that only its owner may read."""
    text = base64.b64encode(secret or os.urandom(32)).decode()
    path.touch(mode=0o600)
    path.write_text(f'key "{name}" {{\n\talgorithm hmac-sha256;\n\tsecret "{text}";\n}};\n')
    return path


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(program: Path, directory: Path, served: tuple[str, ...]) -> Named:
    for _ in range(_TRIES):
        port = free_port()
        (directory / "named.conf").write_text(_config(directory, port, served))
        log = directory / "named.log"
        with log.open("wb") as output:
            argv = [str(program), "-g", "-n", "1", "-c", str(directory / "named.conf")]
            process = subprocess.Popen(argv, stdout=output, stderr=output, start_new_session=True)
        named = Named(directory, port, process)
        if _ready(process, log):
            return named
        named.stop()
    raise RuntimeError(f"named did not start:\n{log.read_text()}")


def _ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Whether it runs and listens; another process may have taken the port."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        text = log.read_text(errors="replace")
        if "address in use" in text:
            return False
        if any(line.endswith(" running") for line in text.splitlines()):
            return True
        time.sleep(0.02)
    return False


def _config(directory: Path, port: int, served: tuple[str, ...]) -> str:
    keys = "\n".join(f'include "{directory / key}.key";' for key in KEYS)
    zones = "\n".join(_zone(directory, zone) for zone in served)
    return f"""
options {{
    directory "{directory}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    managed-keys-directory "{directory}";
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{ }};
{keys}
{zones}
"""


def _zone(directory: Path, zone: str) -> str:
    types = "A AAAA TXT" if zone == ZONE else "PTR"
    return f"""
zone "{zone}" {{
    type primary;
    file "{directory / _file(zone)}";
    update-policy {{ grant raptorctl zonesub {types}; grant keeper zonesub ANY; }};
}};"""


def _file(zone: str) -> str:
    return f"{zone.replace('/', '-')}zone"


def _zone_text() -> str:
    return """$TTL 300
@ IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 604800 300
@ IN NS ns.invalid.
"""


def _without_name(line: str) -> str:
    _name, ttl, _class, kind, value = line.split(maxsplit=4)
    return f"{ttl} {kind} {value}"


def _run(argv: list[str], script: str = "") -> str:
    done = subprocess.run(
        argv, input=script, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")
    return done.stdout
