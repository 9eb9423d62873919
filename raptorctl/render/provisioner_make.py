"""The Makefile of a generated folder: which target needs which; what each does is in the script."""

from collections.abc import Iterable, Iterator
from typing import Final

from raptorctl.model.registry import DeletionPolicy, RegistryVm

HEAD: Final = r"""
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
SHELL := bash
.NOTPARALLEL:
.DELETE_ON_ERROR:

# make ssh CMD='echo $HOME': its dollars are the shell's. What CMD the environment has is not meant.
ifeq ($(origin CMD),command line)
override CMD := $(value CMD)
else
CMD :=
endif
export CMD
"""
QUIET: Final = ("exec", "console", "ip", "ssh")
"""What people talk to: make does not say the command first."""
SELVES: Final = (
    "build", "clean", "create/domain", "delete/domain", "start/domain", "stop/domain",
    "wait-for-ready/ip", "wait-for-ready/ssh", *QUIET,
)  # fmt: skip
"""What the script does by itself."""

Rules = dict[str, tuple[str, ...]]


def makefile(vm: RegistryVm) -> str:
    """Write the Makefile, without its first lines.

    Args:
        vm: the machine.
    """
    groups = _groups(vm)
    leaves: Rules = dict.fromkeys(SELVES, ())
    leaves |= {"clean-all": (), **dict(_items(vm))}
    phony = f".PHONY: {' '.join((*groups, *leaves))}"
    rules = [_rule(name, needed) for name, needed in groups.items()]
    rules += [_rule(name, needed) + _recipe(name) for name, needed in leaves.items()]
    return "\n".join((HEAD, phony, "", *rules, ""))


def _groups(vm: RegistryVm) -> Rules:
    """Targets that only need others: those that vmp's Makefile has."""
    pools = [pool.name for pool in vm.pools]
    volumes = [f"{volume.pool}/{volume.name}" for volume in vm.volumes]
    kept = {f"{v.pool}/{v.name}" for v in vm.volumes if v.policy is DeletionPolicy.RETAIN}
    kept_pools = {pool.name for pool in vm.pools if pool.policy is DeletionPolicy.RETAIN}
    ssh = ("wait-for-ready/ssh",) if vm.ssh else ()
    ip = () if vm.ssh and vm.ssh.host else ("wait-for-ready/ip",)
    return {
        "up": ("build", "create", "start"),
        "down": ("stop", "delete", "clean"),
        "create": ("create/pool", "create/volume", "create/domain"),
        "create/pool": _each("create/pool", pools),
        "create/volume": _each("create/volume", volumes),
        "start": ("start/pool", "start/domain"),
        "start/pool": _each("start/pool", pools),
        "stop": ("stop/domain",),
        "stop-all": ("stop", "stop/pool"),
        "stop/pool": _each("stop/pool", pools),
        "delete": ("delete/domain", "delete/volume", "delete/pool"),
        "delete/volume": _each("delete/volume", [v for v in volumes if v not in kept]),
        "delete/pool": _each("delete/pool", [p for p in pools if p not in kept_pools]),
        "delete-all": ("delete/domain", "delete/volume-all", "delete/pool-all"),
        "delete/volume-all": _each("delete/volume", volumes),
        "delete/pool-all": _each("delete/pool", pools),
        "wait-for-ready": (*ip, *ssh),
    }


def _items(vm: RegistryVm) -> Iterator[tuple[str, tuple[str, ...]]]:
    pools = [pool.name for pool in vm.pools]
    for name in pools:
        yield from ((f"{verb}/pool/{name}", ()) for verb in ("create", "start", "stop", "delete"))
    for volume in vm.volumes:
        target = f"volume/{volume.pool}/{volume.name}"
        pool = (f"start/pool/{volume.pool}",) if volume.pool in pools else ()
        yield f"create/{target}", (*pool, *(("build",) if volume.upload else ()))
        yield f"delete/{target}", ()


def _each(verb: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{verb}/{name}" for name in names)


def _rule(name: str, needed: Iterable[str]) -> str:
    return " ".join((f"{name}:", *needed))


def _recipe(name: str) -> str:
    return f"\n\t{'@' if name in QUIET else ''}bash ./vm.sh {name}"
