"""What a file of machines names, profiles, keys, texts, images and steps: read, and checked."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar

from raptorctl.api.named_file import Beside, is_file
from raptorctl.api.session import Session
from raptorctl.errors import HostError, InputError, RaptorError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.diagnostic import Diagnostic
from raptorctl.model.file_plan import WantedMachine, WantedTenant
from raptorctl.model.guest_step import GuestStep, inline, parse_span
from raptorctl.model.image import Image
from raptorctl.model.merge import merge
from raptorctl.model.net import is_reached
from raptorctl.model.raptor_file import FileMachine, FileStep, FileTenant, Names, RaptorFile
from raptorctl.model.seed import LARGEST_USER_DATA
from raptorctl.model.sizes import MIB
from raptorctl.model.spec import CLOUD_TEXTS, SEED_FOLDER, UNSAID, MachineSpec

T = TypeVar("T")

LARGEST_STEP: Final = 64 * MIB
"""Bytes of a script or of what is copied, as `raptorctl run` has it."""


class Lowering:
    """What a file names, read once however often it is named, and what is wrong with it.

    Args:
        session: the host.
        file: the file.
        unanswered: told that nobody answers where an image comes from, if that is to be no error.
    """

    def __init__(
        self,
        session: Session,
        file: RaptorFile,
        unanswered: Callable[[str], None] | None = None,
    ) -> None:
        self.wrong: list[Diagnostic] = []
        self._session, self._file, self._unanswered = session, file, unanswered
        self._beside = Beside(file.folder, session.caller.name)
        self._profiles = cache(self._read_profiles)
        self._image = cache(self._foreseen)

    def tenants(self, asked: list[FileMachine] | None) -> Iterator[WantedTenant]:
        """The tenants; of some machines only theirs."""
        names = {machine.name.tenant for machine in asked or ()}
        for tenant in self._file.tenants:
            if asked is None or tenant.name in names:
                yield self._tenant(tenant)

    def machine(self, machine: FileMachine) -> WantedMachine:
        """One machine, whose wrong keys are told and left out."""
        table = f"machine.{machine.key}"
        spec = self._spec(machine, table)
        steps = tuple(map(self._step, machine.steps))
        image = partial(self._image, sha256=self._file.sha256.get(machine.key, ""))
        for name, disk in (spec.disks or {}).items():
            if disk.image:
                self._tried(table, f"disks.{name}", partial(self._image, disk.image))
        return WantedMachine(
            name=machine.name,
            spec=spec,
            found=self._tried(table, "image", lambda: spec.image and image(spec.image)) or None,
            found_iso=self._tried(table, "iso", lambda: spec.iso and image(spec.iso)) or None,
            sha256=self._file.sha256.get(machine.key, ""),
            steps=steps,
            digest=self._digest(steps, table),
            wait=machine.wait,
        )

    def _tenant(self, tenant: FileTenant) -> WantedTenant:
        found = self._tried(
            f"tenant.{tenant.name}", "keys", lambda: self._beside.keys(tenant.keys or ())
        )
        return WantedTenant(tenant.name, found or (), tenant.quota)

    def _spec(self, machine: FileMachine, table: str) -> MachineSpec:
        layers: dict[str, Any] = {}
        profiles: tuple[str, ...] = ()
        for said in (machine.below, machine.said):
            names = tuple(self._beside_profile(name) for name in said.get("profile", ()))
            below = self._tried(table, "profile", partial(self._profiles, names)) or UNSAID
            layers = merge(layers, _said(below))
            layers = merge(layers, dict(self._named(said, table, machine.names)))
            profiles += names
        none: dict[str, Any] = {"disks": {}} if self._file.lists_disks else {}
        named = {"profile": profiles} if profiles else {}
        spec = self._decoded(none | layers | named, table)
        self._refuse_unfit(spec, table)
        if machine.steps and self._session.on_session_host and not spec.image:
            hint = "say what it begins as: image"
            self._tell(table, "steps", "there is no guest on an empty disk", hint)
        if machine.steps and not is_reached(spec.net):
            hint = "give it a slot or the user network: net"
            self._tell(table, "steps", "there is no network to reach its guest by", hint)
        return spec

    def _decoded(self, layers: Mapping[str, Any], table: str) -> MachineSpec:
        try:
            # A text of nothing takes away what lies below, as in profiles.
            return decode(MachineSpec, {k: v for k, v in layers.items() if v != ""})
        except ShapeError as error:  # together they may be what none is by itself
            self.wrong.append(self._file.wrong(table, error.key, error.problem))
            return UNSAID

    def _refuse_unfit(self, spec: MachineSpec, table: str) -> None:
        if self._session.on_session_host:
            if isinstance(spec.cpus, CpuSet):
                self._tell(table, "cpus", "no CPU is named on a session host", "say how many")
            return
        for key in ("size", "cpus"):
            if getattr(spec, key) is None:
                self._tell(table, key, "is missing", "say it here, in [defaults] or in a profile")

    def _named(
        self, said: Mapping[str, Any], table: str, names: Names | None
    ) -> Iterator[tuple[str, Any]]:
        """Keys with what they name in the place of its name."""
        readers: dict[str, Callable[[Any], Any]] = {
            **{key: partial(self._cloud_text, key, names) for key in CLOUD_TEXTS},
            "keys": lambda names: encode(self._beside.keys(names)),
            "image": self._beside_image,
            "iso": self._beside_image,
            "disks": self._beside_disks,
        }
        if SEED_FOLDER in said:
            yield from self._of_folder(said[SEED_FOLDER], table, names)
        for key, value in said.items():
            if key in {"profile", SEED_FOLDER}:
                continue
            found = value
            if key in readers and value:
                found = self._tried(table, key, partial(readers[key], value))
            if found is not None:
                yield key, found

    def _of_folder(self, folder: str, table: str, names: Names | None) -> Iterator[tuple[str, str]]:
        """What the files of a folder are to the machine, in the place of all that lies below."""
        from raptorctl.host.system.seed_folder import given_files

        yield from dict.fromkeys(CLOUD_TEXTS, "").items()
        if not folder:
            return
        read = partial(given_files, self._beside.path(folder))
        for key, path in (self._tried(table, SEED_FOLDER, read) or {}).items():
            read_text = partial(self._cloud_text, key, names, path)
            yield key, self._tried(table, SEED_FOLDER, read_text) or ""

    def _tried(self, table: str, key: str, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except (InputError, HostError) as error:
            self._tell(table, key, error.brief, error.resolution)
        except RaptorError as error:
            self._tell(table, key, str(error))
        return None

    def _tell(self, table: str, key: str, problem: str, hint: str = "") -> None:
        self.wrong.append(self._file.wrong(table, key, problem, hint))

    def _beside_image(self, text: str) -> str:
        return self._beside.path(text) if is_file(text) else text

    def _beside_disks(self, tables: Mapping[str, Any]) -> dict[str, Any]:
        images = {name: one["image"] for name, one in tables.items() if one.get("image")}
        beside = {name: {"image": self._beside_image(image)} for name, image in images.items()}
        return {name: {**one, **beside.get(name, {})} for name, one in tables.items()}

    def _beside_profile(self, name: str) -> str:
        from raptorctl.host.system.profile import is_path

        return self._beside.path(name) if is_path(name) else name

    def _read_profiles(self, names: tuple[str, ...]) -> MachineSpec:
        from raptorctl.host.system.profile import PROFILES, read_profiles

        return read_profiles(names, self._session.config / PROFILES) if names else UNSAID

    def _foreseen(self, text: str, sha256: str = "") -> Image:
        from raptorctl.api.image import foreseen

        return foreseen(self._session, text, self._unanswered, sha256)

    def _cloud_text(self, key: str, names: Names | None, path: str) -> str:
        from raptorctl.api.seed import check_text

        text = self._beside.text(path, LARGEST_USER_DATA)
        if names is not None:
            text = _put_in(text, names, path)
        check_text(key, text)
        return text

    def _digest(self, steps: tuple[GuestStep, ...], table: str) -> str:
        """The SHA-256 of steps and of what is in their files, hexadecimal; "" without any."""
        whole = hashlib.sha256()
        for number, step in enumerate(steps):
            data = self._tried(table, f"steps.{number}", partial(_content, step)) or b""
            whole.update(f"{step.title}\0{len(data)}\0".encode() + data)
        return whole.hexdigest() if steps else ""

    def _step(self, step: FileStep) -> GuestStep:
        return replace(
            inline(step.inline)
            if step.inline
            else GuestStep(Path(self._beside.path(step.run or step.copy)), step.to),
            user=step.user,
            timeout=parse_span(step.timeout) if step.timeout else None,
            dir=step.dir,
            ignore_errors=step.ignore_errors,
        )


def _put_in(text: str, names: Names, path: str) -> str:
    """Put variables into a text of a file.

    Raises:
        InputError: says in which line one is not known.
    """
    from raptorctl.read.variables import expand

    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            lines.append(expand(line, names))
        except ValueError as error:
            raise InputError(f"{path}:{number}: {error}") from error
    return "\n".join(lines)


def _said(spec: MachineSpec) -> dict[str, Any]:
    """A spec as a table that others are laid over."""
    table = {key: value for key, value in encode(spec).items() if value is not None}
    table.pop("profile", None)
    return table


def _content(step: GuestStep) -> bytes:
    from raptorctl.host.system.caller import read_given

    return step.text.encode() or read_given(str(step.source), LARGEST_STEP)
