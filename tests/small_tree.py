"""A small Linux tree of this machine's own programs, and a file system that holds it."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

FOLDERS: Final = (
    "bin", "etc", "proc", "sys", "dev", "run", "tmp", "usr", "root", "srv", "mnt",
)  # fmt: skip
PROGRAMS: Final = (
    "sh", "bash", "cat", "touch", "mkdir", "cp", "chmod", "chown", "sleep", "timeout",
)  # fmt: skip


def small_tree(tree: Path) -> Path:
    """Lay the tree out: a shell, a few programs, and the libraries that these need."""
    for name in FOLDERS:
        (tree / name).mkdir(parents=True)
    (tree / "etc/os-release").write_text("ID=test\n")
    for program in PROGRAMS:
        path = os.path.realpath(str(shutil.which(program)))
        shutil.copy(path, tree / "bin" / program)
        needed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+)", needed):
            place = tree / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(library), place)
    return tree


def small_disk(disk: Path, tree: Path, size: int) -> Path:
    """Make a raw disk that is one ext4 with that tree, and has no partitions."""
    with disk.open("wb") as file:
        file.truncate(size)
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-d", tree, disk], check=True)
    return disk
