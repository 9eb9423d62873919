"""Seeds to and from ISO 9660 images, in memory.

cloud-init looks for a filesystem labelled `cidata`; guests read the long names from Rock Ridge or
from Joliet, whichever they know.
"""

import struct
from io import BytesIO
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.seed import Seed

LABEL: Final = "cidata"
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of an image that is read; ours are below two."""

# Field, name in the guest, name in ISO 9660's own few letters (level 1).
_FILES: Final = (
    ("meta_data", "meta-data", "METADATA"),
    ("user_data", "user-data", "USERDATA"),
    ("vendor_data", "vendor-data", "VENDOR"),
    ("network_config", "network-config", "NETWORK"),
)


def render_iso(seed: Seed) -> bytes:
    """Return the image of a seed."""
    import pycdlib

    iso, out = pycdlib.PyCdlib(), BytesIO()
    iso.new(interchange_level=1, vol_ident=LABEL, joliet=3, rock_ridge="1.09")
    for field, name, short in _FILES:
        if data := getattr(seed, field).encode():
            iso.add_fp(
                BytesIO(data), len(data), f"/{short}.;1", rr_name=name, joliet_path=f"/{name}"
            )
    iso.write_fp(out)
    iso.close()
    return out.getvalue()


def read_iso(data: bytes) -> Seed:
    """Read an image back.

    Raises:
        InputError: it is no seed.
    """
    import pycdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso = pycdlib.PyCdlib()
    try:
        iso.open_fp(BytesIO(data))
        try:
            texts = {field: _text(iso, name) for field, name, _ in _FILES}
        finally:
            iso.close()
    except (PyCdlibException, ValueError, LookupError, struct.error) as error:
        raise InputError(f"it is not a seed: {error}") from error
    if not (texts["meta_data"] and texts["user_data"]):
        raise InputError("it is not a seed: it has no meta-data or no user-data")
    return Seed(**texts)


def _text(iso: "object", name: str) -> str:
    from pycdlib.pycdlibexception import PyCdlibInvalidInput

    out = BytesIO()
    try:
        iso.get_file_from_iso_fp(out, joliet_path=f"/{name}")  # type: ignore[attr-defined]
    except PyCdlibInvalidInput:  # no such file
        return ""
    return out.getvalue().decode()
