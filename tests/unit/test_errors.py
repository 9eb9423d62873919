"""Every error has a code, and docs/errors.md says of each what it means and which exit code it has."""

import ast
import importlib
import inspect
import re
from collections import Counter, defaultdict
from pathlib import Path

from raptorctl.errors import RaptorError, StoppedError
from raptorctl.model.error_code import Code
from tests.unit.test_architecture import MODULES, nodes

PAGE = Path(__file__).parents[2] / "docs/errors.md"


def told() -> dict[str, set[int]]:
    """Codes with their exit codes, as the page tells them."""
    rows = re.findall(r"^\| `([a-z-]+)` \| ([\d, ]+) \|", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows))
    return {code: {int(number) for number in exits.split(",")} for code, exits in rows}


def classes() -> dict[str, type[RaptorError]]:
    """Every class of the tree, wherever it is written, by its name."""
    members = (
        member
        for module, path in MODULES.items()
        if any(
            isinstance(node, ast.ClassDef) and node.name.endswith("Error") for node in nodes(path)
        )
        for member in inspect.getmembers(importlib.import_module(module), inspect.isclass)
    )
    return {name: kind for name, kind in members if issubclass(kind, RaptorError)}


def raised() -> dict[str, set[int]]:
    """Codes with the exit codes they are raised with: the classes' own, and those said on the spot."""
    kinds, found = classes(), defaultdict(set)
    for kind in kinds.values():
        found[kind.code.value].add(kind.exit_code)
    for path in MODULES.values():
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for keyword in node.keywords:
                    text = ast.unparse(keyword.value)
                    if keyword.arg == "code" and text.startswith("Code."):
                        code = Code[text.removeprefix("Code.")]
                        found[code.value].add(kinds[node.func.id].exit_code)
    # A signal's is 128 and its number (signal(7)); ^C at a question is no job's, and is the edge's.
    found[Code.INTERRUPTED.value] = {StoppedError(number).exit_code for number in (1, 2, 15)}
    return dict(found)


def test_every_code_is_told_with_the_exit_codes_it_comes_with_and_no_other_is() -> None:
    assert told() == raised()
    assert set(told()) == {code.value for code in Code}


def test_a_code_is_one_word_for_programs() -> None:
    assert [code for code in Code if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_every_class_has_a_code_of_its_own_unless_it_is_a_kind_of_another() -> None:
    own = Counter(kind.code for kind in classes().values() if "code" in vars(kind))
    assert {code for code, count in own.items() if count > 1} == set()
    assert len(own) > 15
