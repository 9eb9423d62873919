"""Contents, put together to the bytes that a file will have."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from raptorctl.drivers.supply import Supply
from raptorctl.errors import DownloadError, InputError
from raptorctl.model.content import (
    Base64,
    Content,
    FromPath,
    FromUrl,
    Items,
    Merged,
    Parsed,
    Scalar,
    Table,
    Tree,
    Verbatim,
    Yaml,
)
from raptorctl.model.names import shown
from raptorctl.render.append_merge import appended
from raptorctl.render.user_data import tree as parsed_tree
from raptorctl.render.user_data_head import HEADER
from raptorctl.render.yaml_text import dump


@dataclass(frozen=True)
class Maker:
    """Puts contents together.

    Args:
        supply: where files and servers' replies come from.
        expand: replaces the names in a text; raises `InputError` where one is unknown.
    """

    supply: Supply
    expand: Callable[[str], str]

    def made(self, content: Content) -> bytes:
        """Return the bytes of a content.

        Raises:
            HostError: a server does not give what it should.
            InputError: a file cannot be read, a name is unknown, or parts cannot be merged.
        """
        match content:
            case Verbatim(data):
                return data
            case FromPath(path, expand):
                data = self.supply.file(path)
                return self._expanded(data, path) if expand else data
            case FromUrl(url, sha256):
                return self._fetched(url, sha256)
            case Base64(of):
                return base64.b64encode(self.made(of))
            case Yaml(tree, header):
                text = dump(self._value(tree))
                headed = self._is_headed(tree) if header is None else header
                return (f"{HEADER}\n{text}" if headed else text).encode()

    def _is_headed(self, tree: Tree) -> bool:
        match tree:
            case Parsed(content):
                return self.made(content).split(b"\n", 1)[0].rstrip() == HEADER.encode()
            case Merged(parts, _):
                return any(map(self._is_headed, parts))
        return False

    def _expanded(self, data: bytes, path: str) -> bytes:
        try:
            return self.expand(_decoded(data, "it")).encode()
        except InputError as error:
            raise _about(shown(path), error) from error

    def _fetched(self, url: str, sha256: str) -> bytes:
        from hashlib import sha256 as digest_of

        data = self.supply.url(url)
        if sha256 and digest_of(data).hexdigest() != sha256.lower():
            raise DownloadError(f"{shown(url)}: what came has another checksum")
        return data

    def _value(self, tree: Tree) -> Any:
        match tree:
            case Table(pairs):
                return self._table(pairs)
            case Items(items):
                return [self._value(item) for item in items]
            case Parsed(content):
                called = _called(content)
                try:
                    return parsed_tree(_decoded(self.made(content), "it"), "it")[0]
                except InputError as error:
                    raise _about(called, error) from error
            case Scalar(value):
                return value if isinstance(value, int) else _decoded(self.made(value), "a text")
            case Merged(parts, glue):
                values = [self._value(part) for part in parts]
                return reduce(lambda one, other: appended(one, other, glue=glue), values)

    def _table(self, pairs: tuple[tuple[str, Tree], ...]) -> dict[str, Any]:
        table: dict[str, Any] = {}
        for key, tree in pairs:
            if key in table:
                raise InputError(f"{shown(key)} is there twice")
            table[key] = self._value(tree)
        return table


def _about(what: str, error: InputError) -> InputError:
    return InputError(f"{what}: {error.brief}", resolution=error.resolution)


def _called(content: Content) -> str:
    match content:
        case FromPath(path):
            return shown(path)
        case FromUrl(url):
            return shown(url)
    return "YAML"


def _decoded(data: bytes, called: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{called} is not UTF-8") from error
