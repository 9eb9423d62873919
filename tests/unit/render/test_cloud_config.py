"""Seeds: what cloud-init is told, as it will read it."""

import re
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
import yaml

from raptorctl.model.names import MachineName
from raptorctl.model.seed import FirstBoot, HostKey, Network, SeedGuest
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.slot import Slot
from raptorctl.model.spec import UNSAID, MachineSpec
from raptorctl.render.cloud_config import render_seed

GUEST = SeedGuest(
    name=MachineName("alice", "dev"),
    zone="raptor.example.",
    instance="u1-j1",
    slot=Slot(1, IPv4Address("198.51.100.1"), IPv6Address("2001:db8:0:1::1")),
)
KEY = "ssh-ed25519 AAAA alice@laptop"


def told(boot: FirstBoot, guest: SeedGuest = GUEST, spec: MachineSpec = UNSAID) -> dict[str, Any]:
    text = render_seed(boot, guest, spec).user_data
    assert text.startswith("#cloud-config\n")
    config = yaml.safe_load(text)
    assert isinstance(config, dict)
    return config


def network(
    boot: FirstBoot, guest: SeedGuest = GUEST, spec: MachineSpec = UNSAID
) -> dict[str, Any]:
    config = yaml.safe_load(render_seed(boot, guest, spec).network_config)
    assert config["version"] == 2
    link: dict[str, Any] = config["ethernets"]["eth0"]
    return link


def test_the_tenant_logs_in_with_his_keys_and_becomes_root_without_a_password() -> None:
    (user,) = told(FirstBoot(keys=(KEY,)))["users"]
    assert (user["name"], user["ssh_authorized_keys"]) == ("alice", [KEY])
    assert user["sudo"] == "ALL=(ALL) NOPASSWD:ALL"
    assert user["lock_passwd"] is True


def test_nobody_logs_in_by_password_or_as_root() -> None:
    config = told(FirstBoot())
    assert (config["ssh_pwauth"], config["disable_root"]) == (False, True)


def test_it_is_called_as_dns_calls_it() -> None:
    config = told(FirstBoot())
    assert (config["hostname"], config["fqdn"]) == ("alice-dev", "alice-dev.raptor.example")
    assert yaml.safe_load(render_seed(FirstBoot(), GUEST).meta_data) == {
        "instance-id": "u1-j1",
        "local-hostname": "alice-dev",
    }


def test_it_has_the_host_key_that_was_chosen_and_no_other() -> None:
    private = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n"
    config = told(FirstBoot(host_key=HostKey(private, "ssh-ed25519 BBBB")))
    keys = {"ed25519_private": private, "ed25519_public": "ssh-ed25519 BBBB"}
    assert config["ssh_keys"] == keys
    assert config["ssh_deletekeys"] is True
    assert config["ssh_genkeytypes"] == ["ed25519"]


@pytest.mark.parametrize("console", ["hvc0", "ttyS0"])
def test_its_owner_sees_cloud_init_and_a_login_on_his_console(console: str) -> None:
    config = told(FirstBoot(), replace(GUEST, console=console))
    assert f"> /dev/{console}" in config["output"]["all"]
    assert any(f"serial-getty@{console}.service" in command[-1] for command in config["runcmd"])
    assert "modprobe virtio_console" in str(config.get("bootcmd")) or console == "ttyS0"


def test_the_stages_of_cloud_init_are_told_from_its_output() -> None:
    config = told(FirstBoot())
    assert ["echo", "raptorctl: cloud-init config done"] in config["runcmd"]
    assert config["runcmd"][-1] == ["sync"]
    assert config["final_message"].endswith("\nraptorctl: cloud-init final done")


def test_cloud_init_finds_each_name_in_the_final_message() -> None:
    # cloudinit/templater.py, BASIC_MATCHER: without braces, a full stop belongs to the name.
    name = re.compile(r"\$\{([A-Za-z0-9_.]+)\}|\$([A-Za-z0-9_.]+)")
    found = [one or two for one, two in name.findall(told(FirstBoot())["final_message"])]
    assert found == ["version", "timestamp", "datasource", "uptime"]


def test_dhcp_asks_for_what_the_slot_has() -> None:
    link = network(FirstBoot())
    assert link["match"] == {"macaddress": "52:54:00:00:00:01"}
    assert (link["dhcp4"], link["dhcp6"]) == (True, True)
    only6 = replace(GUEST, slot=Slot(1, None, IPv6Address("2001:db8::1")))
    assert (network(FirstBoot(), only6)["dhcp4"], network(FirstBoot(), only6)["dhcp6"]) == (0, 1)
    nothing = network(FirstBoot(), replace(GUEST, slot=Slot(1)))
    assert (nothing["dhcp4"], nothing["dhcp6"]) == (True, False)


def test_a_static_network_is_routed_over_the_bridges_own_addresses() -> None:
    guest = replace(GUEST, resolvers=("192.0.2.53",))
    link = network(FirstBoot(), guest, MachineSpec(network=Network.STATIC))
    assert link["addresses"] == ["198.51.100.1/32", "2001:db8:0:1::1/128"]
    assert link["routes"] == [
        {"to": "0.0.0.0/0", "via": "169.254.1.1", "on-link": True},
        {"to": "::/0", "via": "fe80::1", "on-link": True},
    ]
    assert link["nameservers"] == {"addresses": ["192.0.2.53"]}


def test_packages_hosts_kernel_parameters_and_swap() -> None:
    config = told(
        FirstBoot(),
        spec=MachineSpec(
            packages=("nginx",),
            hosts={"10.42.0.40": ("hermes", "web")},
            sysctl={"vm.swappiness": "10"},
            swap=Size(GIB),
        ),
    )
    assert (config["packages"], config["package_update"]) == (["nginx"], True)
    assert config["swap"] == {"filename": "/swapfile", "size": GIB, "maxsize": GIB}
    files = {file["path"]: file for file in config["write_files"]}
    assert files["/etc/hosts"]["content"] == "10.42.0.40 hermes web\n"
    assert files["/etc/hosts"]["append"] is True
    assert files["/etc/sysctl.d/60-raptorctl.conf"]["content"] == "vm.swappiness = 10\n"
    assert ["sysctl", "-p", "/etc/sysctl.d/60-raptorctl.conf"] in config["runcmd"]
    # With `true`, cloud-init would write the whole file at every boot, without these entries.
    assert config["manage_etc_hosts"] == "localhost"


def test_names_with_a_meaning_in_yaml_stay_text() -> None:
    spec = MachineSpec(hostname="no", account="on", packages=("24.04", "0644", "1e3", "~"))
    config = told(FirstBoot(), spec=spec)
    assert (config["hostname"], config["users"][0]["name"]) == ("no", "on")
    assert config["packages"] == ["24.04", "0644", "1e3", "~"]


def test_the_same_wish_gives_the_same_seed_and_another_job_another_instance() -> None:
    assert render_seed(FirstBoot(), GUEST) == render_seed(FirstBoot(), GUEST)
    other = render_seed(FirstBoot(), replace(GUEST, instance="u1-j2"))
    assert other.digest != render_seed(FirstBoot(), GUEST).digest
