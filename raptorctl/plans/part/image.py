"""Images: which one a machine's disk begins as."""

from collections.abc import Iterator

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.image import DIGEST, SHORT, Image, find
from raptorctl.model.medium import ISO
from raptorctl.model.names import disk_part
from raptorctl.model.sizes import Size
from raptorctl.plans.plan import Identity
from raptorctl.steps.step import Step


def chosen(ref: str | Image | None, facts: HostFacts) -> Image | None:
    """Return the image that a disk is to begin as; as `known`.

    Raises:
        RefusedError: it was in the cache, by its digest, and is no more; or it is an ISO: few are
            disks as well, and none grows as a disk does.
    """
    found = known(ref, facts)
    if found and found.format == ISO:
        raise RefusedError(
            f"image {found.name} is an ISO, which is for a CD drive",
            resolution=f"use --iso {found.name}, or the distribution's cloud image",
            code=Code.IMAGE_INVALID,
            subject=found.name,
        )
    return found


def known(ref: str | Image | None, facts: HostFacts) -> Image | None:
    """Return the image that was asked for; one that is not in the cache has no digest yet.

    Args:
        ref: a name, source or digest; or the image itself, which keeps its name here: two names
            may have one content.
        facts: the host, with those in the cache.

    Raises:
        RefusedError: it was in the cache, by its digest, and is no more.
    """
    if ref is None:
        return None
    if isinstance(ref, Image):
        return known(ref.digest, facts) and ref if ref.digest else ref
    found = find(facts.images, ref)
    if found is None and DIGEST.fullmatch(ref):
        raise RefusedError(
            f"there is no image of digest {ref[:SHORT]}",
            resolution="see `raptorctl image list`",
            code=Code.IMAGE_NOT_FOUND,
            subject=ref[:SHORT],
        )
    return found or Image(ref, "", "", "", Size(0), Size(0), "", "")


def refuse_large(image: Image | None, size: Size) -> None:
    """Refuse an image that a volume has no room for.

    Raises:
        RefusedError: says both sizes.
    """
    if image and image.size > size:
        raise RefusedError(
            f"image {image.name} has {image.size}, the disk is to have {size}",
            resolution=f"ask for --size {Size(image.size).enough} or more",
            code=Code.DISK_TOO_SMALL,
            subject=image.name,
        )


def written(image: Image | None, volume: str, identity: Identity) -> Iterator[Step]:
    """The step that writes an image onto the volume that the job has made."""
    if image:
        from raptorctl.steps.image import WriteImage

        reason = "a further disk begins so" if disk_part(volume) else "the machine boots from it"
        yield WriteImage(reason=reason, job=identity.job, name=volume, image=image)


def said(image: Image | None) -> str:
    """How a domain's mark names an image: by what it was asked for, and by its digest."""
    return f"{image.name} sha256:{image.digest}" if image else ""


def notes(*images: Image | None) -> Iterator[str]:
    """What the admin should know."""
    for image in images:
        if image and not image.digest:
            yield f"image {image.name} is not in the cache yet; it is pulled first"
