"""What cloud-init takes a user-data file for: by its beginning, and by nothing else.

The judge is cloud-init's own code, read at 22.4 and 26.2: `cloudinit/user_data.py`
(`convert_string`) and `cloudinit/handlers/__init__.py` (`type_from_starts_with`).
"""

from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import shown

HEADER: Final = "#cloud-config"
SCRIPT: Final = "#!"
MIME_WITHIN: Final = 4096
"""Bytes in which cloud-init looks for `MIME-Version:`, whatever the file begins with."""

_BOM: Final = "\ufeff"
_UNCHECKED: Final = "content that is made later cannot be checked"
_JINJA: Final = "## template: jinja"
_NOT_TAKEN: Final = {
    _JINJA: "a jinja template, which is not taken without --allow-jinja: it cannot be checked",
    "#include": f"an include, which is not taken: {_UNCHECKED}",
    "#cloud-config-archive": "an archive, which is not taken, as it cannot be merged with ours",
    "#cloud-config-jsonp": "a JSON patch, which is not taken, as it cannot be merged with ours",
    "#cloud-boothook": "a boothook, which is not taken; a script has #! and runs last",
    "#part-handler": f"a part handler, which is not taken: {_UNCHECKED}",
}


def is_script(text: str) -> bool:
    """Say whether user-data is a script; otherwise it is a cloud-config.

    Raises:
        InputError: it is neither, or cloud-init would take it for something else. Says what.
    """
    if text.startswith(_BOM):
        raise InputError(
            "line 1 begins with a byte order mark: cloud-init would ignore the file",
            resolution="save it as UTF-8 without BOM",
        )
    head = text.lstrip()
    number = text.count("\n", 0, len(text) - len(head)) + 1
    # Lines that only a script or a YAML text has above it do not make a message of it for us: what
    # is handed on is packed so that cloud-init does not take it for one either.
    if head.startswith(SCRIPT):
        _refuse_late_script(text, number)
        return True
    if (kind := _not_taken(head)) is not None:
        raise InputError(f"line {number} begins {kind}", resolution=f"write {HEADER} or a script")
    if not head.lower().startswith(HEADER):
        raise _no_header(text, head.split("\n", 1)[0].rstrip(), number)
    return False


def is_jinja(text: str) -> bool:
    """Whether user-data is a template, of which only the guest can tell what it says."""
    return text.lstrip().lower().startswith(_JINJA)


def looks_like_mime(text: str) -> bool:
    """Whether cloud-init takes a text for a MIME message, wherever in it the word stands."""
    return b"mime-version:" in text.encode()[:MIME_WITHIN].lower()


def _refuse_late_script(text: str, number: int) -> None:
    if not text.startswith(SCRIPT):
        raise InputError(
            f"line {number} has #! behind blanks: the guest's kernel runs no script of that",
            resolution="begin the file with #!",
        )


def _not_taken(head: str) -> str | None:
    """What a file is that cloud-init knows and we do not take; cases are the same to it."""
    found = [begin for begin in _NOT_TAKEN if head.lower().startswith(begin)]
    return _NOT_TAKEN[max(found, key=len)] if found else None


def _no_header(text: str, first: str, number: int) -> InputError:
    if looks_like_mime(text):
        return InputError(
            "user-data is a MIME message, which is not taken, as its parts cannot be merged with"
            " ours",
            resolution=f"hand in one of its parts, a {HEADER} or a script",
        )
    return InputError(
        f"line {number} is {shown(first)} and not {HEADER}: cloud-init would ignore the whole file",
        resolution=f"begin it with {HEADER}",
    )
