"""What a shell profile said, to the tables of `raptor.toml`, and what has no place there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import Diagnostic, nearest, refuse
from raptorctl.model.names import MACHINE, MACHINE_LENGTH, shown
from raptorctl.model.shell_profile import FUNCTION, REQUIRED, ShellProfile
from raptorctl.model.sizes import Size
from raptorctl.read.registry_left import NUMBER

DRIVER: Final = f"""
exec 3>&1 1>&2 </dev/null
unset HOSTNAME  # which bash sets by itself
_raptorctl_pubkey=$1
shift
source "$0"
PUBKEY=$_raptorctl_pubkey
GAME_HOST_IP=$SC_GAME_HOST_IP
POOL_DIR=$SC_POOL_DIR
DISK_PATH=$POOL_DIR/${{DOMAIN-}}.qcow2
SEED_ISO=$SC_SEED_DIR/${{DOMAIN-}}-seed.iso
for _raptorctl_name in {" ".join(REQUIRED)}; do printf '%s\\0' "${{!_raptorctl_name-}}"; done >&3
printf '%s\\0' "$(type -t {FUNCTION})" >&3
{FUNCTION} >&3
"""
"""For `bash -c DRIVER PROFILE PUBKEY`: as `build-vm.sh` does, up to the user-data."""

GRAPHICS: Final = {
    "vnc": "vnc-socket", "spice": "spice-socket", "spice-qxl": "spice-socket", "none": "none",
}  # fmt: skip


def parse_said(out: bytes, file: str) -> ShellProfile:
    """Read what `DRIVER` printed.

    Args:
        out: all of it.
        file: the profile, for errors.

    Raises:
        InputError: it is not whole.
    """
    *fields, user_data = out.split(b"\0", len(REQUIRED) + 1)
    if len(fields) != len(REQUIRED) + 1:
        raise InputError(f"{shown(file)} ends before its end", resolution="it must not call exit")
    *values, kind = (field.decode(errors="replace") for field in fields)
    said = dict(zip(REQUIRED, values, strict=True))
    return ShellProfile(said, kind == "function", user_data)


def _way(name: str) -> str:
    return f"write {name}=..." if name.isupper() else f"write {name}() {{ ... }}"


def profile_table(profile: ShellProfile, file: str, key: str) -> dict[str, Any]:
    """Say in the keys of `raptor.toml` what a profile said, but for user-data.

    Args:
        profile: what it said.
        file: its name, for errors.
        key: the public key that it was told; "" if there is none.

    Raises:
        FileError: something is missing or cannot be; all of it.
    """
    missing = list(_missing(profile, key))
    wrong = [(name, "is missing", _way(name)) for name in missing]
    wrong += [one for one in _unfit(profile.said) if one[0] not in missing]
    if not key:
        wrong.append(("PUBKEY", "there is no public key", "name a key pair by SC_SSH_KEY"))
    refuse(file, [Diagnostic(file, 0, 0, *one) for one in wrong])
    said = profile.said
    return {
        "cpus": int(said["VCPUS"]),
        "memory": f"{said['RAM_MB']}M",
        "size": said["DISK_SIZE"],
        "image": said["BASE_URL"],
        "graphics": GRAPHICS[said["GRAPHICS"]],
        "hostname": said["HOSTNAME"],
    }


def left(said: Mapping[str, str], told: Mapping[str, str]) -> list[str]:
    """Say what of a profile has no key.

    Args:
        said: its variables.
        told: what it was told of the host.
    """
    known = [
        f"BASE_IMAGE: {shown(said['BASE_IMAGE'])}; raptorctl keeps images in a cache of its own",
        f"SC_NETWORK_NAME: {shown(told['SC_NETWORK_NAME'])}; the host says which network it has",
        f"autostart; `raptorctl autostart {said['DOMAIN']} on`",
    ]
    if said["GRAPHICS"] == "spice-qxl":
        known.append("GRAPHICS: qxl; the template says which video card there is")
    return [f"not imported: {one}" for one in known]


def _missing(profile: ShellProfile, key: str) -> Iterator[str]:
    yield from (name for name in REQUIRED if not profile.said[name])
    if not profile.has_function:
        yield FUNCTION


def _unfit(said: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    domain = said["DOMAIN"]
    if not MACHINE.fullmatch(domain) or len(domain) > MACHINE_LENGTH:
        yield "DOMAIN", f"{shown(domain)} is no machine's name", "use a-z, 0-9 and single hyphens"
    for name in ("RAM_MB", "VCPUS"):
        if not NUMBER.fullmatch(said[name]):
            yield name, f"{shown(said[name])} is no number", "write digits alone"
    try:
        Size.parse(said["DISK_SIZE"])
    except InputError as error:
        yield "DISK_SIZE", error.brief, error.resolution
    if said["GRAPHICS"] not in GRAPHICS:
        yield (
            "GRAPHICS",
            f"{shown(said['GRAPHICS'])} is no display",
            nearest(said["GRAPHICS"], GRAPHICS),
        )
