"""What was filled in on a form, as the change that it asks for."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from raptorctl.api import image as image_cache
from raptorctl.api import machine as machines
from raptorctl.api import snapshot as snapshots
from raptorctl.api.change import Change
from raptorctl.api.seed import first_boot
from raptorctl.api.session import Session
from raptorctl.errors import InputError
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.expiry import parse_expiry
from raptorctl.model.look import parse_span
from raptorctl.model.names import MachineName, parse_snapshot, parse_words
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.ssh_key import parse_keys
from raptorctl.plans.machine.choice import ProvisionRequest
from raptorctl.plans.machine.rebuild import RebuildRequest
from raptorctl.plans.machine.resize import ResizeRequest
from raptorctl.plans.machine.retire import RetireRequest
from raptorctl.plans.machine.snapshot import SnapshotRequest, by_time
from raptorctl.read.count import count, cpu_words

if TYPE_CHECKING:
    from raptorctl.model.image import Image
    from raptorctl.web.site import Ask
    from raptorctl.web.work import Work

OLDEST: Final = timedelta(days=1)
"""Of a plan that is still carried out."""


def images(session: Session) -> list[str]:
    """Names of images that are here."""
    return [image.name for image in session.images.list()]


def new_name(ask: "Ask") -> MachineName:
    """Read the name of a new machine; on a session host the tenant goes without saying.

    Raises:
        InputError: no machine can be called so.
    """
    from raptorctl.model.session_host import session_words

    words = ask.said("machine").split()
    if ask.session.on_session_host:
        words = session_words(words, ask.session.settings.owner)
    return parse_words(words or [""])


def provision(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A new machine.

    Args:
        ask: what was filled in.
        name: the machine's.
        work: has its image fetched, and is told; None looks only.

    Raises:
        InputError: something cannot be right.
    """
    keys = ask.said("keys")
    spec = MachineSpec(
        size=_size(ask, "size"),
        cpus=_cpus(ask),
        memory=_memory(ask),
        image=ask.said("image") or None,
        keys=parse_keys(keys) if keys else None,
    )
    if not ask.session.on_session_host and (spec.size is None or spec.cpus is None):
        raise InputError("a machine needs a disk's size and CPUs", resolution="say both")
    return machines.provision(
        ProvisionRequest(
            name,
            spec,
            start=ask.said("start") == "on",
            found=_image(ask, spec.image, work),
            first_boot=first_boot(ask.session, spec, name),
        )
    )


def resize(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A machine's disk, CPUs or memory; see `provision`."""
    size, cpus, memory = _size(ask, "size"), _cpus(ask), _memory(ask)
    if size is cpus is memory is None:
        raise InputError("nothing is to be changed", resolution="say a size, CPUs or memory")
    return machines.resize(
        ResizeRequest(
            name=name,
            size=size,
            cpus=cpus if isinstance(cpus, CpuSet) else None,
            memory=memory,
            vcpus=cpus if isinstance(cpus, int) else None,
        )
    )


def rebuild(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A new disk for a machine; see `provision`."""
    mark = ask.session.machine(name).mark
    image = ask.said("image") or image_cache.lost(ask.session, mark)
    spec = MachineSpec(image=image or (mark and mark.image_name) or None)
    return machines.rebuild(
        RebuildRequest(
            name,
            MachineSpec(image=ask.said("image") or None),
            found=_image(ask, image, work),
            first_boot=first_boot(ask.session, spec, name),
        )
    )


def deprovision(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A machine goes, for good or so that it can come back; see `provision`."""
    wait = 0.0 if ask.said("force") == "on" else None
    if keep := ask.said("keep"):
        return machines.retire(RetireRequest(name, parse_span(keep), wait, shown_at(ask)))
    return machines.deprovision(name, wait)


def undelete(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A machine whose disks were kept comes back; see `provision`."""
    return machines.undelete(ask.session, name)


def extend(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A machine expires on another day; see `provision`."""
    return machines.extend(name, parse_expiry(ask.said("day")))


def take_snapshot(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """What a machine's disk holds is kept; see `provision`."""
    called = parse_snapshot(ask.said("snapshot") or by_time(shown_at(ask)))
    return snapshots.create(
        SnapshotRequest(name, called, _size(ask, "room"), ask.said("all") == "on")
    )


def restore_snapshot(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A machine's disk holds again what it held; see `provision`."""
    return snapshots.restore(name, parse_snapshot(ask.said("snapshot")))


def delete_snapshot(ask: "Ask", name: MachineName, work: "Work | None") -> Change:
    """A snapshot goes for good; see `provision`."""
    return snapshots.delete(name, parse_snapshot(ask.said("snapshot")))


def shown_at(ask: "Ask") -> str:
    """When the plan was shown, UTC, ISO 8601: what it names by the time, it names so again.

    Raises:
        InputError: that was too long ago.
    """
    said = ask.said("at")
    try:
        age = datetime.now(UTC) - datetime.fromisoformat(said)
    except (ValueError, TypeError):
        age = OLDEST
    if not timedelta(0) <= age < OLDEST:
        raise InputError("the plan is of another day", resolution="have it shown again")
    return said


def _size(ask: "Ask", key: str) -> Size | None:
    return Size.parse(ask.said(key)) if ask.said(key) else None


def _memory(ask: "Ask") -> Size | None:
    return Size.parse_memory(ask.said("memory")) if ask.said("memory") else None


def _cpus(ask: "Ask") -> CpuSet | int | None:
    text = ask.said("cpus")
    read = count if ask.session.on_session_host else cpu_words
    return read(text) if text else None


def _image(ask: "Ask", text: str | None, work: "Work | None") -> "Image | None":
    if text is None:
        return None
    if work is None:
        return image_cache.foreseen(ask.session, text)
    return image_cache.fetched(ask.session, text, watch=work)
