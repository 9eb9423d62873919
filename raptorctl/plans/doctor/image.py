"""Doctor on the cache of images, and on disks that lie over one. Pure."""

from collections.abc import Iterator

from raptorctl.model.facts import HostFacts
from raptorctl.model.image import Damaged
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Verdict


def cache(facts: HostFacts) -> Iterator[Finding]:
    """Say which images are not as long as they were; what is in them is `image verify`'s to ask."""
    files: dict[tuple[str, ...], list[Damaged]] = {}
    for one in facts.damaged:
        # Of one whose note cannot be read, the file is not known.
        files.setdefault((one.digest or one.name, one.problem), []).append(one)
    for (_, problem), names in files.items():
        one, *others = names
        also = f" (its file has {len(names)} names)" if others else ""
        what = f"image {one.name}{also} is damaged: {problem}"
        yield Finding(Part.IMAGES, Verdict.WARN, what, one.advice, one.name)
    if not facts.damaged:
        yield Finding(Part.IMAGES, Verdict.OK, f"{len(facts.images)} in the cache")


def founded(facts: HostFacts) -> Iterator[Finding]:
    """Find machines whose file lies over an image that is no longer whole.

    QEMU takes a file that was cut for one that ends in zeroes, so such a machine starts.
    """
    whole = {image.digest for image in facts.images}
    damaged = {one.digest: one.advice for one in reversed(facts.damaged)}
    for volume in facts.volumes:
        if volume.ours and volume.machine and volume.image and volume.image not in whole:
            what = f"the image below the disk of {volume.machine} is damaged or gone"
            advice = damaged.get(volume.image, f"raptorctl rebuild {volume.machine}")
            yield Finding("machines", Verdict.FAIL, what, advice, volume.machine.domain)
