"""What a build begins as is looked at, before anything is planned."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from raptorctl.api.build_asked import Asked, ReadBuilds
from raptorctl.api.build_lowering import BuildLowering, digest
from raptorctl.api.build_reads import place, read_from, reads
from raptorctl.api.named_file import at_home
from raptorctl.api.session import Session
from raptorctl.errors import InputError, RaptorError
from raptorctl.model.build import Build, BuildDisk, FromImage, Way
from raptorctl.model.diagnostic import Diagnostic, refuse
from raptorctl.model.image import UNSEEN, Image
from raptorctl.model.raptor_file import STDIN
from raptorctl.plans.build.order import Awaited, awaited, circle, in_order
from raptorctl.plans.build.request import BuildRequest, Read

if TYPE_CHECKING:
    from raptorctl.drivers.image import Watch
    from raptorctl.model.build_look import DiskLook
    from raptorctl.model.image_target import Target


class Looking:
    """One look at all that builds name."""

    def __init__(self, session: Session, found: ReadBuilds, asked: Asked, watch: "Watch") -> None:
        self._session, self._found, self._asked, self._watch = session, found, asked, watch
        self._image = cache(self._had)
        self._look = cache(session.host.builder.look)
        self._wrong: list[Diagnostic] = []
        self._always: dict[str, Build] = {}
        self._read: tuple[Read, ...] = ()

    def requests(self) -> tuple[BuildRequest, ...]:
        """Return what is to be planned, in order, each with what it begins as.

        Raises:
            FileError: all that is wrong, with line and column.
            HostError: an image cannot be had.
        """
        from raptorctl.host.image.supply import GivenSupply
        from raptorctl.plans.build.check import overlaps

        supply = GivenSupply()
        factor = self._asked.timeout_factor
        now = BuildLowering(self._session, self._found.now, factor, supply)
        always = BuildLowering(self._session, self._found.always, supply=supply)
        builds = [now.build(one) for one in self._found.now.picked(self._asked.only)]
        refuse(self._found.now.file, now.wrong)
        both = zip(self._found.now.builds, self._found.always.builds, strict=True)
        same = {one.name: other for one, other in both}  # a name may be new each time as well
        self._always = {build.name: always.build(same[build.name]) for build in builds}
        own = {self._found.now.file, *self._found.now.sources, *supply.files} - {STDIN}
        self._read = read_from(sorted(map(os.path.abspath, own)))
        made = self._requests(builds)
        for request, said in overlaps(made):
            self._wrong.append(self._found.now.wrong(request.build, *said))
        return self._told(made)

    def again(self, request: BuildRequest, watch: "Watch") -> BuildRequest:
        """Look at a build anew, once what it waits for is built.

        Args:
            request: as it was returned.
            watch: is told what is done with images.

        Raises:
            FileError: it cannot be, with what it begins as.
            HostError: that cannot be had.
        """
        self._watch = watch
        [made] = self._told([self._request(request.build, request.awaits, ready=True)])
        return made

    def _requests(self, builds: list[Build]) -> list[BuildRequest]:
        waits = awaited(builds)
        ordered, stuck = in_order(builds, waits)
        if stuck:
            self._refuse_circle(circle(stuck, waits), waits)
        return [self._request(build, waits[build.name], ready=False) for build in ordered]

    def _refuse_circle(self, round_: list[Build], waits: Mapping[str, Awaited]) -> None:
        """Refuse builds that each begin as what the next one makes: none can be the first."""
        first, second, *_ = round_
        names = " -> ".join(one.name for one in (*round_, first))
        made = waits[first.name]
        key = next(_from(d) for d in first.disks if made.get(_image_of(d)) == second.name)
        problem = f"these builds begin as what the next one makes, in a circle: {names}"
        hint = "have one of them begin as something else"
        refuse(self._found.now.file, [self._found.now.wrong(first, key, problem, hint)])

    def _told(self, made: list[BuildRequest]) -> tuple[BuildRequest, ...]:
        refuse(self._found.now.file, self._wrong)
        if any(one.way is Way.BOOT for one in made):
            # Its machine is begun once all disks are copied: that there is no libvirt is said now.
            self._session.host.domains.states()
        return tuple(made)

    def _request(self, build: Build, awaits: Awaited, *, ready: bool) -> BuildRequest:
        from raptorctl.host.system.caller import caller
        from raptorctl.plans.build.check import problems

        late = {} if ready else awaits
        images = tuple(
            self._begins(build, number, awaits, late) for number in range(len(build.disks))
        )
        looks = tuple(self._looked(image) for image in images)
        kept = self._session.settings.images
        digests = tuple(image.digest if image else "" for image in images)
        references = [(i, self._session.images.reference(i)) for i in self._session.images.known()]
        record = f"{kept.directory}/built/{self._key(build)}.json"
        request = BuildRequest(
            build=build,
            images=images,
            looks=looks,
            folder=f"{kept.seed_dir}/builds",
            record=record,
            inputs="" if late else digest(self._always[build.name], digests),
            missing={path: _missing(path) for path in paths(build)},
            places={path: place(path) for path in paths(build)},
            reads=(*reads(build), *self._read),
            foreign=frozenset(filter(os.path.lexists, paths(build)))
            - self._session.host.builder.wrote(record),
            folders=frozenset(f.copy for f in build.files if f.copy and Path(f.copy).is_dir()),
            obstacles=dict(self._obstacles(build, record)),
            here={image.name: image.digest for image, _ in references},
            built=frozenset(i.name for i, found in references if found and found.built),
            awaits=late,
            root=os.geteuid() == 0,
            sudo=caller() is not None,
            trust=self._asked.trust,
            keep=self._asked.keep,
        )
        targets = {one.push: self._target(build, one.push) for one in build.outputs if one.push}
        if targets:
            from raptorctl.api.image import login

            pushed = {text: target for text, target in targets.items() if target}
            request = replace(request, targets=pushed, login=login(None))
        for key, problem, hint in problems(request):
            self._wrong.append(self._found.now.wrong(build, key, problem, hint))
        return request

    def _obstacles(self, build: Build, record: str) -> Iterator[tuple[str, str]]:
        builder = self._session.host.builder
        for output in build.outputs:
            if path := output.path:
                yield path, builder.obstacle(path, record, folder=bool(output.folder))

    def _begins(self, build: Build, number: int, awaits: Awaited, late: Awaited) -> Image | None:
        disk = build.disks[number]
        if not isinstance(disk.source, FromImage):
            return None
        text = disk.source.image
        if text in late:  # what is there by that name now is an older one, or none
            return Image(text, text, *UNSEEN)
        try:
            return self._had(text) if text in awaits else self._image(text)
        except RaptorError as error:
            if error.exit_code != RaptorError.exit_code:
                said = (error.brief, error.resolution)
                self._wrong.append(self._found.now.wrong(build, _from(disk), *said))
                return None
            raise

    def _target(self, build: Build, text: str) -> "Target | None":
        from raptorctl.model.image_target import parse_target

        where = at_home(text, self._session.caller.name)
        try:
            return parse_target(where, build.name, os.path.abspath(self._found.now.folder))  # noqa: PTH100
        except InputError as error:
            said = (error.brief, error.resolution)
            self._wrong.append(self._found.now.wrong(build, "output", *said))
            return None

    def _had(self, text: str) -> Image:
        from raptorctl.api.image import fetched, foreseen

        if self._asked.dry_run:
            return foreseen(self._session, text)
        return fetched(self._session, text, watch=self._watch)

    def _looked(self, image: Image | None) -> "DiskLook | None":
        return self._look(image) if image and image.path and image.digest else None

    def _key(self, build: Build) -> str:
        file = os.path.abspath(self._found.now.file)  # noqa: PTH100 - follows no link
        name = self._always[build.name].name
        return hashlib.sha256(f"{file}\0{name}".encode(errors="replace")).hexdigest()[:32]


def _image_of(disk: BuildDisk) -> str:
    return disk.source.image if isinstance(disk.source, FromImage) else ""


def _from(disk: BuildDisk) -> str:
    return f"disks.{disk.name}.from" if disk.name else "from"


def paths(build: Build) -> Iterator[str]:
    """Return the paths of a build's outputs."""
    yield from (one.path for one in build.outputs if one.path)


def _missing(path: str) -> tuple[str, ...]:
    """The folders that have to be made for a path, innermost first."""
    parents = map(str, Path(path).parents)
    return tuple(each for each in parents if not os.path.exists(each))  # noqa: PTH110 - raises nothing
