"""Timers by systemd-run(1), which makes transient units: no file of ours stays behind."""

from datetime import datetime
from pathlib import Path
from typing import Final

from raptorctl.host.system import command, unit

BOOTED: Final = Path("/run/systemd/system")
"""There where systemd is what the host was booted with (sd_booted(3))."""

HOURLY: Final = Path("/etc/systemd/system/timers.target.wants/raptorctl-expire.timer")
"""There where that timer is enabled (systemctl(1)): without it nobody wants `expire` to run."""

SERVICE: Final = "raptorctl-expire.service"


class SystemdTimers:
    """Implements `raptorctl.drivers.timer.Timers`."""

    def works(self) -> bool:
        """See `Timers`."""
        return BOOTED.is_dir() and HOURLY.is_symlink()

    def is_set(self, name: str) -> bool:
        """See `Timers`."""
        return bool(unit.running(f"{name}.timer"))

    def set(self, name: str, at: str) -> None:
        """See `Timers`."""
        command.run(
            "systemd-run",
            f"--unit={name}",
            f"--description=Run {SERVICE}: what a tenant shared ends",
            f"--on-calendar={_calendar(at)}",
            "--timer-property=AccuracySec=1s",  # a minute otherwise (systemd.timer(5))
            "--collect",  # one that failed is not in the way of another of its name
            "--quiet",
            # Not as --unit: a timer then has the service's name, and that one is there.
            *("systemctl", "start", "--no-block", SERVICE),
        )

    def cancel(self, name: str) -> None:
        """See `Timers`."""
        command.run("systemctl", "stop", f"{name}.timer", ok=(0, 5))  # 5: it is not there


def _calendar(at: str) -> str:
    """As systemd.time(7) writes a moment; it takes ISO 8601 from version 255 on only."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"
