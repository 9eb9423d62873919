"""First boots to seeds: what cloud-init is to do, as its NoCloud data source wants to read it.

The keys are those of https://docs.cloud-init.io/en/latest/reference/modules.html.
"""

from typing import Any, Final

from raptorctl.model.seed import FirstBoot, HostKey, Network, Seed, SeedGuest
from raptorctl.model.slot import Slot
from raptorctl.model.spec import UNSAID, MachineSpec
from raptorctl.render import user_data
from raptorctl.render.final_message import FINAL
from raptorctl.render.meta_data import meta_data, names_guest
from raptorctl.render.network_file import network_text
from raptorctl.render.yaml_text import dump

HEADER: Final = "#cloud-config\n"
SYSCTL: Final = "/etc/sysctl.d/60-raptorctl.conf"
MODULES: Final = "/etc/modules-load.d/raptorctl.conf"
SWAP: Final = "/swapfile"


def render_seed(boot: FirstBoot, guest: SeedGuest, spec: MachineSpec = UNSAID) -> Seed:
    """Write a seed.

    Args:
        boot: whom the guest lets in, and how it is known.
        guest: of which machine.
        spec: what it should be.

    Raises:
        InputError: the admin's own user-data cannot be merged with ours.
    """
    return Seed(
        meta_data=dump(meta_data(spec.meta_data, guest.instance, _told_name(spec, guest))),
        user_data=user_data.joined(cloud_config(boot, guest, spec), spec.user_data or ""),
        vendor_data=user_data.alone(spec.vendor_data) if spec.vendor_data else "",
        network_config=_network(guest, spec),
    )


def cloud_config(boot: FirstBoot, guest: SeedGuest, spec: MachineSpec = UNSAID) -> dict[str, Any]:
    """What we have to say ourselves; the admin's own file is merged into it."""
    config: dict[str, Any] = {
        **_names(spec, guest),
        # Not `true`, which writes the whole file at every boot and loses others' entries.
        "manage_etc_hosts": "localhost",
        "users": [_account(spec.account or guest.name.tenant, boot.keys)],
        "ssh_pwauth": False,
        "disable_root": True,
        **_host_key(boot.host_key),
        "output": {"all": _output(guest.console)},
        "bootcmd": [["sh", "-c", _MODPROBE]] if guest.console == "hvc0" else [],
        "write_files": _files(spec, guest),
        "runcmd": _commands(spec, guest),
        "final_message": FINAL,
    }
    if spec.packages:
        config |= {"package_update": True, "packages": list(spec.packages)}
    if spec.swap:
        config["swap"] = {"filename": SWAP, "size": int(spec.swap), "maxsize": int(spec.swap)}
    return {key: value for key, value in config.items() if value != []}


def _network(guest: SeedGuest, spec: MachineSpec) -> str:
    if spec.network_config:
        return network_text(spec.network_config)
    return dump(network_config(guest, spec.network or Network.DHCP))


def network_config(guest: SeedGuest, network: Network) -> dict[str, Any]:
    """Say how the guest's interfaces get their addresses.

    The first is as `network` says, all others by DHCP, with routes of less weight.

    Each is found by its MAC and called eth0 and on, for not every distribution's network can do
    without a name. https://docs.cloud-init.io/en/latest/reference/network-config-format-v2.html
    """
    slot = guest.slot
    if not guest.mac:
        return {"version": 2, "ethernets": {}}
    link: dict[str, Any] = {"match": {"macaddress": guest.mac}, "set-name": "eth0"}
    if slot is None:
        link |= {"dhcp4": True, "dhcp6": False}
    elif network is Network.STATIC and slot.addresses:
        link |= _static(slot)
        if guest.resolvers:
            link["nameservers"] = {"addresses": list(guest.resolvers)}
    else:
        # Asked for only where it is there: some clients hold the boot up until they are answered.
        link |= {"dhcp4": bool(slot.ipv4 or not slot.ipv6), "dhcp6": bool(slot.ipv6)}
    return {"version": 2, "ethernets": {"eth0": link, **_others(guest)}}


def _others(guest: SeedGuest) -> dict[str, Any]:
    by_dhcp = {"dhcp4": True, "dhcp4-overrides": {"route-metric": 1000}, "optional": True}
    return {
        f"eth{number}": {"match": {"macaddress": mac}, "set-name": f"eth{number}", **by_dhcp}
        for number, mac in enumerate(guest.others, 1)
    }


