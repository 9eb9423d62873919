"""A connection to libvirt, and what its errors mean. libvirt-python has no types."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import libvirt

from raptorctl.errors import HostError, RefusedError, UnknownOutcomeError
from raptorctl.host.system.unreachable import unreachable
from raptorctl.model.cause import ANY, LIBVIRT
from raptorctl.model.domain import State
from raptorctl.model.error_code import Code
from raptorctl.model.reason import why

_STATES: Final = {
    libvirt.VIR_DOMAIN_NOSTATE: State.UNKNOWN,
    libvirt.VIR_DOMAIN_RUNNING: State.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: State.BLOCKED,
    libvirt.VIR_DOMAIN_PAUSED: State.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: State.OFF,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.SUSPENDED,
}


BEHIND: Final = "/run/raptorctl-libvirt/libvirt-sock"
"""libvirtd's own socket on a host with a relay before it (docs/hardening.md): root alone enters."""


def shortest(uri: str) -> str:
    """Return the way to libvirt that tenants cannot fill: the relay has one queue for everybody.

    Args:
        uri: from the settings.
    """
    behind = uri == "qemu:///system" and os.access(BEHIND, os.R_OK | os.W_OK)
    return f"qemu+unix:///system?socket={BEHIND}" if behind else uri


class Hypervisor:
    """A libvirt connection, opened when first needed; what acts through it is built upon it.

    Every method raises MissingError when libvirt does not answer at all, UnknownOutcomeError when
    the connection breaks during the call, RefusedError when polkit denies it, and HostError when
    libvirt says no.

    Args:
        uri: such as `qemu:///system`.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._connection: Any = None
        # Otherwise libvirt prints every error on stderr, also those that are an answer.
        libvirt.registerErrorHandler(_say_nothing, None)

    def _open(self) -> Any:
        if self._connection is None:
            try:
                self._connection = libvirt.open(shortest(self._uri))
            except libvirt.libvirtError as error:
                said = error.get_error_message() or str(error)
                raise unreachable(self._uri, said, error.get_int1() or 0) from error
        return self._connection

    @contextmanager
    def _calling(self, what: str) -> Iterator[Any]:
        connection = self._open()
        try:
            yield connection
        except libvirt.libvirtError as error:
            said = error.get_error_message() or str(error)
            # The code does not tell: the daemon's own trouble with virtlogd carries the same one.
            if connection.isAlive():
                raise _no(what, error, said) from error
            self._connection = None  # the next call opens another
            raise UnknownOutcomeError(
                f"the connection to libvirt broke while it was to {what}: {why(said, ()).line}",
                details=said,
            ) from error


class Ignoring:
    """Leave the block at these errors of libvirt (VIR_ERR_...) and go on after it."""

    def __init__(self, *codes: int) -> None:
        self._codes = codes

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: object, _traceback: object) -> bool:
        return isinstance(error, libvirt.libvirtError) and error.get_error_code() in self._codes


def state_of(number: int) -> State:
    """Translate libvirt's virDomainState."""
    return _STATES.get(number, State.UNKNOWN)


def _say_nothing(_context: object, _error: object) -> None:
    """Take the place of libvirt's own error printing."""


def _no(what: str, error: libvirt.libvirtError, said: str) -> HostError | RefusedError:
    if error.get_error_code() == libvirt.VIR_ERR_ACCESS_DENIED:
        return RefusedError(f"polkit does not let you {what}", details=said, code=Code.NOT_ALLOWED)
    found = why(said, (*LIBVIRT, *ANY))
    return HostError(
        f"libvirt could not {what}: {found.line}",
        details=said,
        resolution=found.advice,
        code=Code.LIBVIRT_FAILED,
    )
