"""The look that `list` takes: two questions, and none of what a plan must know."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from raptorctl.drivers.host import Host

if TYPE_CHECKING:
    from raptorctl.model.domain import State
    from raptorctl.model.volume import Volume


def inventory(host: Host) -> "tuple[tuple[Volume, ...], Mapping[str, State]]":
    """Read what `list` needs and no more: one LVM report, one call of states.

    Raises:
        MissingError: the volume group or libvirt is not there.
    """
    with ThreadPoolExecutor(1, "inventory") as asked:
        states = asked.submit(host.domains.states)
        return host.volumes.list(), states.result()
