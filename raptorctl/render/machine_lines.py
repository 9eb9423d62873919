"""All about one machine, as labels and values: what `show` prints, and the page as well."""

from collections.abc import Iterable

from raptorctl.model.domain import State
from raptorctl.model.machine import Form
from raptorctl.model.machine_details import MachineDetails
from raptorctl.model.net import NO_NET
from raptorctl.model.record import OWNER_MARK, readable
from raptorctl.model.session_host import LOOPBACK
from raptorctl.model.snapshot import Snapshot
from raptorctl.model.spec import BOOT_WORDS, BootDevice
from raptorctl.model.volume import Volume, is_overlay


def machine_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    """Yield them; a label is "" where a line goes on with the one above."""
    machine = details.machine
    yield "machine", str(machine.name)
    yield "tenant", machine.name.tenant
    yield "state", machine.state
    yield "cpus", _cpus(details)
    yield "memory", _memory(details)
    if other := details.other:
        label = "saved with" if other is details.saved else "runs with"
        yield label, f"CPUs {_cpus(other)}, {other.memory} of memory"
    yield from _firmware_lines(details)
    yield "autostart", _autostart(details)
    yield from _net_lines(details)
    yield from _record_lines(details)
    yield from _disk_lines(details)
    if details.created:
        yield "made by", f"{details.created_by}, {details.created}"
    if details.expires:
        yield "expires", details.expires
    yield from _share_lines(details)
    yield "job", details.job or "-"
    yield "template", details.template or "-"
    if details.profiles:
        yield "profiles", ", ".join(details.profiles)
    yield "image", details.image or "-"
    yield from _extra_lines(details)
    if machine.state == State.RUNNING.value:
        yield "console", details.console


def _extra_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    """What many have not."""
    if details.seed:
        yield "seed", details.seed
    if details.iso:
        yield "cdrom", details.iso
    if details.screen:
        yield "screen", f"{details.screen}, for virt-viewer"


def _share_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    if details.machine.shared:
        yield "shared", f"by {details.machine.name.tenant}"
    label = "shared"
    for share in details.shares:
        yield label, f"with {share.tenant}: {share.grant.value}, {share.told}"
        label = ""


def _net_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    machine, place = details.machine, details.place
    others = [net for net in details.nets if net.kind.is_named]
    if details.nets == (NO_NET,):
        yield "network", "none"
    elif details.ssh:
        yield "ssh", details.ssh
        for one in (forward for net in details.nets for forward in net.forwards):
            yield f"port {one.guest}", f"{LOOPBACK}:{one.host}"
        yield "mac", details.mac or "-"
    elif place or not others:
        where = (
            f"{place.number}: {place.bridge}, {place.mac}"
            if place
            else "-"
            if machine.slot is None
            else str(machine.slot)
        )
        yield "slot", where
        yield "addresses", ", ".join(map(str, details.addresses)) or "-"
    for net, mac in zip(others, details.macs[len(details.macs) - len(others) :], strict=False):
        yield net.kind, f"{net.name}, {mac}" + (f", {net.ip}" if net.ip else "")


def _memory(details: MachineDetails) -> str:
    pages = f", in huge pages of {details.hugepages}" if details.hugepages else ""
    return f"{details.memory}{pages}" if details.memory else "-"


def _firmware_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    """What is not as with most: no TPM, and the disk alone is tried, whatever is on it."""
    if details.tpm:
        yield "tpm", "2.0, emulated"
    if details.secure_boot:
        yield "boot", "only what is signed"
    if details.boot not in {(), (BootDevice.DISK.libvirt,)}:
        yield "tries", ", ".join(BOOT_WORDS.get(device, device) for device in details.boot)


def _disk_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    if volume := details.volume:
        yield "disk", f"{volume.path}, {volume.size}{_unclean(volume)}"
        if details.backing:
            yield "", f"over {details.backing}"
        yield "volume", volume.uuid
    for one in details.disks:
        kept = ", kept" if one.volume.kept else ""
        said = f"{one.volume.path}, {one.volume.size}{kept}{_unclean(one.volume)}"
        yield "disk", f"{one.name}: {said}"
    for known in details.seen:
        yield "disk", f"{known.name}: {known.path}"
    for snapshot in details.snapshots:
        yield "snapshot", ", ".join(_snapshot(snapshot))


def _snapshot(snapshot: Snapshot) -> Iterable[str]:
    """A copy of a file takes no room of its own, and never overflows."""
    volume = snapshot.volume
    yield f"{snapshot.name} of {snapshot.disk}" if snapshot.disk else snapshot.name
    yield volume.taken
    yield "a copy" if is_overlay(volume.group) else f"{snapshot.usage} of {volume.size} taken"
    if volume.invalid:
        yield "overflowed"


def _unclean(volume: Volume) -> str:
    return "" if volume.clean else ", not clean"


def _autostart(details: MachineDetails) -> str:
    if not details.uuid:
        return "-"
    if not details.autostart:
        return "no"
    return "with libvirt's session" if details.own else "with the host"


def _cpus(details: MachineDetails | Form) -> str:
    if details.cpus:
        return f"{details.cpus} (emulator {details.emulator})"
    return f"{details.vcpus}, not pinned" if details.vcpus else "-"


def _record_lines(details: MachineDetails) -> Iterable[tuple[str, str]]:
    if details.dns_problem:
        yield "dns", f"unknown: {details.dns_problem}"
        return
    label = "dns"
    for record in details.records:
        # Our own mark says again what stands here anyway, in more than a line.
        value = "ownership mark" if record.value.startswith(OWNER_MARK) else record.value
        yield label, f"{record.type:<4} {readable(record.name)}  {value.rstrip('.')}"
        label = ""
