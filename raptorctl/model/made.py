"""What a machine was made with, where its definition and its disk do not show it: in its mark."""

import hashlib
import json
from dataclasses import dataclass

from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.spec import UNSAID, MachineSpec


@dataclass(frozen=True)
class Made:
    """What cloud-init was told when the machine was made or last rebuilt.

    Args:
        spec: of this every key is said, if `spec.seed`; else it was told nothing.
        user_data, vendor_data, network_config, meta_data: `digest_of` the admin's own, which may
            hold secrets; "" for none.
        keys: fingerprints of the public keys that the guest lets in.
    """

    spec: MachineSpec = UNSAID
    user_data: str = ""
    keys: tuple[str, ...] = ()
    vendor_data: str = ""
    network_config: str = ""
    meta_data: str = ""


def digest_of(text: str | None) -> str:
    """The SHA-256 of a text, hexadecimal; "" for none."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def made_text(made: Made) -> str:
    """Write it for a mark: one line of JSON, the same for the same."""
    spec = {key: value for key, value in encode(made.spec).items() if value is not None}
    return json.dumps(encode(made) | {"spec": spec}, sort_keys=True, separators=(",", ":"))


def read_made(text: str) -> Made | None:
    """Read what a mark says; None for a mark of before, or one that is damaged: it is not known."""
    try:
        return decode(Made, json.loads(text)) if text else None
    except (ShapeError, ValueError, RecursionError):
        return None
