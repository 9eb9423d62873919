"""Images built: read, looked at, planned, carried out."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.b9 import B9, BuildText, build_sets
from raptorctl.api.build_lowering import BuildLowering, digest
from raptorctl.api.caller import new_identity
from raptorctl.api.change import SILENT, Change, carry_out
from raptorctl.api.session import Session
from raptorctl.errors import InputError, RaptorError
from raptorctl.model.build import Build, FromImage, Way
from raptorctl.model.build_set import BuildSet
from raptorctl.model.diagnostic import Diagnostic, refuse
from raptorctl.model.image import Image
from raptorctl.plans.build.request import BuildRequest

if TYPE_CHECKING:
    from raptorctl.drivers.image import Watch
    from raptorctl.engine.report import Reporter
    from raptorctl.model.build_look import DiskLook
    from raptorctl.model.image_target import Target

GIVEN: Final = ("build_id", "build_date")
"""Variables that are new each time, and so no part of what a build depends on."""


@dataclass(frozen=True)
class ReadBuilds:
    """A file's builds, as they are this time, and with what is new each time left open.

    Args:
        now: as they are built.
        always: as they are compared with what was built before.
    """

    now: BuildSet
    always: BuildSet


@dataclass(frozen=True)
class Asked:
    """How builds are asked for.

    Args:
        only: their names; all, if none is named.
        trust: whether this host's kernel may mount the images.
        keep: whether the folder of each stays.
        if_changed: whether what is built already stays as it is.
        timeout_factor: what each time limit is multiplied by.
        dry_run: whether images are only looked for, and not pulled.
    """

    only: Collection[str] = ()
    trust: bool = False
    keep: bool = False
    if_changed: bool = False
    timeout_factor: float = 1.0
    dry_run: bool = False


@dataclass(frozen=True)
class BuildOutcome:
    """What came of a build.

    Args:
        request: the build.
        job: the job that did it; "" where there was nothing to do.
    """

    request: BuildRequest
    job: str = ""

    def encode(self) -> dict[str, Any]:
        """Return the shape that docs/json.md documents."""
        outputs = [
            {"kind": kind, "target": target, "format": form}
            for kind, target, form in outputs_of(self.request.build)
        ]
        return {
            "name": self.request.build.name,
            "outcome": "built" if self.job else "unchanged",
            "job": self.job,
            "way": self.request.way.value,
            "inputs": self.request.inputs,
            "outputs": outputs,
        }


def read(
    file: str,
    text: str,
    variables: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    more: Sequence[BuildText] = (),
) -> ReadBuilds:
    """Read a file of builds; nothing that it names is looked at yet, but for texts of a B9 file.

    Args:
        file: its path, or `-`.
        text: what stands in it.
        variables: what counts more than its `[vars]`.
        args: what is bound to `${arg_1}`, `${arg_2}` and so on.
        more: files of B9 that are built as one with it.

    Raises:
        FileError: all that is wrong in it, with line and column.
    """
    from raptorctl.read.build_file import BuildReader, parse_builds

    identity = new_identity("")
    numbered = {f"arg_{number}": value for number, value in enumerate(args, start=1)}
    now = {**numbered, "build_id": identity.job, "build_date": identity.at}
    always = {**numbered, **{name: f"${{{name}}}" for name in GIVEN}}
    if more and not file.endswith(B9):
        raise InputError("only B9 files are built as one", subject=file)
    if file.endswith(B9):
        return ReadBuilds(
            *build_sets([BuildText(file, text), *more], variables or {}, (now, always))
        )
    return ReadBuilds(
        parse_builds(text, BuildReader(file, variables or {}, now)),
        parse_builds(text, BuildReader(file, variables or {}, always)),
    )


def outputs_of(build: Build) -> Iterator[tuple[str, str, str]]:
    """Return of each output its kind, what is written, and the format."""
    for output in build.outputs:
        kinds = ("image", "file", "folder", "push")
        kind = next(kind for kind in kinds if getattr(output, kind))
        yield kind, output.target, "" if output.folder else output.written_as.value


def listed(session: Session, found: ReadBuilds, only: Collection[str] = ()) -> Iterator[Build]:
    """Return builds with the paths that they write to; nothing is looked at."""
    lowering = BuildLowering(session, found.now)
    return (lowering.build(build) for build in found.now.picked(only))


def requests(
    session: Session, found: ReadBuilds, asked: Asked, watch: "Watch"
) -> tuple[BuildRequest, ...]:
    """Look at all that builds name, and refuse what cannot be, before anything is touched.

    Raises:
        FileError: all that is wrong, with line and column.
        HostError: an image cannot be had.
    """
    return _Looking(session, found, asked, watch).requests()


def plan_change(request: BuildRequest) -> Change:
    """The change that a build is."""
    from raptorctl.plans.build.build import plan_build

    return Change(
        verb="build",
        name=request.build.name,
        decide=lambda _settings, _facts, identity: plan_build(request, identity),
        surveys=False,
    )


def is_built(session: Session, request: BuildRequest) -> bool:
    """Whether a build's outputs are there, made of just the same."""
    record = session.host.builder.record(request.record)
    if record is None or record.inputs != request.inputs:
        return False
    files = {one.file or one.folder for one in request.build.outputs} - {""}
    return {file.path for file in record.files} == files and all(
        session.images.has_built(name, record.made) for name in record.images
    )


