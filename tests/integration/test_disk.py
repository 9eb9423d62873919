"""Disks of running domains against libvirt's test driver, which has no guest to let go of them."""

from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from raptorctl.errors import HostError, StoppedError
from raptorctl.host.domain import disks as disk
from raptorctl.host.domain.domains import LibvirtDomains
from raptorctl.render.domain_xml import render_domain, seed_element
from tests.domain_samples import PLAIN, template

SEED = "/var/lib/libvirt/raptorctl/alice-dev-seed.iso"
XML = render_domain(template("virtio-console"), replace(PLAIN, accelerator="test", seed=SEED))


@pytest.fixture
def domains(tmp_path: Path) -> LibvirtDomains:
    node = tmp_path / "node.xml"
    node.write_text("<node/>")
    made = LibvirtDomains(f"test://{node}")
    made.define(XML)
    return made


def ignore(_done: int, _total: int) -> None:
    pass


def test_a_disk_is_plugged_in_while_its_domain_runs(domains: LibvirtDomains) -> None:
    assert not domains.plugged(PLAIN.uuid, SEED)
    domains.start(PLAIN.uuid)
    assert domains.plugged(PLAIN.uuid, SEED)
    assert domains.plugged(PLAIN.uuid, PLAIN.disk)
    assert not domains.plugged(PLAIN.uuid, "/other")
    assert not domains.plugged("11111111-2222-4333-8444-555555555555", SEED)


def test_what_is_not_plugged_in_needs_no_unplugging(domains: LibvirtDomains) -> None:
    domains.unplug(PLAIN.uuid, SEED, ignore)
    domains.start(PLAIN.uuid)
    domains.unplug(PLAIN.uuid, "/other", ignore)


def test_a_guest_that_does_not_let_go_is_waited_for_within_bounds(
    domains: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(disk, "PATIENCE", 0.2)
    monkeypatch.setattr(disk, "LOOK", 0.05)
    monkeypatch.setattr(
        libvirt.virDomain, "detachDeviceFlags", lambda _self, xml, _flags: asked.append(xml)
    )
    domains.start(PLAIN.uuid)
    with pytest.raises(HostError, match="alice-dev does not let go of"):
        domains.unplug(PLAIN.uuid, SEED, ignore)
    assert len(asked) == 1
    assert SEED in asked[0]


def test_one_who_asks_to_stop_is_heard_while_it_waits(
    domains: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libvirt.virDomain, "detachDeviceFlags", lambda *_: None)
    domains.start(PLAIN.uuid)

    def stop(_done: int, _total: int) -> None:
        raise StoppedError(2)

    with pytest.raises(StoppedError):
        domains.unplug(PLAIN.uuid, SEED, stop)


def test_what_libvirt_refuses_is_said(domains: LibvirtDomains) -> None:
    domains.start(PLAIN.uuid)
    with pytest.raises(HostError, match="plug a disk into domain"):
        domains.plug(PLAIN.uuid, seed_element(SEED))  # it has one
