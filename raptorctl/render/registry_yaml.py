"""Trees of a registry as YAML that reads as the same again, and as JSON."""

import re
from typing import Any, Final

from raptorctl.model.registry import TAG, Text, Tree
from raptorctl.render.yaml_text import Key, PlainText, dump

DATA: Final = "data"
"""Below it, in `noCloud`, stand documents of cloud-init's."""
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
CONFIG: Final = "#cloud-config\n"


def config_yaml(tree: Tree) -> str:
    """Write all of a machine: what is text is quoted, whatever it looks like.

    Args:
        tree: vars, image, node and vm.
    """
    return dump(_typed(tree))


def config_json(tree: Tree) -> Any:
    """Return a tree for JSON: scalars are texts as they were written, but for true and false."""
    if isinstance(tree, dict):
        return {str(key): config_json(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [config_json(item) for item in tree]
    if isinstance(tree, Text):
        return str(tree) if tree.truth is None else tree.truth
    return tree


def document(name: str, tree: Tree) -> str:
    """Write a document of cloud-init's, each scalar as it was written.

    Args:
        name: of the file, e.g. `user-data`.
        tree: a table; or a text, which is the document.
    """
    if isinstance(tree, str):
        return tree if tree.endswith("\n") else f"{tree}\n"
    text = dump(_as_written(tree))
    return f"{CONFIG}{text}" if name in {"user-data", "vendor-data"} else text


def _typed(tree: Tree, above: str = "") -> Any:
    if isinstance(tree, dict):
        if above == "noCloud" and isinstance(tree.get(Text(DATA)), dict):
            tree = {**tree, Text(DATA): _as_written(tree[Text(DATA)])}
        return {_key(key): _typed(value, key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_typed(item) for item in tree]
    if isinstance(tree, Text) and tree.truth is not None:
        return PlainText(str(tree), tree.tag)
    return str(tree) if isinstance(tree, Text) else tree


def _as_written(tree: Tree) -> Any:
    """Scalars without quotes stay so; but a MAC, which YAML 1.1 takes for a number, is text."""
    if isinstance(tree, dict):
        return {_key(key): _as_written(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_as_written(item) for item in tree]
    if isinstance(tree, Text):
        is_text = tree.tag == f"{TAG}str" or (":" in tree and tree.tag != f"{TAG}timestamp")
        return str(tree) if is_text else PlainText(str(tree), tree.tag)
    return tree


def _key(key: str) -> str:
    return Key(key) if _WORD.fullmatch(key) else str(key)
