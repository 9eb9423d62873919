"""What we tell cloud-init, judged by cloud-init itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from raptorctl.host.system.profile import read_profiles
from raptorctl.model.seed import FirstBoot, HostKey, Network
from raptorctl.model.spec import MachineSpec
from raptorctl.render.cloud_config import render_seed
from raptorctl.render.network_file import network_text
from tests.integration.cloud_init import CloudInit, unpack
from tests.unit.render.test_cloud_config import GUEST, KEY
from tests.unit.render.test_cloud_init_docs import NETWORKS, REFUSED
from tests.unit.render.test_user_data import VECTORS

HOW = "list(prepend)+dict(no_replace,recurse_list)+str()"
PROFILES = ("workstation", "web-server", "build-machine")


@pytest.fixture(scope="module")
def cloud_init(tmp_path_factory: pytest.TempPathFactory) -> CloudInit:
    return unpack(tmp_path_factory.mktemp("cloud-init"))


BOOT = FirstBoot(keys=(KEY,), host_key=HostKey("private\n", "ssh-ed25519 BBBB"))


@pytest.mark.parametrize("console", ["hvc0", "ttyS0"])
@pytest.mark.parametrize("name", PROFILES)
def test_every_profiles_user_data_fits_its_schema(
    cloud_init: CloudInit, tmp_path: Path, name: str, console: str
) -> None:
    file = tmp_path / "user-data"
    file.write_text(
        render_seed(BOOT, replace(GUEST, console=console), read_profiles((name,))).user_data
    )
    done = cloud_init.command("schema", "--config-file", str(file))
    assert done.returncode == 0, done.stderr
    assert "Valid" in done.stdout
    assert "DEPRECAT" not in done.stdout.upper()


@pytest.mark.parametrize(("ours", "theirs", "merged"), VECTORS)
def test_we_merge_as_it_does(
    cloud_init: CloudInit, ours: object, theirs: object, merged: object
) -> None:
    assert cloud_init.merged(HOW, theirs, ours) == merged


@pytest.mark.parametrize("network", Network)
def test_its_netplan_says_what_the_slot_needs(
    cloud_init: CloudInit, tmp_path: Path, network: Network
) -> None:
    text = render_seed(FirstBoot(), GUEST, MachineSpec(network=network)).network_config
    file, out = tmp_path / "network", tmp_path / "out"
    file.write_text("network:\n" + "".join(f"  {line}\n" for line in text.splitlines()))
    words = ("--network-data", str(file), "--kind", "yaml", "--directory", str(out))
    how = ("-D", "debian", "-O", "netplan", "-m", f"eth0,{GUEST.mac}")
    done = cloud_init.command("devel", "net-convert", *words, *how)
    assert done.returncode == 0, done.stderr
    (written,) = (path for path in out.rglob("*.yaml"))
    said = written.read_text()
    assert "macaddress: '52:54:00:00:00:01'" in said
    if network is Network.DHCP:
        assert "dhcp4: true" in said
        assert "dhcp6: true" in said
    else:
        assert said.count("on-link: true") == 2
        assert "via: 169.254.1.1" in said


@pytest.mark.parametrize("others", [(), ("52:54:00:aa:00:01",)])
def test_its_netplan_has_every_interface_or_none(
    cloud_init: CloudInit, tmp_path: Path, others: tuple[str, ...]
) -> None:
    guest = replace(GUEST, slot=GUEST.slot if others else None, others=others)
    text = render_seed(FirstBoot(), guest, MachineSpec()).network_config
    file, out = tmp_path / "network", tmp_path / "out"
    file.write_text("network:\n" + "".join(f"  {line}\n" for line in text.splitlines()))
    words = ("--network-data", str(file), "--kind", "yaml", "--directory", str(out))
    macs = [word for n, mac in enumerate(others, 1) for word in ("-m", f"eth{n},{mac}")]
    how = ("-D", "debian", "-O", "netplan", "-m", f"eth0,{GUEST.mac}", *macs)
    done = cloud_init.command("devel", "net-convert", *words, *how)
    assert done.returncode == 0, done.stderr
    said = "".join(path.read_text() for path in out.rglob("*.yaml"))
    assert said.count("macaddress") == (2 if others else 0)
    assert ("route-metric: 1000" in said) == bool(others)


def test_a_message_of_two_parts_is_taken_apart(cloud_init: CloudInit) -> None:
    script = "#!/bin/sh\necho ä\n"
    text = render_seed(FirstBoot(), GUEST, MachineSpec(user_data=script)).user_data
    program = (
        "import sys\n"
        "from cloudinit import user_data\n"
        "parts = user_data.UserDataProcessor({}).process(sys.stdin.read())\n"
        "print(*(p.get_content_type() for p in parts.walk() if not p.is_multipart()))\n"
    )
    done = cloud_init.run("-c", program, given=text)
    assert done.stdout.split() == ["text/cloud-config", "text/x-shellscript"], done.stderr


TAKEN = [name for name in NETWORKS if name not in REFUSED]


@pytest.fixture(scope="module")
def netplans(
    cloud_init: CloudInit, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], list[str]]:
    """What it makes of each network of its documentation, `theirs` and `ours`."""
    folder = tmp_path_factory.mktemp("networks")
    commands = {}
    for number, name in enumerate(TAKEN):
        said = NETWORKS[name] if "network:" in NETWORKS[name] else _below(NETWORKS[name])
        for who, text in (("theirs", said), ("ours", _below(network_text(NETWORKS[name])))):
            file, out = folder / f"{number}-{who}", folder / f"{number}-{who}-out"
            file.write_text(text)
            words = ("--network-data", str(file), "--kind", "yaml", "--directory", str(out))
            how = ("-D", "debian", "-O", "netplan")
            commands[name, who] = (out, ("devel", "net-convert", *words, *how))
    codes = cloud_init.each(words for _, words in commands.values())
    return {
        which: [path.read_text() for path in sorted(out.rglob("*.yaml"))] if code == 0 else []
        for (which, (out, _)), code in zip(commands.items(), codes, strict=True)
    }


@pytest.mark.parametrize("name", TAKEN)
def test_its_documentations_networks_come_to_the_same_through_our_hands(
    netplans: dict[tuple[str, str], list[str]], name: str
) -> None:
    assert netplans[name, "theirs"] == netplans[name, "ours"] != []


def _below(text: str) -> str:
    return "network:\n" + "".join(f"  {line}\n" for line in text.splitlines())
