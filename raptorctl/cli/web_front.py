"""Lays what the front end of tenants' pages reads; systemd runs it before nginx, as root."""

import grp
import sys
from pathlib import Path

from raptorctl.api.session import Session
from raptorctl.cli.output import tell
from raptorctl.errors import RaptorError, SettingsError
from raptorctl.model.web import FRONT, RUN
from raptorctl.web.front import lay


def main() -> None:
    """Lay it below `RUN`."""
    session = Session()
    try:
        web = session.settings.web
        if not web.address:
            file = str(session.settings_file)
            raise SettingsError(file, "web.address", "says where the page is; it is empty")
        # The last is in a /tmp of its own (systemd.exec(5), PrivateTmp).
        lay(web, Path(RUN), grp.getgrnam(FRONT).gr_gid, Path("/tmp"))  # noqa: S108
    except RaptorError as error:
        tell(f"raptorctl: {error}")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
