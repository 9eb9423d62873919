"""Settings, a CPU topology and images, as most tests have them."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

from raptorctl.model.image import Image
from raptorctl.model.settings import Settings
from raptorctl.model.settings_text import parse_settings
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.topology import Cpu, Topology

SETTINGS_TEXT = """
[dns]
zone = "raptor.example"
reverse_zones = ["100.51.198.in-addr.arpa", "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"]

[cpus]
reserved = "0-1"
""" + "".join(
    f'[[slot]]\nnumber = {n}\nipv4 = "198.51.100.{n}"\nipv6 = "2001:db8:0:{n}::1"\n'
    for n in range(1, 6)
)


def but(request: Any, **changes: Any) -> Any:
    """The same request, with something else asked of the machine, or of the command."""
    of_spec = {one.name for one in fields(MachineSpec)} - {one.name for one in fields(request)}
    said = {key: changes.pop(key) for key in of_spec & changes.keys()}
    return replace(request, spec=replace(request.spec, **said), **changes)


@cache
def settings() -> Settings:
    return parse_settings(SETTINGS_TEXT)


def topology(cpus: int = 8, threads: int = 2) -> Topology:
    return Topology(tuple(Cpu(n, 0, n // threads, 0 if n < cpus // 2 else 1) for n in range(cpus)))


IMAGE = Image(
    name="debian:13",
    source="https://images.example/debian-13.qcow2",
    digest="5eed" * 16,
    format="qcow2",
    size=Size(3 * GIB),
    stored=Size(300 * MIB),
    path="/var/lib/raptorctl/images/5eed",
    pulled="2026-11-19T08:00:00Z",
)


ISO = replace(
    IMAGE,
    name="rescue.iso",
    source="https://images.example/rescue.iso",
    digest="15" * 32,
    format="iso",
    size=Size(600 * MIB),
    path=f"/var/lib/raptorctl/images/files/{'15' * 32}",
)
