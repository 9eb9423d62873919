"""Guests for tests: disk images of our own making, from Debian packages alone.

`debian()` is a Debian with cloud-init, sshd and the guest agent; `small()` a Linux that only says
that it is up, asks for a lease and shows a banner; `tiny()` needs no kernel for the first two; `installer()` an
ISO. See README.md.
"""

from pathlib import Path


def debian() -> Path:
    """Return the Debian guest's disk (qcow2), made if it is not there."""
    from tests.guest.build import ensure

    return ensure().debian


def small() -> Path:
    """Return the small guest's disk (raw), made if it is not there."""
    from tests.guest.build import ensure

    return ensure().small


def tiny() -> Path:
    """Return the tiny guest's disk (raw), made if it is not there."""
    from tests.guest.build import ensure

    return ensure().tiny


def installer() -> Path:
    """Return the ISO of Debian's installer, made if it is not there."""
    from tests.guest.build import ensure

    return ensure().installer
