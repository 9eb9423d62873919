"""The catalogue of images: what comes with us, and what a host adds."""

from pathlib import Path
from typing import Final

from raptorctl.host.system.files import read_trusted, shipped
from raptorctl.model.catalogue import Catalogue, parse_catalogue

ADMIN_CATALOGUE: Final = Path("/etc/raptorctl/catalogue.toml")


def catalogue(admin: Path = ADMIN_CATALOGUE) -> Catalogue:
    """Read the shipped catalogue, and over it the host's own, if there is one.

    Raises:
        SettingsError: the host's own cannot be trusted or read.
    """
    ours = shipped("images") / "catalogue.toml"
    known = parse_catalogue(ours.read_text(), str(ours))
    if not admin.is_symlink() and not admin.exists():
        return known
    return parse_catalogue(read_trusted(admin), str(admin)).over(known)
