from dataclasses import replace
from typing import Any

import pytest

from raptorctl.host.system.files import templates
from raptorctl.model.job import Job, Outcome
from raptorctl.model.net import NetworkSettings, read_nets
from raptorctl.model.network import DhcpHost, LibvirtNetwork
from raptorctl.model.part import Part
from raptorctl.model.probe import Finding, Probe, Trouble, Verdict
from raptorctl.model.sizes import GIB, MIB, Size
from raptorctl.model.slot import Bridge, Routing
from raptorctl.model.volume import Volume, VolumeGroup
from raptorctl.plans.doctor.examine import examine
from tests.fakes import World, settings
from tests.unit.plans.machine.test_provision import whole_machine


def healthy(**facts: Any) -> Probe:
    return Probe(
        settings_file="/etc/raptorctl/settings.toml",
        settings=settings(),
        facts=replace(World().facts(templates()), accelerator="kvm", **facts),
        zones={"raptor.example.": None},
        libvirt_version=(11, 3, 0),
        libvirt_package="11.3.0-3+deb13u3",
        libvirt_patched=True,
    )


def bad(probe: Probe) -> list[Finding]:
    return [finding for finding in examine(probe) if finding.verdict is not Verdict.OK]


def test_the_way_to_a_slot_is_judged_where_a_machine_has_it() -> None:
    there = healthy(**whole_machine())
    number = there.facts.domains[0].mark.slot  # type: ignore[union-attr]
    cut = replace(there, ways=dict.fromkeys((number, number + 1), Routing((), ("IPv6",))))
    found = [f for f in bad(cut) if f.check.startswith("slot ")]
    assert {f.check for f in found} == {f"slot {number}"}
    assert {f.verdict for f in found} == {Verdict.WARN}
    assert [f.what for f in found][::2] == [
        f"198.51.100.{number} is not routed to br-vm{number}",
        "IPv4 is not forwarded",
    ]
    address = settings().find_slot(number).addresses
    whole = Routing(tuple(map(str, address)), ("IPv4", "IPv6"))
    assert not [f for f in bad(replace(there, ways={number: whole})) if f.check[:5] == "slot "]


def dhcp(*changed: DhcpHost, without: str = "") -> tuple[DhcpHost, ...]:
    """As the role writes it by the slots, with changes."""
    told = {one.mac: str(one.ipv4) for one in settings().slot if one.ipv4 and one.mac != without}
    return (*(DhcpHost(mac, address) for mac, address in told.items()), *changed)


SLOT = settings().slot[0]
OTHER = DhcpHost("52:54:00:00:01:01", str(SLOT.ipv4))
ELSEWHERE = DhcpHost(SLOT.mac, "198.51.100.77")


@pytest.mark.parametrize(
    ("kept", "what"),
    [
        (dhcp(), None),
        (None, None),
        (dhcp(OTHER), f"keeps {SLOT.ipv4} for {OTHER.mac}, and slot 1 has {SLOT.mac}"),
        (dhcp(ELSEWHERE, without=SLOT.mac),
         f"keeps 198.51.100.77 for {SLOT.mac}, and slot 1 has {SLOT.ipv4}"),
        (dhcp(without=SLOT.mac), f"keeps no address for {SLOT.mac}, and slot 1 has {SLOT.ipv4}"),
        (dhcp(DhcpHost("52:54:00:00:01:01", "198.51.100.77")), None),
    ],
)  # fmt: skip
def test_dhcp_is_compared_with_the_slots(
    kept: tuple[DhcpHost, ...] | None, what: str | None
) -> None:
    found = bad(replace(healthy(), dhcp=kept))
    assert [one.what for one in found] == ([f"/etc/raptor-dhcp.conf {what}"] if what else [])
    assert all("run the role" in one.advice and one.verdict is Verdict.WARN for one in found)


def test_dhcp_keeps_nothing_for_a_slot_without_an_ipv4_address() -> None:
    there, (first, *others) = healthy(), settings().slot
    bare = replace(settings(), slot=(replace(first, ipv4=None), *others))
    (found,) = bad(replace(there, settings=bare, dhcp=dhcp()))
    assert found.what.endswith(f"keeps {SLOT.ipv4} for {SLOT.mac}, and slot 1 has no IPv4 address")
    assert bad(replace(there, settings=bare, dhcp=dhcp(without=SLOT.mac))) == []


def test_networks_of_libvirts_are_compared_with_the_slots() -> None:
    network = LibvirtNetwork("virbr0", config=(ELSEWHERE,))
    (found,) = bad(healthy(networks={"default": network}))
    assert found.check == "slot 1"
    assert found.what.startswith(f"network default keeps 198.51.100.77 for {SLOT.mac}")
    assert found.advice.startswith("virsh net-edit default")
    mine = LibvirtNetwork("virbr0", live=(DhcpHost("52:54:00:00:01:01", "192.0.2.9"),))
    assert bad(healthy(networks={"default": mine})) == []


def test_what_is_granted_beside_slots_is_looked_for() -> None:
    also = read_nets(["bridge:br0", "network:default"])
    known = replace(settings(), network=NetworkSettings(also))
    there = replace(healthy(networks={"default": LibvirtNetwork("virbr0")}), settings=known)
    (found,) = bad(there)
    assert (found.check, found.verdict) == ("network", Verdict.WARN)
    assert (found.what, found.advice) == ("bridge br0 is not there", "make it, or name another")
    assert "beside slots: network:default" in [f.what for f in examine(there)]
    on_slot = replace(
        there, facts=replace(there.facts, networks={"default": LibvirtNetwork("br-vm1")})
    )
    assert "network default is on a slot's bridge" in [f.what for f in bad(on_slot)]


