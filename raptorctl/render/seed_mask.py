"""Seeds as they may be shown: what they say, without what only the guest should know."""

import email
import re
from collections.abc import Iterator
from dataclasses import asdict
from email.message import Message
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.seed import Seed
from raptorctl.render.user_data import load
from raptorctl.render.yaml_text import PlainText, dump

HIDDEN: Final = "(hidden)"

_SECRET: Final = re.compile(
    r"passw|private|secret|token|credential|^chpasswd$|api_?key", re.IGNORECASE
)
_PEM: Final = re.compile(r"(-----BEGIN [A-Z0-9 ]+-----).*?(-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_FLAGS: Final = frozenset({"lock_passwd", "ssh_pwauth", "expire"})
_SAY_NOTHING: Final = ("bool", "null")
"""Scalars that hide no secret, as YAML's tags end."""


def masked(seed: Seed) -> Seed:
    """Hide private keys, passwords and their like."""
    return Seed(**{name: _masked_text(text) for name, text in asdict(seed).items()})


def _masked_text(text: str) -> str:
    if text.startswith("Content-Type"):
        return "\n".join(_parts(email.message_from_string(text)))
    try:
        data = load(text)
    except InputError:
        data = None
    if not isinstance(data, dict):
        return _PEM.sub(rf"\1 {HIDDEN} \2", text)
    head = text.split("\n", 1)[0] + "\n" if text.startswith("#cloud-config") else ""
    return head + dump(_masked(data))


def _parts(message: Message) -> Iterator[str]:
    """A message's parts (RFC 2046), as what they say and not as how it is encoded."""
    for part in message.walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):  # what is made of parts itself has none
            said = _masked_text(content.decode(errors="replace"))
            yield f"Content-Type: {part.get_content_type()}\n\n{said}"


def _masked(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: HIDDEN if _is_secret(str(key), value) else _masked(value)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [_masked(item) for item in data]
    return _PEM.sub(rf"\1 {HIDDEN} \2", data) if isinstance(data, str) else data


def _is_secret(key: str, value: Any) -> bool:
    if isinstance(value, PlainText) and value.tag.endswith(_SAY_NOTHING):
        return False
    return bool(_SECRET.search(key)) and key not in _FLAGS
