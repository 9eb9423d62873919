"""The catalogue of images: what comes with us, and what a host adds."""

from pathlib import Path
from typing import Final

from raptorctl.host.system.files import SETTINGS, read_trusted, shipped
from raptorctl.model.catalogue import Catalogue, parse_catalogue

CATALOGUE: Final = "catalogue.toml"
"""Its file, among what we ship and among the host's own settings."""
ADMIN_CATALOGUE: Final = SETTINGS / CATALOGUE


def catalogue(admin: Path = ADMIN_CATALOGUE) -> Catalogue:
    """Read the shipped catalogue, and over it the host's own, if there is one.

    Raises:
        SettingsError: the host's own cannot be trusted or read.
    """
    ours = shipped("images") / CATALOGUE
    known = parse_catalogue(ours.read_text(), str(ours))
    if not admin.is_symlink() and not admin.exists():
        return known
    return parse_catalogue(read_trusted(admin), str(admin)).over(known)
