"""Wipe the volume named on the command line as the steps do, and print the receipt."""

import json
import sys
from pathlib import Path

from raptorctl.host.system.files import read_settings
from raptorctl.host.volume.lvm import LvmGroup
from raptorctl.host.volume.wipe import BlockWiper
from raptorctl.model.codec import encode

settings = read_settings(Path("/etc/raptorctl/settings.toml"))
volume = LvmGroup(settings.storage.volume_group).named(sys.argv[1])
if volume is None:
    sys.exit(f"there is no volume {sys.argv[1]}")
report = BlockWiper(settings.storage.verify_all_up_to).wipe(volume, lambda _done, _total: None)
print(json.dumps(encode(report)))
