"""Wipe the block device named on the command line, read all of it back, and say how long it took."""

import json
import sys
import time

from raptorctl.host.volume.device import BlockDevice
from raptorctl.host.volume.wipe import wipe

began = time.monotonic()
with BlockDevice(sys.argv[1]) as device:
    method, verified = wipe(device, device.size, lambda _done, _total: None)
seconds = time.monotonic() - began
print(json.dumps({"seconds": round(seconds, 4), "method": method, "verified": verified}))
