"""Make machines `many-m0`, `many-m1`, ... the fast way: volumes with our tags, and domains.

Usage: many.py COUNT XML; the domains are XML's, but for name, UUID, disk and network.
"""

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import libvirt
from lxml import etree

count, template = int(sys.argv[1]), Path(sys.argv[2])

# LVM's own shell: one process for all, and no waiting for each node.
tags = "--addtag raptor --addtag raptor.tenant=many --addtag raptor.job=j0 --addtag raptor.clean"
made = "\n".join(
    f"lvcreate -qq -an -Zn -Wn {tags} --addtag raptor.slot={n % 250 + 1} -l 1 "
    f"-n guest-many-m{n} lvm-data"
    for n in range(count)
)
subprocess.run(["lvm"], input=made, text=True, check=True, stdout=subprocess.DEVNULL)
subprocess.run(["vgchange", "-qq", "-ay", "lvm-data"], check=True)

connection = libvirt.open("qemu:///system")
for number in range(count):
    root: Any = etree.fromstring(template.read_text())
    root.find("name").text = f"many-m{number}"
    root.find("uuid").text = str(uuid.uuid4())
    root.find("devices/disk/source").set("dev", f"/dev/lvm-data/guest-many-m{number}")
    root.find("devices").remove(root.find("devices/interface"))
    connection.defineXML(etree.tostring(root).decode())
