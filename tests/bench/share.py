"""Rows about images that are shared: how fast they come and go, beside curl and sftp."""

import getpass
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench import contest
from tests.bench.contest import Contender
from tests.bench.figures import Row, speed_row
from tests.integration.registry import registry
from tests.integration.sshd import Sshd

SCRIPT: Final = Path(__file__).with_name("scripts") / "push_image.py"
SIZE: Final = 1 << 30
ROUNDS: Final = 5
BUDGET: Final = 0.8


def rows() -> list[Row]:
    """Compare pushing and pulling 1 GiB with sending and fetching the same bytes."""
    with tempfile.TemporaryDirectory(prefix="raptorctl-bench-", dir="/var/tmp") as name:
        folder = Path(name)
        image = folder / "image.raw"
        digest = _image(image)
        return [*_by_registry(folder, image, digest), *_by_ssh(folder, image, digest)]


def _image(path: Path) -> str:
    """Make a raw image that nothing compresses; return its SHA-256."""
    sector = b"\0" * 510 + b"\x55\xaa"
    with path.open("wb") as file, Path("/dev/urandom").open("rb") as chance:
        file.write(sector)
        for _ in range(SIZE >> 20):
            file.write(chance.read(1 << 20))
        file.truncate(SIZE)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ours(verb: str, what: str, where: str, digest: str, way: str = "") -> tuple[str, ...]:
    return (sys.executable, str(SCRIPT), verb, what, where, digest, way)


def _by_registry(folder: Path, image: Path, digest: str) -> list[Row]:
    place = folder / "registry"
    place.mkdir()
    with registry(place) as running:
        blobs = f"http://{running.address}/v2"
        begin = f"curl -sS -o /dev/null -D - -X POST {blobs}/theirs/blobs/uploads/"
        put = (
            f"""url=$({begin} | tr -d '\\r' | sed -n 's/^Location: //p'); """
            f"""curl -sSf -T {image} -H 'Content-Type: application/octet-stream' """
            f""""$url&digest=sha256:{digest}" """
        )
        # Blobs are shared by repositories, so that what is there must go: nothing is sent twice.
        gone = f"rm -rf {place}/blobs/*"
        target = f"oci://{running.address}/web:1"
        pushed = contest.here(
            ROUNDS,
            Contender("ours", _ours("push", str(image), target, digest), before=gone),
            Contender("theirs", ("sh", "-c", put), before=gone),
        )
        subprocess.run(_ours("push", str(image), target, digest), check=True)
        blob = f"{blobs}/web/blobs/sha256:{digest}"
        fetch = f"curl -sSf -o {folder / 'got'} {blob}"
        pulled = _pulled(folder, _ours("pull", target, str(folder / "cache"), ""), fetch)
    return [
        _row("`image push` of 1 GiB to a registry", "`curl -T`", pushed),
        *_both("`image pull` of 1 GiB from a registry, checked", "`curl`", pulled),
    ]


def _by_ssh(folder: Path, image: Path, digest: str) -> list[Row]:
    keys, there = folder / "keys", folder / "there"
    keys.mkdir()
    with Sshd(keys) as running:
        known = keys / "known"
        known.write_text(f"[127.0.0.1]:{running.port} {running.key.type} {running.key.blob}\n")
        way = f"127.0.0.1,{running.port},{getpass.getuser()},{keys / 'own'},{known}"
        target = f"ssh://127.0.0.1:{running.port}{there}"
        sftp = (
            f"sftp -q -b - -P {running.port} -i {keys / 'own'} -o UserKnownHostsFile={known} "
            "127.0.0.1 >/dev/null"
        )
        gone = f"rm -rf {there}; mkdir {there}"
        pushed = contest.here(
            ROUNDS,
            Contender("ours", _ours("push", str(image), target, digest, way), before=gone),
            Contender(
                "theirs", ("sh", "-c", f"echo put -f {image} {there}/x | {sftp}"), before=gone
            ),
        )
        subprocess.run(_ours("push", str(image), target, digest, way), check=True)
        source, cache = f"{target}#web:1", str(folder / "cache")
        file = f"{there}/web:1@{digest[:12]}.raw"
        fetch = f"echo get {file} {folder / 'got'} | {sftp}"
        pulled = _pulled(folder, _ours("pull", source, cache, "", way), fetch)
    return [
        _row("`image push` of 1 GiB over ssh", "`sftp` put", pushed),
        *_both("`image pull` of 1 GiB over ssh, checked", "`sftp` get", pulled),
    ]


def _pulled(folder: Path, ours: tuple[str, ...], fetch: str) -> contest.Laps:
    """Compare with what leaves the file in memory, and with what sees it to the disk as we do."""
    gone = f"rm -rf {folder / 'cache'} {folder / 'got'}"
    kept = f"{fetch} && sync {folder / 'got'}"
    return contest.here(
        ROUNDS,
        Contender("ours", ours, before=gone),
        Contender("theirs", ("sh", "-c", fetch), before=gone),
        Contender("kept", ("sh", "-c", kept), before=gone),
    )


def _both(what: str, against: str, laps: contest.Laps) -> list[Row]:
    kept = f"{against}, then `sync`"
    return [_row(what, against, laps), _row(what, kept, laps, "kept")]


def _row(what: str, against: str, laps: contest.Laps, contender: str = "theirs") -> Row:
    ours, theirs = contest.seconds(laps, "ours", contender)
    return speed_row(what, against, "here", BUDGET, (ours, theirs))
