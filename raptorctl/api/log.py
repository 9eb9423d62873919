"""What a machine's console said, and what steps in its guest said."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from raptorctl.api.session import Session
from raptorctl.drivers.host import Host
from raptorctl.errors import MissingError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName
from raptorctl.model.share import Grant
from raptorctl.model.stamp import stamp


def steps(
    session: Session, name: MachineName, lines: int, *, follow: bool = False
) -> Iterator[bytes]:
    """Yield what steps in a machine's guest said; needs root.

    Args:
        session: the host, and who asks.
        name: the machine's.
        lines: how many at most, the last ones.
        follow: go on with what is said from now on, without end.

    Raises:
        MissingError: there is no such machine, or no step ran in it.
    """
    from raptorctl.host.guest.console_log import read_log

    session.require_root()
    session.machine(name)
    path = session.step_log(name)
    if not follow and not path.is_file():
        raise MissingError(
            f"no step ran in {name}",
            resolution="see `raptorctl run --help`",
            code=Code.LOG_NOT_FOUND,
            subject=str(name),
        )
    return read_log(path, lines, follow=follow, gone=lambda: False)


def has_steps(session: Session, name: MachineName) -> bool:
    """Whether any step ran in a machine's guest, so far as the caller may know."""
    return session.is_root and session.step_log(name).is_file()


def console(
    session: Session, name: MachineName, lines: int, *, follow: bool = False
) -> Iterator[bytes]:
    """Yield what a machine's console said; see `steps`.

    Raises:
        MissingError: there is no such machine, or nothing is logged.
    """
    from raptorctl.host.guest.console_log import ask_service, read_log

    session.machine(name)
    if not session.is_root:
        return ask_service(name.domain, lines, follow=follow)
    folder = session.settings.libvirt.console_log_dir
    path = Path(folder) / name.log
    if not follow and not path.is_file():
        raise MissingError(
            f"{path} is not there",
            resolution="it begins when the machine starts; see `doctor`",
            code=Code.LOG_NOT_FOUND,
            subject=str(name),
        )
    return read_log(path, lines, follow=follow, gone=lambda: False)


def operated(host: Host) -> Callable[[str, str], bool]:
    """Return what tells whether an account may operate another tenant's machine, and read its log.

    Args:
        host: whose list of shares is read at each question, and whose libvirt is asked once.
    """
    from raptorctl.host.survey.survey import shares

    uuids: dict[str, str] = {}

    def may(account: str, name: str) -> bool:
        live = shares(host).at(stamp(datetime.now(UTC)))
        wanted = (name, account, Grant.OPERATE)
        found = [one for one in live if (one.machine, one.tenant, one.grant) == wanted]
        if found and name not in uuids:
            there = host.domains.named(name)
            uuids[name] = there.uuid if there else ""
        return any(one.uuid == uuids[name] for one in found)

    return may
