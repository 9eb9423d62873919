"""YAML that says the same to every reader: what is text is quoted, whatever it looks like.

YAML 1.1, which cloud-init reads, takes `no`, `52:54:00:00:00:01` and `0644` for a truth value and
two numbers; YAML 1.2 has other ideas. A quoted scalar is text in both (YAML 1.2.2, section 7.3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_WORD: Final = re.compile(r"[a-z][a-z_-]+", re.ASCII)


@dataclass(frozen=True)
class PlainText:
    """A scalar that goes out as it came in, without quotes: a number, a truth value, a date.

    Args:
        text: as it was written.
        tag: what YAML 1.1 takes it for, `tag:yaml.org,2002:bool` and so on.
    """

    text: str
    tag: str


def dump(data: Any) -> str:
    """Write data of dicts, lists, texts, numbers, truth values, None and `PlainText` as YAML.

    Returns:
        ASCII, so that no reader has to guess an encoding.
    """
    import yaml

    text: str = yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, default_flow_style=False, width=2**31, indent=2
    )
    return text


@cache
def _dumper() -> Any:
    # Not at the top: plans are made of this, and most have no seed.
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes every text; anchors nothing."""

        def ignore_aliases(self, data: Any) -> bool:
            """The same text twice is written twice."""
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            """Indent lists below their key, as people do."""
            super().increase_indent(flow, False)

    def text(dumper: Any, value: str) -> Any:
        block = "\n" in value.strip("\n") and value.isascii() and not value.startswith((" ", "\n"))
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if block else '"')

    def mapping(dumper: Any, value: Mapping[str, Any]) -> Any:
        return dumper.represent_mapping("tag:yaml.org,2002:map", [
            (Key(key) if _is_word(key) else key, item) for key, item in value.items()
        ])  # fmt: skip

    Dumper.add_representer(str, text)
    Dumper.add_representer(dict, mapping)
    Dumper.add_representer(
        Key, lambda dumper, key: dumper.represent_scalar("tag:yaml.org,2002:str", str(key))
    )
    Dumper.add_representer(
        NumberKey, lambda dumper, key: dumper.represent_scalar("tag:yaml.org,2002:int", str(key))
    )
    Dumper.add_representer(
        PlainText, lambda dumper, plain: dumper.represent_scalar(plain.tag, plain.text)
    )
    return Dumper


class Key(str):
    """A word that needs no quotes; PyYAML adds them where YAML 1.1 takes it for something else."""

    __slots__ = ()


class NumberKey(str):
    """A key that is a whole number, and goes out as it came in."""

    __slots__ = ()


def _is_word(key: Any) -> bool:
    return isinstance(key, str) and _WORD.fullmatch(key) is not None
