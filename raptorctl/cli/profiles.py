"""The profiles that a command line names."""

from collections.abc import Sequence

from raptorctl.api.session import Session
from raptorctl.cli.options import named
from raptorctl.model.settings import template_name
from raptorctl.model.spec import UNSAID, MachineSpec


def read_profiles(names: Sequence[str], session: Session) -> MachineSpec:
    """Read the profiles that were named, if any, with the text of their user-data.

    Raises:
        InputError: one is not there, or says something impossible.
    """
    if not names:
        return UNSAID
    from raptorctl.host.system.profile import PROFILES, is_path, read_profiles

    for name in names:
        if not is_path(name):
            named("--profile", template_name, name)
    return read_profiles(names, session.config / PROFILES)
