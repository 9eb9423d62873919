"""Disk images for tests: small, with a partition table, and of random content."""

import random
import subprocess
from pathlib import Path

from raptorctl.model.sizes import MIB


def raw_disk(path: Path, size: int = 4 * MIB, seed: int = 1) -> Path:
    """A raw image: a boot sector's signature, a hole, and something after it."""
    content = bytearray(size)
    content[510:512] = b"\x55\xaa"
    some = random.Random(seed).randbytes(size // 4)
    content[size // 2 : size // 2 + len(some)] = some
    path.write_bytes(content)
    return path


def qemu_img(*words: str | Path) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, capture_output=True, timeout=60)


def disk(path: Path, form: str = "qcow2", options: str = "", seed: int = 1) -> Path:
    """An image in that format, made by qemu-img."""
    raw = raw_disk(path.with_name(f"{path.name}.source"), seed=seed)
    extra = ["-o", options] if options else []
    qemu_img("convert", "-f", "raw", "-O", form, *extra, raw, path)
    raw.unlink()
    return path


def packed(path: Path, kind: str) -> Path:
    """An archive of a file, made by the programs people use."""
    target = path.with_name(f"{path.name}.{kind}")
    if kind == "7z":
        words = ["bsdtar", "--format=7zip", "-C", str(path.parent), "-cf", str(target), path.name]
    else:
        # `-f`: a test may have made one of that name before.
        program = {"gz": "gzip", "xz": "xz", "zst": "zstd"}[kind]
        words = [program, "-k", "-f", "-q", str(path)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    return target


def iso(path: Path, signature: bytes = b"CD001", blocks: int = 0) -> Path:
    """A hybrid one: it has the partition table of a disk as well.

    Args:
        path: the file.
        signature: of ISO 9660, or of UDF.
        blocks: how long its first volume says that it is; 0 for as long as it is.
    """
    content = bytearray(raw_disk(path).read_bytes())
    content[32768:32774] = b"\x01" + signature
    content[32848:32852] = (blocks or len(content) // 2048).to_bytes(4, "little")
    content[32896:32898] = (2048).to_bytes(2, "little")
    path.write_bytes(content)
    return path
