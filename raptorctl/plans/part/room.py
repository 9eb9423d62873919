"""What a new machine needs of its host: room on disks and in memory, firmware, a free name."""

from typing import Final, NoReturn

from raptorctl.errors import MissingError, RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from raptorctl.model.volume import Volume, VolumeGroup, is_overlay
from raptorctl.plans.part import session_host

LARGEST_FILE: Final = Size(2 << 50)
"""Bytes: 32 MiB of level 1 entries (QEMU, qcow2.h, QCOW_MAX_L1_SIZE), with clusters of 64 KiB."""


def group(settings: Settings, facts: HostFacts) -> VolumeGroup:
    """Return the volume group, which must be there.

    Raises:
        MissingError: it is not.
    """
    if facts.group is None:
        raise MissingError(
            f"there is no volume group {settings.storage.volume_group}",
            resolution=f"make it, or name another in {settings.file}: storage.volume_group",
        )
    return facts.group


def refuse_unfit_group(settings: Settings, facts: HostFacts) -> None:
    """Refuse a group that LVM makes no volume in, or that has no room for the smallest one.

    Raises:
        MissingError: it is not there, or a disk of it is not.
        RefusedError: it is full.
    """
    there = group(settings, facts)
    if is_overlay(there.name):
        return
    refuse_missing_disks(facts)
    if there.most and there.count >= there.most:
        raise RefusedError(
            f"volume group {there.name} has {there.count} volumes, and may have no more",
            resolution=f"vgchange --logicalvolume 0 {there.name}",
            code=Code.STORAGE_FULL,
            subject=there.name,
        )
    if there.free < there.extent:
        raise RefusedError(
            f"volume group {there.name} is full",
            resolution=f"vgextend {there.name} DISK",
            code=Code.STORAGE_FULL,
            subject=there.name,
        )


def refuse_missing_disks(facts: HostFacts) -> None:
    """Refuse a group that a disk is missing of: LVM changes nothing in it, not even a tag.

    Raises:
        MissingError: says how it is whole again.
    """
    if (there := facts.group) and there.missing:
        disks = "a disk" if there.missing == 1 else f"{there.missing} disks"
        raise MissingError(
            f"volume group {there.name} misses {disks}, and LVM changes nothing in it",
            resolution=f"bring it back and `vgextend --restoremissing {there.name} DISK`, or give "
            f"up what was on it with `vgreduce --removemissing {there.name}`",
        )


def refuse_origin(snapshot: Volume) -> NoReturn:
    """Refuse to remove what there is a snapshot of: LVM would remove both.

    Args:
        snapshot: no snapshot of raptorctl's.

    Raises:
        RefusedError: says what removes it.
    """
    raise RefusedError(
        f"volume {snapshot.name} is a snapshot of {snapshot.origin}",
        resolution=given_up(snapshot),
        code=Code.IN_USE,
        subject=snapshot.name,
    )


def given_up(volume: Volume) -> str:
    """Say how a volume goes that is not raptorctl's."""
    return f"`lvremove {volume.group}/{volume.name}` if nobody needs it"


def refuse_unclean(volume: Volume) -> None:
    """Refuse a disk whose content is not known to be its owner's alone.

    Raises:
        RefusedError: it is dirty.
    """
    if not volume.clean:
        raise RefusedError(
            f"volume {volume.name} is not clean",
            resolution="raptorctl doctor",
            code=Code.VOLUME_UNFIT,
            subject=volume.name,
        )


def refuse_large(size: Size, settings: Settings, facts: HostFacts) -> None:
    """Refuse a volume that the group has no room for.

    Raises:
        RefusedError: with the arithmetic.
    """
    there = group(settings, facts)
    if is_overlay(there.name):  # a file takes what is written only
        refuse_long_file(size)
        return
    if size.rounded_up(there.extent) > there.free:
        raise RefusedError(
            f"{size} asked; volume group {there.name} has {there.free} free",
            code=Code.STORAGE_FULL,
            subject=there.name,
        )


def refuse_long_file(size: Size) -> None:
    """Refuse a disk that no file of qcow2 stands for.

    Raises:
        RefusedError: says how large one can be.
    """
    if size > LARGEST_FILE:
        raise RefusedError(
            f"{size} asked; a file of qcow2 stands for {LARGEST_FILE} at most",
            resolution="ask for less",
        )


def refuse_memory(asked: Size, settings: Settings, facts: HostFacts) -> None:
    """Refuse memory that the host does not have, or has promised: none is promised twice.

    Raises:
        RefusedError: with the arithmetic.
    """
    promised = session_host.promised(settings, facts)
    if promised + asked > facts.memory:
        raise RefusedError(
            f"{asked} of memory asked; the host has {facts.memory}"
            + (f", of which {promised} is promised to other machines" if promised else ""),
            code=Code.MEMORY_UNAVAILABLE,
        )


def refuse_missing_firmware(settings: Settings, facts: HostFacts) -> None:
    """Refuse a host without the firmware that its settings name.

    Raises:
        MissingError: names the file.
    """
    for path in (settings.libvirt.firmware_code, settings.libvirt.firmware_vars):
        if path not in facts.files:
            correct = f", or correct libvirt in {settings.file}" if settings.file else ""
            raise MissingError(
                f"there is no firmware at {path}",
                resolution=f"install OVMF (Debian: ovmf){correct}",
            )


def refuse_old_nvram(name: MachineName, settings: Settings, facts: HostFacts) -> None:
    """Refuse UEFI variables that are there before the machine is.

    Raises:
        RefusedError: says whose they are.
    """
    # libvirt copies the template only where no file is: an old one's boot keys would be believed.
    path = f"{settings.libvirt.nvram_dir}/{name.nvram}"
    users = [domain.name for domain in facts.domains if path in domain.held_nvram]
    if users or path in facts.files:
        whose = f"belongs to domain {users[0]}" if users else "is there already"
        raise RefusedError(
            f"{path} {whose}",
            resolution="move it away, or choose another name",
            code=Code.NOT_OURS,
            subject=path,
        )