def _static(slot: Slot) -> dict[str, Any]:
    """The bridge's link-local addresses are the gateways (raptor-bridges.sh)."""
    routes, addresses = [], []
    if slot.ipv4:
        addresses.append(f"{slot.ipv4}/32")
        gateway = f"169.254.{slot.number}.1"
        routes.append({"to": "0.0.0.0/0", "via": gateway, "on-link": True})
    if slot.ipv6:
        addresses.append(f"{slot.ipv6}/128")
        routes.append({"to": "::/0", "via": "fe80::1", "on-link": True})
    return {"dhcp4": False, "dhcp6": False, "addresses": addresses, "routes": routes}


def _hostname(spec: MachineSpec, guest: SeedGuest) -> str:
    return spec.hostname or guest.name.domain


def _names(spec: MachineSpec, guest: SeedGuest) -> dict[str, Any]:
    """Nothing where meta-data names the guest: what user-data says would count more."""
    told = _told_name(spec, guest)
    return {"hostname": told, "fqdn": _fqdn(spec, guest)} if told else {}


def _told_name(spec: MachineSpec, guest: SeedGuest) -> str:
    own = not spec.hostname and names_guest(spec.meta_data)
    return "" if own else _hostname(spec, guest)


def _fqdn(spec: MachineSpec, guest: SeedGuest) -> str:
    return f"{_hostname(spec, guest)}.{guest.zone}".strip(".")


def _account(name: str, keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "groups": ["sudo"],
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": list(keys),
    }


def _host_key(key: HostKey | None) -> dict[str, Any]:
    # One type of key, so that the one we know is the one that is shown.
    only: dict[str, Any] = {"ssh_deletekeys": True, "ssh_genkeytypes": ["ed25519"]}
    if key is None:
        return only
    return only | {"ssh_keys": {"ed25519_private": key.private, "ed25519_public": key.public}}


_MODPROBE: Final = "modprobe virtio_console || true"
_GRUB: Final = (
    "if command -v update-grub >/dev/null && [ -f /etc/default/grub ];"
    " then mkdir -p /etc/default/grub.d;"
    " echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX console=hvc0\"'"
    " > /etc/default/grub.d/99-raptorctl.cfg; update-grub; fi"
)
"""From the second boot on, the kernel speaks on the owner's console too (Debian's GRUB)."""


def _output(console: str) -> str:
    """Where cloud-init's own output goes: its log, /dev/console as ever, and the owner's console.

    Once where the two are one: the last of the kernel's consoles is /dev/console
    (sysfs-class-tty). A console that is not there is never made a file of, and it is opened anew
    for each line, as a getty that starts there hangs up on all who have it open.
    """
    device = f"/dev/{console}"
    return (
        "| tee -a /var/log/cloud-init-output.log"
        f" | if grep -qs '{console}$' /sys/class/tty/console/active; then exec cat;"
        ' else while IFS= read -r line || [ -n "$line" ]; do printf \'%s\\n\' "$line";'
        f" if [ -c {device} ]; then printf '%s\\r\\n' \"$line\" > {device}; fi; done; fi"
    )


def _files(spec: MachineSpec, guest: SeedGuest) -> list[dict[str, Any]]:
    files = []
    if guest.console == "hvc0":
        files.append(_file(MODULES, "virtio_console\n"))
    if spec.sysctl:
        lines = (f"{key} = {value}\n" for key, value in spec.sysctl.items())
        files.append(_file(SYSCTL, "".join(lines)))
    if spec.hosts:
        lines = (f"{address} {' '.join(names)}\n" for address, names in spec.hosts.items())
        files.append({"path": "/etc/hosts", "append": True, "content": "".join(lines)})
    return files


def _file(path: str, content: str) -> dict[str, Any]:
    return {"path": path, "permissions": "0644", "content": content}


def _commands(spec: MachineSpec, guest: SeedGuest) -> list[list[str]]:
    """What is run once, late: a login on the console, and what boot was too early for."""
    commands = [["echo", "raptorctl: cloud-init config done"]]
    if spec.sysctl:
        commands.append(["sysctl", "-p", SYSCTL])
    getty = f"serial-getty@{guest.console}.service"
    # Not every distribution has systemd; those that have not bring a login by other means.
    enable = f"systemctl enable --now --no-block {getty}"
    start = f"if command -v systemctl >/dev/null; then {enable}; fi"
    commands.append(["sh", "-c", start])
    if guest.console == "hvc0":
        commands.append(["sh", "-c", _GRUB])
    # Or a reset soon after leaves files of no length, the host keys among them.
    return [*commands, ["sync"]]
