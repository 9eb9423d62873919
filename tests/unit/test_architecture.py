"""The house (design): floors, no cycles, who may touch what."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "raptorctl"

FLOORS = {
    "relay": 0, "errors": 1, "model": 1, "drivers": 2, "read": 2, "render": 2, "host": 3, "steps": 4,
    "plans": 5, "engine": 6, "api": 7, "web": 8, "cli": 9, "__main__": 10,
}  # fmt: skip
PORTS_ONLY = ("raptorctl.steps", "raptorctl.plans")
"""What asks a host by its ports, and never knows what answers."""
HOST_ONLY = {"sh", "libvirt", "dns", "pyudev", "jeepney", "subprocess", "asyncssh", "libvirt_qemu"}

MODULES = {
    ".".join(path.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed once for all tests."""
    return ast.parse(path.read_text())


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a file."""
    return tuple(ast.walk(tree(path)))


def floor(module: str) -> int:
    """The package itself has only a version and is on the ground."""
    return FLOORS[module.split(".")[1]] if "." in module else 0


@cache
def imports(path: Path, *, deep: bool) -> frozenset[str]:
    """Full names that a file imports: anywhere, or (not `deep`) as it is itself imported."""
    return frozenset(_named(path, nodes(path) if deep else _executed(tree(path).body)))


def _named(path: Path, found: Iterable[ast.AST]) -> Iterator[str]:
    for node in found:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (
                    whole
                    if whole in MODULES or f"{whole}.__init__" in MODULES
                    else str(node.module)
                )


def roots(path: Path) -> set[str]:
    """The packages that a file imports anything of."""
    return {name.partition(".")[0] for name in imports(path, deep=True)}


def below(*prefixes: str) -> Iterator[tuple[str, Path]]:
    """The modules whose names begin so."""
    return ((module, path) for module, path in MODULES.items() if module.startswith(prefixes))


def _executed(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if (
            isinstance(statement, ast.If) and "TYPE_CHECKING" not in ast.dump(statement.test)
        ) or isinstance(statement, ast.Try):
            yield from _executed(statement.body)


def test_imports_go_down_or_sideways() -> None:
    up = {
        (module, name)
        for module, path in MODULES.items()
        for name in imports(path, deep=True)
        if name.startswith("raptorctl") and floor(name) > floor(module)
    }
    assert not up


def test_steps_and_plans_know_nothing_of_what_answers() -> None:
    named = {
        (module, name)
        for module, path in below(*PORTS_ONLY)
        for name in imports(path, deep=True)
        if name.startswith("raptorctl.host")
    }
    assert not named


def test_a_port_has_no_code() -> None:
    """All methods of a Protocol there are a docstring."""
    for module in (m for m in MODULES if m.startswith("raptorctl.drivers.")):
        for node in nodes(MODULES[module]):
            if isinstance(node, ast.FunctionDef):
                assert len(node.body) == 1, f"{module}: {node.name}"
                assert ast.get_docstring(node), f"{module}: {node.name}"


def test_no_module_waits_for_itself() -> None:
    graph = {
        module: {name for name in imports(path, deep=False) if name in MODULES and name != module}
        for module, path in MODULES.items()
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_folder_of_a_floor_waits_for_itself() -> None:
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if module.startswith(("raptorctl.host.", "raptorctl.plans.")):
            used = graph.setdefault(folder(module), set())
            used |= {folder(name) for name in imports(path, deep=False) if same_floor(name, module)}
            used.discard(folder(module))
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def folder(module: str) -> str:
    """The folder that a module is in."""
    return module.rpartition(".")[0]


def same_floor(name: str, module: str) -> bool:
    return name in MODULES and name.startswith(f"raptorctl.{module.split('.')[1]}.")


def test_only_the_host_floor_touches_the_host() -> None:
    touching = {
        module
        for module, path in MODULES.items()
        if not module.startswith("raptorctl.host.") and roots(path) & HOST_ONLY
    }
    assert not touching


def test_the_relay_needs_itself_and_the_standard_library_alone() -> None:
    needed = {
        (module, name)
        for module, path in below("raptorctl.relay")
        for name in imports(path, deep=True)
        if not name.startswith("raptorctl.relay")
        and name.partition(".")[0] not in sys.stdlib_module_names
    }
    assert not needed


ITS_OWN_PROCESS: Final = {
    # Children that have forked off, and have nothing to tidy up.
    "raptorctl.host.system.caller": {"os._exit"},
    "raptorctl.relay.daemon": {"os._exit"},
    # A program of its own, under limits of its own.
    "raptorctl.host.image.unpacker": {"sys.stdin", "sys.stdout", "sys.stderr"},
}


def test_only_the_command_line_prints_and_exits() -> None:
    words = {"print", "input", "exit", "quit"}
    dotted = {"sys.exit", "os._exit", "sys.stdout", "sys.stderr", "sys.stdin"}
    found = set()
    for module, path in MODULES.items():
        if module.startswith(("raptorctl.cli", "raptorctl.__main__")):
            continue
        named = {node.id for node in nodes(path) if isinstance(node, ast.Name)} & words
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                named |= {f"{node.value.id}.{node.attr}"} & dotted
        found |= {(module, name) for name in named - ITS_OWN_PROCESS.get(module, set())}
    assert not found


def test_the_front_door_is_no_command_line() -> None:
    """Another user of it has no terminal: it is asked by values, and tells by callbacks."""
    theirs = {"typer", "click", "rich", "termios", "tty", "getpass"}
    assert not {module for module, path in below("raptorctl.api") if roots(path) & theirs}


HANDED_IN: Final = {
    "raptorctl.host.system.caller", "raptorctl.host.guest.cloud_init", "raptorctl.host.system.files",
    "raptorctl.host.guest.host_key", "raptorctl.host.guest.login_key", "raptorctl.host.system.profile",
    "raptorctl.host.system.seed_folder",
}  # fmt: skip
"""What the command line asks to read what is typed: files, keys, profiles, templates."""


def test_the_command_line_acts_through_the_front_door() -> None:
    engine = {"raptorctl.engine.report", "raptorctl.engine.stop"}
    around = {
        (module, name)
        for module, path in below("raptorctl.cli")
        for name in imports(path, deep=True)
        if name.startswith("raptorctl.steps")
        or (name.startswith("raptorctl.engine") and name not in engine)
        or (name.startswith("raptorctl.host") and name not in HANDED_IN
            and module != "raptorctl.cli.log_service")  # a program of its own
    }  # fmt: skip
    assert not around


# The last is the page's: what it shows goes on, whatever one look at the host has met.
EDGES: Final = {"raptorctl.cli.edge", "raptorctl.engine.apply", "raptorctl.web.lookout"}


def test_everything_is_caught_in_few_places() -> None:
    catching = Counter(
        module
        for module, path in MODULES.items()
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and not any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
    )
    assert {module for module, count in catching.items() if count > (module in EDGES)} == set()


def test_files_are_small() -> None:
    large = {
        str(path.relative_to(CHECKOUT)): count
        for path in MODULES.values()
        if (count := len(path.read_text().splitlines())) > 300
    }
    assert not large


def test_what_kind_of_host_it_is_is_asked_where_drivers_are_chosen_alone() -> None:
    """Elsewhere, what is asked is what it is about: tenants, slots, LVM, pinned CPUs, DNS."""
    asking = {
        module
        for module, path in MODULES.items()
        for node in nodes(path)
        if isinstance(node, ast.ImportFrom)
        and node.module == "raptorctl.model.settings"
        and any(alias.name == "Kind" for alias in node.names)
    }
    assert asking == {"raptorctl.host.connect"}


MOST_PARAMETERS = 6
MOST_OPTIONS = 9
"""Of a function in `cli/`: a command's parameters are its options, where no record has them."""


def test_no_function_has_more_parameters_than_a_person_can_keep_apart() -> None:
    found = {}
    for module, path in MODULES.items():
        most = MOST_OPTIONS if module.startswith("raptorctl.cli") else MOST_PARAMETERS
        for node in nodes(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                said = node.args
                count = len([*said.posonlyargs, *said.args, *said.kwonlyargs])
                count -= bool(said.args and said.args[0].arg in {"self", "cls"})
                if count > most:
                    found[f"{module}.{node.name}"] = count
    assert not found


def test_upper_floors_work_without_what_only_the_host_needs() -> None:
    upper = [
        m
        for m in MODULES
        if m.startswith(("raptorctl.plans", "raptorctl.steps", "raptorctl.engine", "raptorctl.api"))
    ]
    program = (
        "import sys, importlib\n"
        "for name in ('sh', 'libvirt', 'dns', 'pyudev'): sys.modules[name] = None\n"
        f"for name in {upper!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""


def test_no_public_class_has_the_name_of_another() -> None:
    """One word means one thing. The relay is a program of its own, with libvirt's words."""
    named: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        if module.startswith("raptorctl.relay"):
            continue
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(module)
    assert {name: modules for name, modules in named.items() if len(modules) > 1} == {}
