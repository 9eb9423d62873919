"""Commands that do a step as another account of the guest: by sudo, which asks for no password."""

import shlex
from typing import Final

from raptorctl.model.guest_step import GuestStep

PUT: Final = (
    't=$1; if [ -d "$t" ]; then t=${t%/}/$2; fi; '
    'case $t in */) echo "$t is not a directory" >&2; exit 1;; esac; '
    'p=$t.$4.part; if cp -- "$0" "$p" && chmod -- "$3" "$p" && mv -f -- "$p" "$t"; '
    'then printf %s "$t"; else rm -f -- "$p"; exit 1; fi'
)
"""Copies a file into its place, whole or not at all; prints where it is."""


def acting_as(user: str) -> str:
    """Return what goes before a command, so that an account runs it; "" for the one logged in."""
    return f"sudo -n -u {shlex.quote(user)} -- " if user else ""


def hand_over(user: str, folder: str) -> str:
    """Return the command that makes a folder, and what is in it, an account's."""
    return f"sudo -n chown -R -- {shlex.quote(user)} {shlex.quote(folder)}"


def put(user: str, place: str, step: GuestStep, mode: int, mark: str) -> str:
    """Return the command that copies a file into its place.

    Args:
        user: the account that does it.
        place: where the file is.
        step: says where it is to be.
        mode: its permissions.
        mark: what nobody else's file is called by meanwhile.
    """
    words = (PUT, place, step.target, step.source.name, f"{mode:o}", mark)
    return f"{acting_as(user)}sh -c {shlex.join(words)}"


def clear(folder: str) -> str:
    """Return the command that removes a folder that was handed over."""
    return f"sudo -n rm -rf -- {shlex.quote(folder)}"
