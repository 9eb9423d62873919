"""What tenants may ask for by themselves, from the settings: `[requests]`."""

from dataclasses import dataclass

from raptorctl.model.sizes import Size


@dataclass(frozen=True)
class RequestPolicy:
    """What is done at once when a tenant asks for it. Without `verbs`, nothing can be asked.

    What is said below is about one machine. A request beyond it waits for an admin.

    Args:
        verbs: what can be asked for: provision, resize, rebuild, snapshot, deprovision, share.
        profiles: names of profiles that a machine may begin with.
        images: names that a disk may begin as, as they are typed.
        size: bytes of all its disks.
        cpus: how many.
        memory: bytes.
        longest_days: how far away the day may be on which it expires; 0 for none at all.
        machines: how many the tenant may have, with the new one.
        snapshots: how many of it.
        changes_an_hour: how many requests for a change the tenant may make in an hour.
        most_waiting: how many may wait for an admin at once.
    """

    verbs: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    size: Size = Size(0)
    cpus: int = 0
    memory: Size = Size(0)
    longest_days: int = 0
    machines: int = 0
    snapshots: int = 0
    changes_an_hour: int = 20
    most_waiting: int = 5


VERBS = ("provision", "resize", "rebuild", "snapshot", "deprovision", "share")
"""What can be asked for, by the words of the settings."""
