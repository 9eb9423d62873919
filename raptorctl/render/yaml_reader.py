"""YAML as cloud-init reads it, and strictly: what two readers could take differently is refused."""

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown
from raptorctl.render.yaml_text import NumberKey, PlainText

_BASE_60: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII)
TAG: Final = "tag:yaml.org,2002:"


SCALARS: Final = frozenset(TAG + kind for kind in ("bool", "int", "float", "null", "timestamp"))


TEXTS: Final = frozenset(
    "hostname fqdn name gecos passwd hashed_passwd plain_text_passwd password homedir shell"
    " primary_group groups path owner permissions content source macaddress mac_address"
    " set-name locale timezone filename ssh_authorized_keys".split()
)
"""Keys whose values are text, whatever YAML 1.1 takes them for."""


def tagged(node: Any, text: str = "") -> InputError:
    """What a node is called, or seems to be, that is handed on as nothing plain."""
    line, tag = node.start_mark.line + 1, node.tag.removeprefix(TAG)
    if node.tag in SCALARS:
        return InputError(f"line {line}: {shown(text)} is not a valid {tag}; quote it")
    binary = "; in write_files, write `encoding: b64`" if tag == "binary" else ""
    return InputError(
        f"line {line} has the tag {shown(tag)}, which is not taken, as it cannot be merged",
        resolution=f"write it as text, a list or a table{binary}",
    )


def _is_base_64(text: str) -> bool:
    """Whether PyYAML makes bytes of it: it passes over what is no sign of base64's."""
    try:
        b64decode(text.encode("ascii"))
    except ValueError:
        return False
    return True


class YamlReader:
    """Builds plain data of nodes; scalars that are no text stay as they were written.

    Args:
        number_keys: so do keys that are whole numbers; else they are text.
    """

    def __init__(self, *, number_keys: bool = False) -> None:
        import yaml

        self._number_keys = number_keys

        self.notes: list[str] = []
        self._constructor: Any = yaml.constructor.SafeConstructor()
        self._resolver: Any = yaml.resolver.Resolver()

    def value(self, node: Any, key: str = "") -> Any:
        """Return what a node says; `key` is the one it stands at."""
        import yaml

        if isinstance(node, yaml.MappingNode):
            self._expect(node, "map")
            return dict(self._pairs(node))
        if isinstance(node, yaml.SequenceNode):
            self._expect(node, "seq")
            return [self.value(item, key) for item in node.value]
        return self._scalar(node, key)

    def _pairs(self, node: Any) -> Iterator[tuple[Any, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            line, key = key_node.start_mark.line + 1, key_node.value
            if key_node.tag == TAG + "merge":
                raise InputError(f"line {line} has a merge key, <<: write it out")
            if not isinstance(key, str):
                raise InputError(f"line {line} has a key that is not a word")
            if key in seen:
                raise InputError(f"line {line} has {shown(key)} a second time")
            seen.add(key)
            if self._number_keys and key_node.tag == TAG + "int" and key.isdecimal():
                key = NumberKey(key)  # cloud-init sorts snap's commands by it
            elif key_node.tag != TAG + "str":
                self._note(line, key)
            yield key, self.value(value_node, key)

    def _scalar(self, node: Any, key: str) -> Any:
        line, text = node.start_mark.line + 1, node.value
        if node.tag == TAG + "str":
            return text
        if node.tag == TAG + "binary" and key == "content" and _is_base_64(text):
            return PlainText(text, node.tag)
        if not self._is_plain(node):
            raise tagged(node, text)
        is_text = key in TEXTS and node.tag != TAG + "null"
        if is_text or _BASE_60.fullmatch(text):
            self._note(line, text)
            return text
        return PlainText(text, node.tag)

    def _note(self, line: int, text: str) -> None:
        self.notes.append(f"line {line}: {shown(text)} is taken for text; quote it to say so")

    def _expect(self, node: Any, kind: str) -> None:
        if node.tag != TAG + kind:
            raise tagged(node)

    def _is_plain(self, node: Any) -> bool:
        """Whether a scalar is what it seems without its tag, and can be read as that."""
        implicit = self._resolver.resolve(type(node), node.value, (True, False))
        if node.tag not in SCALARS or implicit != node.tag:
            return False
        try:
            self._constructor.construct_object(node)
        except (ValueError, OverflowError):  # 2001-99-99, 0x_; 1:00:... of base 60, too large
            return False
        return True
