"""Make machines like one that stands, on a libvirt session: notes, empty disks, domains.

Usage: web_many.py MACHINE COUNT ON; they are called OWNER-m0, OWNER-m1, ... and the first ON run.
Their firmware is SeaBIOS, which finds nothing and halts: OVMF's shell keeps a CPU busy.
"""

import json
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import libvirt
from lxml import etree

like, count, on = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
owner, _, machine = like.partition("-")
connection = libvirt.open("qemu:///session")
root: Any = etree.fromstring(connection.lookupByName(like).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
disk = Path(root.find("devices/disk/source").get("file"))
note = json.loads(disk.with_suffix(".json").read_text())
for unwanted in ("os/loader", "os/nvram", "devices/interface"):
    for found in root.findall(unwanted):
        found.getparent().remove(found)
root.find("os").attrib.pop("firmware", None)
for found in root.findall("{http://libvirt.org/schemas/domain/qemu/1.0}commandline"):
    root.remove(found)
for name in ("memory", "currentMemory"):
    root.find(name).text, root.find(name).attrib["unit"] = "32", "MiB"
text, old = etree.tostring(root).decode(), root.find("uuid").text
for number in range(count):
    name = f"{owner}-m{number}"
    path = disk.with_name(disk.name.replace(like, name))
    shutil.copy(disk, path)
    volume = {**note, "uuid": str(uuid.uuid4())}
    said = json.dumps(volume).replace(like, name).replace(f'"{machine}"', f'"m{number}"')
    path.with_suffix(".json").write_text(said)
    made = text.replace(like, name).replace(f">{machine}<", f">m{number}<")
    domain = connection.defineXML(made.replace(old, str(uuid.uuid4())))
    if number < on:
        domain.create()