def test_a_healthy_host_has_nothing_but_good_findings() -> None:
    assert bad(healthy()) == []


@pytest.mark.parametrize(
    ("change", "check", "verdict", "what"),
    [
        ({"root": False}, "rights", Verdict.FAIL, "does not run as root"),
        ({"scan_lvs": True}, Part.SCAN, Verdict.FAIL, "inside guests' disks"),
        ({"libvirt_version": (9, 0, 0)}, Part.LIBVIRT, Verdict.WARN, "known holes"),
        ({"qemu_uid": 0}, Part.QEMU, Verdict.WARN, "libvirt runs QEMU as root"),
        ({"libvirt_patched": False}, Part.LIBVIRT, Verdict.WARN, "11.3.0-3+deb13u3"),
        ({"programs": {"qemu-img": "apt install it"}}, "programs", Verdict.FAIL, "qemu-img"),
        ({"programs": {"zstd": "apt install it"}}, "programs", Verdict.WARN, "zstd is not"),
        ({"zones": {"z.": Trouble("REFUSED", "grant it")}}, Part.DNS, Verdict.FAIL, "REFUSED"),
    ],
)
def test_what_a_probe_can_show(
    change: dict[str, Any], check: str, verdict: Verdict, what: str
) -> None:
    (finding,) = bad(replace(healthy(), **change))
    assert (finding.check, finding.verdict) == (check, verdict)
    assert what in finding.what
    assert finding.advice


@pytest.mark.parametrize(
    ("facts", "verdict", "what"),
    [
        ({"accelerator": "qemu"}, Verdict.WARN, "no KVM"),
        ({"group": None}, Verdict.FAIL, "there is no lvm-data"),
        ({"group": VolumeGroup("lvm-data", Size(GIB), Size(MIB), Size(MIB))}, Verdict.WARN, "1M"),
        ({"files": frozenset({"/usr/share/OVMF/OVMF_CODE_4M.fd"})}, Verdict.FAIL, "OVMF_VARS"),
        ({"bridges": (Bridge("br-vm1", up=False),)}, Verdict.FAIL, "bridge br-vm1 is down"),
        ({"bridges": (Bridge("br-vm1", up=True, ports=("eth0",)),)}, Verdict.FAIL, "port: eth0"),
    ],
)
def test_what_facts_can_show(facts: dict[str, Any], verdict: Verdict, what: str) -> None:
    probe = healthy()
    probe = replace(probe, facts=replace(probe.facts, **facts))
    assert any(f.verdict is verdict and what in f.what and f.advice for f in bad(probe))


def test_a_template_that_does_not_render_is_named() -> None:
    probe = healthy()
    probe = replace(probe, facts=replace(probe.facts, templates={"mine": "<domain"}))
    assert {finding.what.partition(":")[0] for finding in bad(probe)} == {
        "mine",
        "the default, virtio-console, is not there",
    }


@pytest.mark.parametrize("part", Part)
def test_trouble_with_one_part_hides_no_other(part: Part) -> None:
    (finding,) = bad(replace(healthy(), troubles={part: Trouble("it is gone", "bring it back")}))
    assert finding == Finding(part, Verdict.FAIL, "it is gone", "bring it back")


def test_without_settings_the_rest_is_still_told() -> None:
    probe = Probe("/x", settings=None, troubles={Part.SETTINGS: Trouble("/x: cannot be read")})
    assert [finding.check for finding in examine(probe)] == ["rights", "settings", "journal"]


def volume(name: str, *states: str) -> Volume:
    tags = ("raptor", "raptor.tenant=alice", "raptor.job=20261120-101010-aaaa", *states)
    return Volume("uuid", name, "lvm-data", Size(GIB), tags)


def job(outcome: Outcome) -> Job:
    return Job("20261120-101010-aaaa", "provision", "alice-dev", "carol", "", "", outcome, "")


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (volume("guest-alice-dev", "raptor.clean"), "volume guest-alice-dev has no domain"),
        (volume("guest-alice-dev", "raptor.dirty"), "volume guest-alice-dev is not clean"),
        (volume("wipe-uuid", "raptor.dirty"), "volume wipe-uuid is not clean"),
    ],
)
def test_halves_of_machines_are_found(made: Volume, what: str) -> None:
    (finding,) = bad(healthy(volumes=(made,)))
    assert finding.what == what


def test_halves_of_a_job_at_work_are_told_once() -> None:
    made = volume("guest-alice-dev", "raptor.dirty")
    probe = replace(healthy(volumes=(made,)), jobs=(job(Outcome.UNFINISHED),))
    (finding,) = bad(probe)
    assert finding.what == "job 20261120-101010-aaaa (provision alice-dev) is unfinished"
    assert finding.advice == "raptorctl recover 20261120-101010-aaaa"


def test_a_job_that_waits_for_dns_is_a_warning() -> None:
    (finding,) = bad(replace(healthy(), jobs=(job(Outcome.PENDING),)))
    assert finding.verdict is Verdict.WARN


def test_volumes_of_others_are_nobodys_business() -> None:
    assert bad(healthy(volumes=(Volume("u", "root", "lvm-data", Size(GIB)),))) == []
