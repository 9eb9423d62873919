"""Images built: read, looked at, planned, carried out."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from raptorctl.api.b9 import BuildText, build_sets
from raptorctl.api.build_asked import ReadBuilds
from raptorctl.api.build_lowering import BuildLowering
from raptorctl.api.caller import new_identity
from raptorctl.api.change import SILENT, Change, carry_out
from raptorctl.api.session import Session
from raptorctl.errors import InputError
from raptorctl.model.build import Build, Way
from raptorctl.model.build_set import BuildSet
from raptorctl.model.file_format import BuildsFormat, FileFormat
from raptorctl.plans.build.request import BuildRequest

if TYPE_CHECKING:
    from raptorctl.engine.report import Reporter

ALWAYS: Final = {"build_id": "00000000-000000-0000", "build_date": "1970-01-01T00:00:00Z"}
"""What is new each time, and so no part of what a build depends on, as it is compared: in the shape
that it has, for names are checked."""


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
    first: BuildText,
    variables: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    more: Sequence[BuildText] = (),
    said: FileFormat | None = None,
) -> ReadBuilds:
    """Read a file of builds; nothing that it names is looked at yet, but for texts of a B9 file.

    Args:
        first: the file, whose path may be `-`.
        variables: what counts more than its `[vars]`.
        args: what is bound to `${arg_1}`, `${arg_2}` and so on.
        more: files of B9 that are built as one with it.
        said: its format; by default, its name or its text tell.

    Raises:
        FileError: all that is wrong in it, with line and column.
    """
    from raptorctl.read.file_format import format_of, read_as

    identity = new_identity("")
    numbered = {f"arg_{number}": value for number, value in enumerate(args, start=1)}
    now = {**numbered, "build_id": identity.job, "build_date": identity.at}
    always = {**numbered, **ALWAYS}
    form = said or format_of(first.file, first.text, BuildsFormat) or FileFormat.RAPTOR
    if more and form is not FileFormat.B9:
        raise InputError("only B9 files are built as one", subject=first.file)
    with read_as(form, first.file, first.text, BuildsFormat):
        if form is FileFormat.B9:
            return ReadBuilds(*build_sets([first, *more], variables or {}, (now, always)))
        return ReadBuilds(*(_ours(first, variables or {}, given) for given in (now, always)))


def _ours(first: BuildText, variables: Mapping[str, str], given: Mapping[str, str]) -> BuildSet:
    from raptorctl.read.build_file import BuildReader, parse_builds

    return parse_builds(first.text, BuildReader(first.file, variables, given))


def outputs_of(build: Build) -> Iterator[tuple[str, str, str]]:
    """Return of each output its kind, what is written, and the format."""
    for disk in build.disks:
        for output in disk.outputs:
            kinds = ("image", "file", "folder", "push")
            kind = next(kind for kind in kinds if getattr(output, kind))
            yield kind, output.target, "" if output.folder else disk.written_as(output).value


def listed(session: Session, found: ReadBuilds, only: Collection[str] = ()) -> Iterator[Build]:
    """Return builds with the paths that they write to; nothing is looked at."""
    lowering = BuildLowering(session, found.now)
    return (lowering.build(build) for build in found.now.picked(only))


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
    files = {one.path for one in request.build.outputs} - {""}
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
