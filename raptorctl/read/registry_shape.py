"""What a registry of vmp may say: its schema, closed, as vmp's own models have it."""

from typing import Final

from raptorctl.model.registry import PROVISIONER, DeletionPolicy, Text
from raptorctl.read.shape import (
    Shape,
    any_of,
    anything,
    flag_or_text,
    item,
    list_of,
    map_of,
    matching,
    one_of,
    pattern,
    table,
    text,
)

NAME: Final = matching(
    r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}",
    "a name of letters, digits and . _ + -, beginning with a letter, a digit or _",
)
"""What is a file's name, a target of make and an argument: no slash, no space, no dash first."""
LINE: Final = matching(r"[^\x00-\x1f\x7f]+", "a text of one line")
INSIDE: Final = matching(
    r"(?:[A-Za-z0-9_][A-Za-z0-9._+-]*/)*[A-Za-z0-9_][A-Za-z0-9._+-]*",
    "a path below the machine's folder",
)
OPTION: Final = r"[A-Za-z][A-Za-z0-9.-]*"

VARIABLES: Final = map_of(text)
FORMAT: Final = matching(r"[a-z0-9]+", "a format as qemu-img calls it, e.g. qcow2")
SHA256: Final = matching(r"[0-9a-fA-F]{64}", "a SHA-256 of 64 hexadecimal digits")
POLICY: Final = one_of(*DeletionPolicy)

NODE: Final = item(
    {"name": LINE, "libvirt": table({"connection": table({"uri": LINE})})}, {"vars": VARIABLES}
)
ARCHIVE: Final = table({"type": one_of("7z", "xz", "zst")}, {"path": LINE})
TAG: Final = table(
    {"pattern": pattern, "url": LINE, "volumeName": text},
    {"vars": VARIABLES, "format": FORMAT, "archive": ARCHIVE, "sha256": text},
)
IMAGE: Final = item({"name": LINE, "tags": list_of(TAG)}, {"vars": VARIABLES})

ITEM: Final = item({"name": text}, {"options": map_of(flag_or_text)})
VIRT_INSTALL: Final = map_of(
    any_of((Text, flag_or_text), (type(None), anything), (list, list_of(ITEM)),
           what="text, true, or a list with name and options")
)  # fmt: skip
POOL: Final = item({"name": NAME, "directory": table({"path": LINE})}, {"deletionPolicy": POLICY})
BELOW: Final = table({"name": NAME, "poolName": NAME}, {"format": FORMAT})
VOLUME: Final = item(
    {"name": NAME, "poolName": NAME},
    {
        "format": FORMAT,
        "deletionPolicy": POLICY,
        "capacity": matching(r"[0-9]+[A-Za-z]*", "a number, with a unit or without"),
        "backingVolume": BELOW,
        "uploadFile": table({"path": LINE}),
    },
)
LIBVIRT: Final = table(
    {"domain": table({"name": NAME}, {"virtInstall": VIRT_INSTALL})},
    {"pools": list_of(POOL), "volumes": list_of(VOLUME)},
)
DOCUMENT: Final = any_of((dict, anything), (Text, anything), what="a table or text")
DOCUMENTS: Final = ("meta-data", "user-data", "vendor-data", "network-config")
NO_CLOUD: Final = table(
    {"data": table({}, dict.fromkeys(DOCUMENTS, DOCUMENT)), "seed": table({"path": INSIDE})}
)
SSH_OPTION: Final = any_of(
    (Text, LINE), (list, list_of(LINE)), (type(None), anything), what="text, or a list of texts"
)
SSH: Final = table(
    {}, {"user": LINE, "host": LINE, "password": LINE, "options": map_of(SSH_OPTION)}
)
VM: Final = {
    "nodeName": LINE,
    "image": LINE,
    "provisioner": one_of(PROVISIONER),
    "libvirt": LIBVIRT,
}
VM_MAY: Final = {
    "vars": VARIABLES,
    "cloudInit": table({"noCloud": NO_CLOUD}),
    "ssh": SSH,
}
INHERITING: Final = {"template": text, "templates": list_of(text)}


def _entry(name: Shape) -> Shape:
    return item({"name": name}, {**VM, **VM_MAY, **INHERITING})


REGISTRY: Final = table(
    {},
    {
        "nodes": list_of(NODE),
        "images": list_of(IMAGE),
        "templates": list_of(_entry(LINE)),
        "vms": list_of(_entry(NAME)),
    },
)
"""Of one file: what it leaves out, another one may have."""
WHOLE: Final = table({"name": NAME, **VM}, VM_MAY)
"""Of a machine, its templates merged and its variables put in."""