@dataclass(frozen=True)
class Building:
    """Builds under way.

    Args:
        session: the host, and who asks.
        reporter: told about each step.
        heard: told what steps say, as it comes.
    """

    session: Session
    reporter: "Reporter" = SILENT
    heard: Callable[[bytes], None] = field(default=lambda _data: None)

    def done(self, request: BuildRequest, *, if_changed: bool = False) -> BuildOutcome:
        """Carry one build out.

        Raises:
            RolledBackError: it failed; nothing was exported.
            LeftoversError: something is left for `recover`.
        """
        from raptorctl.host.guest.step_log import StepLog

        if if_changed and is_built(self.session, request):
            return BuildOutcome(request)
        name = request.build.name
        path = self.session.log_directory / "builds" / f"{name}.log"
        if request.way is Way.EDIT and not request.build.after:
            return self._carried_out(request)
        with StepLog(path) as log:
            log.head(f"build {name}")

            def heard(data: bytes) -> None:
                log.said(data)
                self.heard(data)

            self.session.host.builder.listen(heard)
            return self._carried_out(request)

    def _carried_out(self, request: BuildRequest) -> BuildOutcome:
        done = carry_out(self.session, plan_change(request), reporter=self.reporter)
        return BuildOutcome(request, done.job.id if done.job else "")


class _Looking:
    """One look at all that builds name."""

    def __init__(self, session: Session, found: ReadBuilds, asked: Asked, watch: "Watch") -> None:
        self._session, self._found, self._asked, self._watch = session, found, asked, watch
        self._image = cache(self._had)
        self._look = cache(session.host.builder.look)
        self._wrong: list[Diagnostic] = []

    def requests(self) -> tuple[BuildRequest, ...]:
        from raptorctl.host.image.supply import GivenSupply

        supply = GivenSupply()
        factor = self._asked.timeout_factor
        now = BuildLowering(self._session, self._found.now, factor, supply)
        always = BuildLowering(self._session, self._found.always, supply=supply)
        same = {one.name: one for one in self._found.always.builds}
        builds = [(now.build(one), one) for one in self._found.now.picked(self._asked.only)]
        refuse(self._found.now.file, now.wrong)
        made = [
            self._request(build, always.build(same.get(build.name, said))) for build, said in builds
        ]
        refuse(self._found.now.file, self._wrong)
        return tuple(made)

    def _request(self, build: Build, always: Build) -> BuildRequest:
        from raptorctl.plans.build.check import problems

        images = tuple(self._begins(build, number) for number in range(len(build.disks)))
        looks = tuple(self._looked(image) for image in images)
        kept = self._session.settings.images
        digests = tuple(image.digest if image else "" for image in images)
        references = [(i, self._session.images.reference(i)) for i in self._session.images.known()]
        request = BuildRequest(
            build=build,
            images=images,
            looks=looks,
            folder=f"{kept.seed_dir}/builds",
            record=f"{kept.directory}/built/{self._key(build)}.json",
            inputs=digest(always, digests),
            missing={path: _missing(path) for path in _paths(build)},
            here={image.name: image.digest for image, _ in references},
            built=frozenset(i.name for i, found in references if found and found.built),
            root=os.geteuid() == 0,
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

    def _begins(self, build: Build, number: int) -> Image | None:
        disk = build.disks[number]
        if not isinstance(disk.source, FromImage):
            return None
        try:
            return self._image(disk.source.image)
        except RaptorError as error:
            if error.exit_code != RaptorError.exit_code:
                key = f"disks.{disk.name}.from" if disk.name else "from"
                said = (error.brief, error.resolution)
                self._wrong.append(self._found.now.wrong(build, key, *said))
                return None
            raise

    def _target(self, build: Build, text: str) -> "Target | None":
        from raptorctl.model.image_target import parse_target

        try:
            return parse_target(text, build.name, os.path.abspath(self._found.now.folder))  # noqa: PTH100
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
        return hashlib.sha256(f"{file}\0{build.name}".encode(errors="replace")).hexdigest()[:32]


def _paths(build: Build) -> Iterator[str]:
    yield from (path for one in build.outputs if (path := one.file or one.folder))


def _missing(path: str) -> tuple[str, ...]:
    """The folders that have to be made for a path, innermost first."""
    return tuple(str(each) for each in Path(path).parents if not each.exists())
