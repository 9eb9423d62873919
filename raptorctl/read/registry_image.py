"""Images of a registry: a tag is matched as a whole, and its groups are put into the URL."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.registry import TaggedImage, Text, Tree
from raptorctl.read.braces import lookup, put_in
from raptorctl.read.registry_shape import LINE, NAME, SHA256
from raptorctl.read.registry_yaml import place_of
from raptorctl.read.shape import At, Checking

DEFAULT_FORMAT = "qcow2"


def tagged(image: Tree, tag: str) -> tuple[TaggedImage | None, str]:
    """Find the first of an image's tags whose pattern is the tag, from its beginning to its end.

    Args:
        image: as the registry has it.
        tag: what is asked for.

    Returns:
        What was found; or None, and why.
    """
    begins = ""
    for said in image["tags"]:
        pattern = re.compile(said["pattern"])
        if match := pattern.fullmatch(tag):
            return _made(image, said, tag, match)
        begins = begins or (str(said["pattern"]) if pattern.match(tag) else "")
    why = f"{image['name']} has no tag {tag!a}"
    if begins:  # vmp would have taken it
        return None, f"{why}; the pattern {begins} is only how it begins"
    patterns = ", ".join(str(said["pattern"]) for said in image["tags"])
    return None, f"{why}; its patterns: {patterns or 'none'}"


def _made(
    image: Tree, said: Tree, tag: str, match: re.Match[str]
) -> tuple[TaggedImage | None, str]:
    known = lookup({name: found or "" for name, found in match.groupdict().items()})
    archive = said.get("archive") or {}
    try:
        url, volume, path, digest = (
            put_in(value or "", known)
            for value in (said["url"], said["volumeName"], archive.get("path"), said.get("sha256"))
        )
    except ValueError as error:
        return None, f"{image['name']}:{tag}: {error}"
    variables = {**(image.get("vars") or {}), **(said.get("vars") or {})}
    path = Text(path, place_of(archive.get("path"), ("", 0, 0)))
    sha256 = Text(digest, place_of(said.get("sha256"), ("", 0, 0)))
    kind, notes = str(said.get("format") or DEFAULT_FORMAT), tuple[str, ...]()
    if said.get("format") is None and is_iso(url):
        kind = "raw"  # vmp would have QEMU read a CD as qcow2
        notes = (f"{image['name']}:{tag} is an ISO, and its format not said: taken as raw",)
    return (
        TaggedImage(
            str(image["name"]), tag, variables, url, volume, kind,
            str(archive.get("type") or ""), path, sha256, notes,
        ),
        "",
    )  # fmt: skip


def whole_image(image: TaggedImage, at: At) -> Iterator[Diagnostic]:
    """Say what is wrong with an image once its tag is put in.

    Args:
        image: as it was found.
        at: where it is asked for.
    """
    check = Checking(whole=True)
    called = f"{image.name}:{image.tag}"
    for key, value, shape in (
        ("url", image.url, LINE),
        ("volumeName", image.volume_name, NAME),
        ("sha256", image.sha256 or "0" * 64, SHA256),
    ):
        shape(Text(value), At(f"{at.key}: {called}: {key}", at.place), check)
    if image.archive_path and image.archive != "7z":
        check.tell(at, f"{called}: archive.path is for 7z alone, and this is {image.archive}")
    yield from check.wrong


def image_tree(image: TaggedImage) -> Tree:
    """Return an image as `registry config` prints it, the keys that say nothing left out."""
    archive = {"type": image.archive, "path": image.archive_path}
    said: dict[str, Tree] = {
        "name": image.name,
        "vars": image.variables,
        "tag": image.tag,
        "url": image.url,
        "volumeName": image.volume_name,
        "format": image.format,
        "archive": {Text(key): Text(value) for key, value in archive.items() if value},
        "sha256": image.sha256,
    }
    return {
        Text(key): Text(value) if isinstance(value, str) else value
        for key, value in said.items()
        if value
    }


def is_iso(url: str) -> bool:
    """Whether an image is called one for a CD drive."""
    return urlsplit(url).path.lower().endswith(".iso")
