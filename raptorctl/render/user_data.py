"""An admin's own user-data: read strictly, and joined with ours.

cloud-init ignores a file without its header (user_data_head.py), lets the last of two equal keys
win, and takes what YAML 1.1 makes of it. Here each of those is an error that names its line, before
anything is touched.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from raptorctl.errors import InputError
from raptorctl.model.seed import LARGEST_USER_DATA, PLAIN, Taken
from raptorctl.render import user_data_rules as rules
from raptorctl.render.user_data_head import HEADER, is_jinja, is_script, looks_like_mime
from raptorctl.render.user_data_merge import merged
from raptorctl.render.yaml_reader import YamlReader
from raptorctl.render.yaml_text import dump

if TYPE_CHECKING:
    from email.message import Message

DEEPEST: Final = 40
"""Levels of nesting; no module of cloud-init comes near it."""

_OVER: Final = {"merge_how": "list(prepend)+dict(no_replace,recurse_list)+str()"}
"""How ours is merged into what only the guest can read: as `user_data_merge` does it."""

_PRIVATE: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY", re.ASCII)


@dataclass(frozen=True)
class UserData:
    """Checked user-data.

    Args:
        config: what a cloud-config says; None for a script.
        notes: what was read as text that cloud-init itself would take for something else.
    """

    config: dict[str, Any] | None
    notes: tuple[str, ...] = ()


ALL: Final = Taken(private_key=True, jinja=True)
"""For what was checked before."""


def check(text: str, allowed: Taken = PLAIN) -> UserData:
    """Read user-data strictly: a cloud-config, or a script that begins with `#!`.

    Args:
        text: the file.
        allowed: what else it may be.

    Raises:
        InputError: one line that says what is wrong, and on which line.
    """
    _refuse_large(text, "user-data")
    taken_whole = (allowed.jinja and is_jinja(text)) or is_script(text)
    _refuse_characters(text)
    if not allowed.private_key:
        refuse_private_keys(text)
    return UserData(None) if taken_whole else _parsed(text)


def strict(
    text: str, what: str, *, number_keys: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read YAML of an admin's that is a table of keys, as strictly as user-data.

    Args:
        text: the file.
        what: it is, for errors.
        number_keys: whether keys that are whole numbers stay so; else they are text.

    Returns:
        What it says, and notes: what was taken for text.

    Raises:
        InputError: says what is wrong, and on which line.
    """
    said, notes = tree(text, what, number_keys=number_keys)
    config = {} if said is None else said
    if not isinstance(config, dict):
        raise InputError(f"{what} is not a table of keys")
    return config, notes


def tree(text: str, what: str, *, number_keys: bool = False) -> tuple[Any, tuple[str, ...]]:
    """Read any YAML of an admin's as strictly; None where there is nothing in it.

    Args:
        text: the file.
        what: it is, for errors.
        number_keys: whether keys that are whole numbers stay so; else they are text.

    Returns:
        What it says, and notes: what was taken for text.

    Raises:
        InputError: says what is wrong, and on which line.
    """
    import yaml

    _refuse_large(text, what)
    _refuse_characters(text)
    reader = YamlReader(number_keys=number_keys)
    try:
        # The loader that cloud-init has: libyaml's reads a few things differently.
        _refuse_events(yaml.parse(text, Loader=yaml.SafeLoader))
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise InputError(_yaml_problem(error, what)) from error
    return (None if node is None else reader.value(node)), tuple(reader.notes)


def load(text: str) -> Any:
    """Read YAML of ours, or what was checked; scalars that are no text stay as they are written.

    Raises:
        InputError: it is not YAML.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise InputError(_yaml_problem(error)) from error
    return None if node is None else YamlReader(number_keys=True).value(node)


def joined(ours: dict[str, Any], theirs: str) -> str:
    """Join our cloud-config with an admin's user-data into one text.

    A cloud-config is merged into one; a script is put beside it, in a MIME message.

    Raises:
        InputError: as `check`, but for private keys, which it was asked about before.
    """
    if not theirs:
        return _config_text(ours)
    if is_jinja(theirs):
        # Each part is merged into what came before it, by what it says itself.
        return _multipart(("jinja2", theirs), ("cloud-config", _config_text(ours | _OVER)))
    read = check(theirs, ALL)
    if read.config is None:
        return _multipart(("cloud-config", _config_text(ours)), ("x-shellscript", theirs))
    return _packed(_config_text(merged(ours, read.config)))


def alone(theirs: str) -> str:
    """Return checked vendor-data as cloud-init is told: what of it is text is quoted."""
    config = None if is_jinja(theirs) else check(theirs, ALL).config
    return theirs if config is None else _packed(_config_text(config))


def _config_text(config: Mapping[str, Any]) -> str:
    return f"{HEADER}\n{dump(config)}"


def _packed(config: str) -> str:
    """Put a config into a message where cloud-init would take it itself for one."""
    return _multipart(("cloud-config", config)) if looks_like_mime(config) else config


def _multipart(*parts: tuple[str, str]) -> str:
    """Parts of a kind each (RFC 2046), the same for the same texts."""
    from email.mime.multipart import MIMEMultipart

    boundary = "=raptorctl="
    while any(boundary in text for _, text in parts):
        boundary += "="
    whole = MIMEMultipart(boundary=boundary)
    for kind, text in parts:
        whole.attach(_part(kind, text))
    return whole.as_string()


def _part(kind: str, text: str) -> "Message":
    from email.mime.nonmultipart import MIMENonMultipart

    part = MIMENonMultipart("text", kind, charset="utf-8")
    part.set_payload(text, "utf-8")
    part.add_header("Content-Disposition", "attachment", filename=kind)
    return part


def _refuse_characters(text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if any((char < " " and char not in "\t\r") or char in "\x7f\ufeff" for char in line):
            raise InputError(f"line {number} holds {_named(line)}")


def _named(line: str) -> str:
    return "a byte order mark" if "\ufeff" in line else "a control character"


def refuse_private_keys(text: str) -> None:
    """Refuse a text that has a private key in it.

    Raises:
        InputError: names the line.
    """
    if found := _PRIVATE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(
            f"line {line} begins a private key, which every admin of the host could read",
            resolution="make it in the guest, or say --allow-private-key",
        )


def _refuse_large(text: str, what: str) -> None:
    if len(text.encode()) > LARGEST_USER_DATA:
        raise InputError(f"{what} of more than {LARGEST_USER_DATA} bytes")


def _parsed(text: str) -> UserData:
    config, notes = strict(text, "user-data", number_keys=True)
    config = rules.said(config)
    rules.refuse(config)
    return UserData(config, (*notes, *rules.notes(config)))


def _refuse_events(events: Iterable[Any]) -> None:
    """What expands, and what nests without end, goes no further than the parser."""
    import yaml

    depth = documents = 0
    for event in events:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(f"line {line} has an anchor or an alias: write it out")
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1:
            raise InputError(f"line {line} begins a second document")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise InputError(f"line {line} is nested more than {DEEPEST} deep")


def _yaml_problem(error: Any, what: str = "user-data") -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "cannot be read"
    where = f"line {mark.line + 1}" if mark else what
    if "'\\t'" in problem:  # YAML 1.2 takes some of them; PyYAML, which cloud-init has, none
        return f"{where} has a tab where cloud-init's YAML reader takes none: write spaces"
    return f"{where} is not YAML: {problem}".replace("\n", " ")
