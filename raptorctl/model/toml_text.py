"""TOML, read with one error for all that is wrong with its form."""

import tomllib
from typing import Any

from raptorctl.errors import SettingsError
from raptorctl.model.encoding import without_mark


def read_toml(text: str, file: str) -> dict[str, Any]:
    """Read what a file of settings, a profile or a catalogue says.

    Args:
        text: TOML.
        file: its path, for errors.

    Raises:
        SettingsError: it is none.
    """
    try:
        return tomllib.loads(without_mark(text))
    except (ValueError, RecursionError) as error:  # also a number or a nesting beyond all bounds
        raise SettingsError(file, "", f"is not TOML: {error}") from error
