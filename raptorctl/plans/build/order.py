"""In which order the builds of one run are done: one may begin as what another makes."""

from collections.abc import Mapping, Sequence

from raptorctl.model.build import Build, FromImage

Awaited = Mapping[str, str]
"""What a build begins as that others of the run make, as it names it: by it, the maker's name."""


def awaited(builds: Sequence[Build]) -> Mapping[str, Awaited]:
    """Return of each build, by name, what of the others it begins as.

    Args:
        builds: of one run; their paths are absolute.
    """
    made = {out.image or out.file: one.name for one in builds for out in one.outputs}
    return {one.name: _awaited(one, made) for one in builds}


def _awaited(build: Build, made: Mapping[str, str]) -> Awaited:
    images = (d.source.image for d in build.disks if isinstance(d.source, FromImage))
    return {image: made[image] for image in images if made.get(image, build.name) != build.name}


def in_order(
    builds: Sequence[Build], waits: Mapping[str, Awaited]
) -> tuple[tuple[Build, ...], tuple[Build, ...]]:
    """Return builds, each after those it waits for; and those that wait for each other for ever.

    Args:
        builds: those that do not wait stay in their order.
        waits: what each waits for.
    """
    left = {one.name: one for one in builds}
    done: list[Build] = []
    while ready := _ready(left, waits):
        done.append(left.pop(ready.name))
    return tuple(done), tuple(left.values())


def _ready(left: Mapping[str, Build], waits: Mapping[str, Awaited]) -> Build | None:
    found = (one for one in left.values() if not left.keys() & set(waits[one.name].values()))
    return next(found, None)


def circle(stuck: Sequence[Build], waits: Mapping[str, Awaited]) -> list[Build]:
    """Return builds of which each waits for the next, and the last for the first.

    Args:
        stuck: each waits for another of them, as `in_order` says; at least one.
        waits: what each waits for.
    """
    names = {one.name: one for one in stuck}
    path, following = [], stuck[0].name
    while following not in path:
        path.append(following)
        following = next(name for name in waits[following].values() if name in names)
    return [names[name] for name in path[path.index(following) :]]
