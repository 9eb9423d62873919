"""Whatever a spec can say has a say in the plan: no field is read, compared, and then forgotten."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from raptorctl.model.cpuset import CpuSet
from raptorctl.model.disk import read_disks
from raptorctl.model.net import read_nets
from raptorctl.model.seed import FirstBoot, Network
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import BootDevice, Graphics, MachineSpec
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.machine.provision import plan_provision
from raptorctl.steps.seed import WriteSeed
from tests.fakes import IMAGE, ISO, World, but, settings
from tests.unit.plans.machine.test_provision import ALICE, JOB, TEMPLATES

SAID: dict[str, Any] = {
    "size": Size(41 * GIB),
    "cpus": CpuSet((4, 5)),
    "emulator_cpus": CpuSet((2,)),
    "share": True,
    "memory": Size(2 * GIB),
    "slot": 2,
    "template": "serial-console",
    "image": IMAGE.name,
    "iso": ISO.name,
    "profile": ("small",),
    "graphics": Graphics.VNC,
    "hugepages": Size(GIB),
    "tpm": True,
    "secure_boot": True,
    "boot": (BootDevice.NETWORK, BootDevice.DISK),
    "net": read_nets(["none"]),
    "network": Network.STATIC,
    "seed": False,
    "keys": (
        PublicKey(
            "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
        ),
    ),
    "user_data": "#cloud-config\ntimezone: Europe/Berlin\n",
    "vendor_data": "#cloud-config\ntimezone: Europe/Berlin\n",
    "network_config": "version: 2\nethernets: {}\n",
    "meta_data": "local-hostname: other\n",
    "account": "admin",
    "hostname": "other",
    "packages": ("htop",),
    "hosts": {"192.0.2.1": ("db",)},
    "sysctl": {"net.ipv4.ip_forward": "1"},
    "swap": Size(GIB),
    "expires": "2027-01-31",
    "disks": read_disks(["data=1G"]),
}


def planned(change: Callable[[Any], Any]) -> str:
    """All that a plan says and does, the texts of its seed too, which no journal has."""
    world = World().with_tenants("alice")
    world.images.all = (IMAGE, ISO)
    world.files.paths |= {
        "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.ms.fd",
    }  # fmt: skip
    request = replace(ALICE, first_boot=FirstBoot())
    wish = change(request)
    if wish.spec.seed is False:  # as the caller does, who makes the guest's keys
        wish = replace(wish, first_boot=None)
    plan = plan_provision(wish, settings(), world.facts(TEMPLATES), JOB)
    seeds = [repr(step.seed) for step in plan.steps if isinstance(step, WriteSeed)]
    texts = [
        getattr(step.seed, one.name)
        for step in plan.steps
        if isinstance(step, WriteSeed) and step.seed
        for one in fields(step.seed)
    ]
    return json.dumps([plan.encode(), seeds, texts], default=str)


def test_an_example_of_every_field_is_here() -> None:
    assert set(SAID) == {one.name for one in fields(MachineSpec)}


@pytest.mark.parametrize("field", SAID)
def test_it_changes_the_plan(field: str) -> None:
    assert planned(lambda request: but(request, **{field: SAID[field]})) != planned(lambda r: r)
