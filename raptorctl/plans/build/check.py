"""What cannot be built, told before anything is touched: by key, each in one line."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from raptorctl.model.build import (
    ROOT,
    Build,
    BuildDisk,
    BuildOutput,
    Empty,
    Filesystem,
    Fit,
    FromImage,
    Way,
)
from raptorctl.model.medium import ISO
from raptorctl.plans.build.request import BuildRequest

Problem = tuple[str, str, str]
"""A key below the build's table, what is wrong there, and what to do."""


def problems(request: BuildRequest) -> Iterator[Problem]:
    """Say what is wrong."""
    yield from _ways(request)
    yield from _mounts(request.build)
    yield from _outputs(request)
    if request.sudo:
        yield from _roots_writing(request.build)
    for number, disk in enumerate(request.build.disks):
        at = _at(disk)
        yield from _source(request, disk, number, at)
        yield from _size(request, disk, number, at)
        yield from _forms(request, disk, at)
    for number, file in enumerate(request.build.files):
        if request.build.disk_of(file.to) is None:
            yield f"files[{number}].to", f"{file.to} is on no disk of the build", ""
    yield from _files(request)


def _ways(request: BuildRequest) -> Iterator[Problem]:
    build, way = request.build, request.way
    if way is Way.EDIT and build.steps:
        yield "way", "edit runs no step", 'leave it out, or write way = "boot"'
    if way is Way.NSPAWN and not request.trust:
        hint = "--trust says that the images are yours or of somebody you trust"
        yield "way", "nspawn has this host's kernel mount the images", hint
    if way is Way.NSPAWN and not request.root:
        yield "way", "nspawn needs root", 'way = "boot" does without'
    if build.shares and not build.steps:
        yield "shares", "there is no step to see them", ""
    if way is not Way.EDIT and isinstance(build.disks[0].source, Empty):
        hint = "begin with an image of a system; an empty disk is put beside it, in disks"
        yield "from", "nothing can be run on an empty disk", hint


def _mounts(build: Build) -> Iterator[Problem]:
    """Tell of what is mounted over something else, which nobody would see then."""
    if not (build.steps or build.files):
        return
    disks = [(f"disks.{disk.name}.at", disk.mount) for disk in build.mounted]
    shares = [(f"shares[{number}]", share.at) for number, share in enumerate(build.shares)]
    seen: list[str] = []
    for key, mount in (*disks, *shares):
        for hidden in (one for one in seen if PurePosixPath(one).is_relative_to(mount)):
            yield key, f"{mount} would hide what is mounted at {hidden}", "mount it somewhere else"
        seen.append(mount)


def _roots_writing(build: Build) -> Iterator[Problem]:
    """What sudo gives is not the right to have root write wherever somebody says."""
    hint = "write to an image or push to a folder; or build on a session host, or as root itself"
    for key, output in _outputs_of(build):
        if output.path:
            yield key, f"root would write {output.target} for you", hint
    for number, share in enumerate(build.shares):
        if share.writable:
            hint = "leave writable out; or build on a session host, or as root itself"
            yield f"shares[{number}]", f"root would write to {share.path} for you", hint


def _source(request: BuildRequest, disk: BuildDisk, number: int, at: str) -> Iterator[Problem]:
    image, look, source = request.images[number], request.looks[number], disk.source
    if image and image.format == ISO:
        yield f"{at}from", f"{image.name} is an ISO, which no disk begins as", ""
    if isinstance(source, FromImage) and source.partition and look:
        if look.partition(source.partition) is None:
            there = ", ".join(str(area.number) for area in look.areas if area.number) or "none"
            what = f"{source.image} has no partition {source.partition} (there: {there})"
            yield f"{at}from", what, ""
        if request.way is not Way.EDIT and number == 0:
            yield f"{at}from", "a partition alone does not boot", "run steps in the whole image"


def _size(request: BuildRequest, disk: BuildDisk, number: int, at: str) -> Iterator[Problem]:
    wanted, area = disk.resize, request.last(disk, number)
    if wanted.fit is Fit.KEEP or area is None:
        return
    form, size = area.filesystem, request.size(disk, number)
    if isinstance(disk.source, Empty) and not size:
        yield f"{at}size", "is that of its files already", "leave it out, or say empty = SIZE"
    elif form in {Filesystem.VFAT, Filesystem.ISO} and not area.number:
        yield f"{at}size", f"{form} is not resized", "begin with one of that size"
    elif form != Filesystem.EXT4 and wanted.fit is Fit.MINIMUM:
        yield f"{at}size", f"only ext4 is made smaller, and there is {form or 'none'}", ""
    elif form != Filesystem.EXT4 and wanted.size < size:
        what = f"{wanted.size} is less than {size}, and only ext4 is made smaller"
        yield f"{at}size", what, f"there is {form or 'nothing that is known'}"


