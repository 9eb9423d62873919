"""What a person sees of the images that are here."""

from collections.abc import Iterator, Mapping, Sequence

from raptorctl.api.image_version import Version
from raptorctl.cli.output import table, width_of_output
from raptorctl.model.image import Image
from raptorctl.model.sizes import Size

HEAD = ("NAME", "FORMAT", "SIZE", "STORED", "SHA256", "PULLED")


def stored(images: Sequence[Image]) -> dict[str, Size]:
    """Return what each file takes, by the first of the names that it has."""
    first = {image.digest: image for image in reversed(images)}
    return {image.name: image.stored for image in first.values()}


def rows(images: Sequence[Image], damaged: Mapping[str, str]) -> list[str]:
    """Lay out a table; with a last column if something is damaged.

    Args:
        images: in their order. Those of one content share one file, which is counted once.
        damaged: what is wrong, by name.
    """
    takes = stored(images)
    first = {image.digest: image.name for image in images if image.name in takes}
    cells = [_cells(image, takes, first) for image in images]
    if not damaged:
        return table(HEAD, cells, right=("SIZE", "STORED"), columns=width_of_output())
    whole = [(*row, _state(damaged, row[0])) for row in cells]
    return table((*HEAD, "STATE"), whole, right=("SIZE", "STORED"), columns=width_of_output())


def _state(damaged: Mapping[str, str], name: str) -> str:
    return f"DAMAGED: {damaged[name]}" if name in damaged else ""


def _cells(image: Image, takes: Mapping[str, Size], first: Mapping[str, str]) -> tuple[str, ...]:
    takes_itself = str(takes[image.name]) if image.name in takes else f"as {first[image.digest]}"
    when = image.pulled.partition("T")[0]
    return image.name, image.format, str(image.size), takes_itself, image.short, when


def version_rows(versions: Sequence[Version]) -> list[str]:
    """Lay out a table of versions."""
    cells = [(v.name, v.build, v.made.partition("T")[0], _signed(v), v.source) for v in versions]
    head = ("NAME", "BUILD", "MADE", "SIGNED", "FROM")
    return table(head, cells, columns=width_of_output())


def _signed(version: Version) -> str:
    return version.signer or ("yes" if version.signed else "no")


def version_lines(version: Version) -> Iterator[tuple[str, str]]:
    """Return labels and values of what is known of an image as a version."""
    yield "build", version.build
    yield "serial", str(version.serial)
    signer = f" by {version.signer}" if version.signer else ", not checked"
    yield "signed", f"yes{signer}" if version.signed else "no"
    if built := version.built:
        when = built.when.replace("T", " ").removesuffix("Z")
        yield "built", f"{when} by {built.who} with raptorctl {built.raptorctl}"
        yield "from", f"{built.source}, sha256 {built.source_digest or '?'}"
        yield "steps", f"sha256 {built.steps_digest}"


def lines(image: Image, problem: str) -> Iterator[tuple[str, str]]:
    """Return labels and values of all about one image.

    Args:
        image: whole or not.
        problem: what is wrong with it, or "".
    """
    yield "name", image.name
    if problem:
        yield "DAMAGED", problem
    yield "source", image.source
    yield "format", image.format
    yield "size", f"{image.size} for a guest, {image.stored} on the disk"
    yield "sha256", image.digest
    yield "file", image.path
    yield "pulled", image.pulled.replace("T", " ").removesuffix("Z")
