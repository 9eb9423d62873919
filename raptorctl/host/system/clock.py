"""The clocks: the wall's, and the time since the host started."""

import time
from datetime import UTC, datetime

from raptorctl.host.system import procfs
from raptorctl.model.look import ClockReading
from raptorctl.model.stamp import stamp


def look() -> ClockReading:
    """ClockReading at them now."""
    boot = (procfs.PROC / "sys/kernel/random/boot_id").read_text()
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    return ClockReading(stamp(datetime.now(UTC)), boot[:8], int(up))