def _forms(request: BuildRequest, disk: BuildDisk, at: str) -> Iterator[Problem]:
    source = disk.source
    fitted = isinstance(source, Empty) and not source.size
    if fitted and (request.way is not Way.EDIT or disk.mount != ROOT):
        yield f"{at}from", "should say how large: steps may write there", 'empty = "10G"'
    if fitted and not any(request.build.disk_of(f.to) == disk for f in request.build.files):
        yield f"{at}from", "should say how large, or which files: there are none", ""
    for number, output in enumerate(disk.outputs):
        if output.folder and not fitted:
            hint = 'from = { filesystem = "vfat" } and files make a folder as well'
            yield f"{at}output[{number}]", "only files go to a folder, and no disk", hint


def _files(request: BuildRequest) -> Iterator[Problem]:
    """Tell of files that are folders as well, as far as the build itself says so."""
    inside = {disk.mount: "a disk" for disk in request.build.mounted}
    for file in request.build.files:
        inside |= {str(each): file.to for each in PurePosixPath(file.to).parents}
        inside |= {file.to: f"all of {file.copy}"} if file.copy in request.folders else {}
    for number, file in enumerate(request.build.files):
        if file.to in inside and file.copy not in request.folders:
            what = f"{file.to} would be a file, and {inside[file.to]} is in it"
            yield f"files[{number}].to", what, "name the file in it, or put it somewhere else"


def _outputs(request: BuildRequest) -> Iterator[Problem]:
    sources = {one.image for d in request.build.disks if isinstance(one := d.source, FromImage)}
    for key, output in _outputs_of(request.build):
        path = output.path
        if what := request.obstacles.get(path):
            yield key, f"{path} {what}", "write somewhere else, or remove it first"
        if what := path and _overwrites(request, path):
            yield key, f"{path} {what}", "write somewhere else"
        if output.image and output.image in sources:
            yield key, f"{output.image} is what it begins as", "write somewhere else"
        if output.image in request.here and output.image not in request.built:
            hint = f"choose another name, or `raptorctl image remove {output.image}`"
            yield key, f"{output.image} is already an image, that no build made", hint


def overlaps(requests: Sequence[BuildRequest]) -> Iterator[tuple[BuildRequest, Problem]]:
    """Say which outputs of builds that are done in one go would be written over, or within, others.

    Args:
        requests: all of them, in their order.
    """
    seen: dict[PurePosixPath, str] = {}
    holding: dict[PurePosixPath, str] = {}
    for request in requests:
        for key, path in ((key, one.path) for key, one in _outputs_of(request.build) if one.path):
            target = PurePosixPath(request.places.get(path, path))
            within = next((seen[each] for each in target.parents if each in seen), "")
            hint = "write somewhere else"
            if target in seen:
                yield request, (key, f"{path} is written twice, by {seen[target]} as well", hint)
            elif within:
                yield request, (key, f"{path} would be in what {within} writes", hint)
            elif target in holding:
                yield request, (key, f"{path} would replace what {holding[target]} writes", hint)
            seen[target] = request.build.name
            holding |= dict.fromkeys(target.parents, request.build.name)


def _outputs_of(build: Build) -> Iterator[tuple[str, BuildOutput]]:
    """Each output, with its key."""
    for disk in build.disks:
        for number, output in enumerate(disk.outputs):
            yield f"{_at(disk)}output[{number}]", output


def _at(disk: BuildDisk) -> str:
    return f"disks.{disk.name}." if disk.name else ""


def _overwrites(request: BuildRequest, path: str) -> str:
    """Say what an output would replace of what goes into the build; "" for nothing."""
    target = request.places.get(path, path)
    for read in request.reads:
        if target in read.places:
            return read.what
        inside = any(target.startswith(f"{place.rstrip('/')}/") for place in read.places)
        if inside and path in request.foreign:
            return f"is in {read.path}, which {read.what}"
        if any(place.startswith(f"{target}/") for place in read.places):
            return f"holds {read.path}, which {read.what}"
    return ""
