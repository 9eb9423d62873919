"""What is otherwise on a host of one's own: no slot, no account, no pins, a file for a disk."""

from collections.abc import Container, Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Image
from raptorctl.model.session_host import DISK, LOOPBACK
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size


def forward(settings: Settings, facts: HostFacts, asked: Container[int] = ()) -> str:
    """Where a new machine's ssh is forwarded from; "" on a shared host, where it has an address.

    Args:
        settings: the host's.
        facts: the host.
        asked: ports that shall lead elsewhere.

    Raises:
        RefusedError: no port is free.
    """
    if settings.has_slots:
        return ""
    free = [port for port in facts.ports if port not in asked]
    if not free:
        raise RefusedError(
            f"no port of {LOOPBACK} is free to forward ssh from",
            resolution="deprovision a machine that is not needed",
            code=Code.PORT_UNAVAILABLE,
        )
    return f"{LOOPBACK}:{free[0]}"


def disk_size(asked: Size | None, image: Image | None) -> Size:
    """How large a disk is to be: as asked, else the image's size, and no less than the default."""
    return asked or Size(max(DISK, image.size if image else 0))


def refuse_other(tenant: str, settings: Settings) -> None:
    """Refuse somebody else's machine: nobody else is on this host.

    Raises:
        RefusedError: says who is.
    """
    if tenant != settings.owner:
        raise RefusedError(
            f"this host is your own: there is no {tenant}, only {settings.owner}",
            resolution="name the machine alone",
            code=Code.SESSION_HOST,
            subject=tenant,
        )


def refuse_pins(settings: Settings, option: str) -> None:
    """Refuse to pin anything on a host of one's own.

    Args:
        settings: the host's.
        option: what asks for it.

    Raises:
        RefusedError: says so.
    """
    if not settings.pins_cpus:
        raise RefusedError(
            "this host is your own, and pins no machine to CPUs",
            resolution=f"leave out {option}",
            code=Code.SESSION_HOST,
        )


def notes(size: Size, settings: Settings, facts: HostFacts) -> Iterator[str]:
    """Say what somebody should know of a machine of their own."""
    if settings.has_lvm:
        return
    if facts.no_kvm:
        yield f"no KVM ({facts.no_kvm}): the machine is emulated, and slow"
    if facts.group and size > facts.group.free:
        yield f"its file grows to {size} as it is written; {facts.group.free} are free"


def promised(settings: Settings, facts: HostFacts) -> Size:
    """Memory that is given away: all of it on a shared host, what runs on one's own.

    One that is defined with less than it runs or was saved with has the more of it.
    """
    all_count = settings.pins_cpus
    found = (d.held_memory for d in facts.domains if all_count or d.state.active)
    return Size(sum(found))
