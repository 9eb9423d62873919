"""Write the qcow2 image $1, of $2 bytes, to the device $3 full of zeroes; $4: whether to compare."""

import json
import sys
import time

from raptorctl.host.image.write import compare, write
from raptorctl.model.image import Image
from raptorctl.model.sizes import Size

path, size, device, compares = sys.argv[1:]
image = Image("it", path, "", "qcow2", Size(size), Size(0), path, "")
began = time.monotonic()
write(image, device, lambda _done, _total: None)
if compares == "yes":
    compare(image, device, lambda _done, _total: None)
print(json.dumps({"seconds": round(time.monotonic() - began, 4)}))
