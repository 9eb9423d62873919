"""Where what a machine's console says is kept."""

from raptorctl.errors import RefusedError
from raptorctl.model.error_code import Code
from raptorctl.model.facts import HostFacts
from raptorctl.model.names import MachineName
from raptorctl.model.settings import Settings


def step_log(name: MachineName, settings: Settings) -> str:
    """The file with what steps in its guest said; it begins with the first one."""
    return f"{settings.step_log_dir}/{name.log}"


def console_log(name: MachineName, settings: Settings, facts: HostFacts) -> str:
    """The file, or "" where the host has no directory for them: then nothing is kept."""
    folder = settings.libvirt.console_log_dir
    return f"{folder}/{name.log}" if folder in facts.files else ""


def refuse_old(name: MachineName, settings: Settings, facts: HostFacts) -> None:
    """Refuse a log that is there before the machine is.

    Raises:
        RefusedError: what somebody else's console said would be this owner's to read.
    """
    path = console_log(name, settings, facts)
    if path in facts.files:
        raise RefusedError(
            f"{path} is there already", resolution="move it away", code=Code.NOT_OURS, subject=path
        )
