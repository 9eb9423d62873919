"""The libvirt driver against libvirt itself: its test driver, one private host per test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import libvirt
import pytest

from raptorctl.drivers.domain import Domains
from raptorctl.errors import (
    ConflictError,
    HostError,
    InputError,
    MissingError,
    StoppedError,
    UnknownOutcomeError,
    WaitError,
)
from raptorctl.host.domain import read as domain_read
from raptorctl.host.domain.domains import LibvirtDomains
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, State
from raptorctl.model.network import LibvirtNetwork
from raptorctl.model.sizes import MIB, Size
from raptorctl.render.domain_xml import render_domain, resized_domain
from raptorctl.render.read_domain import read_domain
from tests.domain_samples import MARK, PLAIN, SAMPLES, template

OTHER_UUID = "11111111-2222-4333-8444-555555555555"
PLAIN_XML = render_domain(template("virtio-console"), PLAIN)
BY_HAND = "<domain type='test'><name>byhand</name><memory unit='MiB'>8</memory><os><type>hvm</type></os></domain>"


@pytest.fixture
def domains(tmp_path: Path) -> LibvirtDomains:
    # Each connection to a file of its own is a host of its own (libvirt, docs/drvtest.rst).
    node = tmp_path / "node.xml"
    node.write_text("<node/>")
    return LibvirtDomains(f"test://{node}")


@pytest.fixture
def behind(domains: LibvirtDomains) -> Any:
    """Return the bare connection, to act behind the driver's back."""
    return domains._open()


@pytest.fixture
def defined(domains: LibvirtDomains) -> LibvirtDomains:
    domains.define(PLAIN_XML)
    return domains


def ignore(_done: int, _total: int) -> None:
    pass


def fails(patch: pytest.MonkeyPatch, call: str, code: int, source: int = 0) -> None:
    """Make one of libvirt's calls on a domain end in an error, as the bindings raise it."""

    def refuse(*_: object) -> None:
        error = libvirt.libvirtError("")
        error.err = (code, source, "as the test wishes", 2, None, None, None, -1, -1)
        raise error

    patch.setattr(libvirt.virDomain, call, refuse)


def found(domains: Domains) -> Domain:
    domain = domains.find(PLAIN.uuid)
    assert domain
    return domain


def essence(domain: Domain) -> Domain:
    """Leave out what libvirt words in its own way."""
    return replace(domain, xml="", emulator=domain.emulator.ascending())


# libvirt's test driver drops what is for QEMU's command line; tests/integration/test_session_host.py has it.
@pytest.mark.parametrize("name", [name for name, spec in SAMPLES.items() if not spec.mark.ssh])
def test_libvirt_keeps_every_sample_as_it_was_defined(name: str, domains: LibvirtDomains) -> None:
    spec = SAMPLES[name]
    xml = render_domain(template(spec.mark.template), spec)
    domains.define(xml)
    domain = found(domains)
    assert essence(domain) == essence(read_domain(xml))
    assert domain.ours
    domains.define(domain.xml)  # as undoing a removal does
    assert found(domains) == domain


class TestReading:
    def test_an_empty_host(self, domains: LibvirtDomains) -> None:
        assert domains.list() == ()
        assert domains.states() == {}
        assert domains.find(OTHER_UUID) is None

    def test_networks_that_are_active_are_told_with_their_bridge(
        self, domains: LibvirtDomains, behind: Any
    ) -> None:
        assert domains.networks() == {}
        network = "<network><name>lan</name><bridge name='virbr7'/></network>"
        lan = behind.networkDefineXML(network)
        assert domains.networks() == {}
        lan.create()
        assert domains.networks() == {"lan": LibvirtNetwork("virbr7", config=())}

    def test_ours_and_somebody_elses(self, defined: LibvirtDomains, behind: Any) -> None:
        behind.defineXML(BY_HAND)
        ours, theirs = defined.list()
        assert (ours.name, ours.mark, ours.pins) == ("alice-dev", MARK, CpuSet.parse("4-7"))
        assert (theirs.name, theirs.mark, theirs.pins) == ("byhand", None, CpuSet())
        assert theirs.memory == Size(8 * MIB)

    def test_list_and_find_agree(self, defined: LibvirtDomains) -> None:
        defined.start(PLAIN.uuid)
        defined.set_autostart(PLAIN.uuid, on=True)
        assert defined.list() == (found(defined),)
        assert found(defined).autostart
        assert found(defined).state is State.RUNNING

    def test_states(self, defined: LibvirtDomains, behind: Any) -> None:
        behind.defineXML(BY_HAND)
        assert defined.states() == {"alice-dev": State.OFF, "byhand": State.OFF}
        defined.start(PLAIN.uuid)
        assert defined.states()["alice-dev"] is State.RUNNING
        behind.lookupByName("alice-dev").suspend()
        assert defined.states()["alice-dev"] is State.PAUSED

    def test_states_asks_nothing_per_domain(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def one_each(*_: object) -> None:
            raise AssertionError

        for name in ("XMLDesc", "state", "info", "autostart", "isActive"):
            monkeypatch.setattr(libvirt.virDomain, name, one_each)
        assert defined.states() == {"alice-dev": State.OFF}

    def test_one_that_is_saved_and_what_its_start_makes_of_it(
        self, defined: LibvirtDomains, behind: Any
    ) -> None:
        defined.start(PLAIN.uuid)
        behind.lookupByName("alice-dev").managedSave()
        assert defined.states() == {"alice-dev": State.SAVED}
        for seen in (found(defined), defined.named("alice-dev"), *defined.list()):
            assert seen
            # What was saved, this driver of libvirt's cannot tell.
            assert (seen.state, seen.state.active, seen.saved) == (State.SAVED, False, None)
        defined.start(PLAIN.uuid)
        assert found(defined).state is State.RUNNING

    def test_what_was_saved_where_nobody_tells_us(
        self, defined: LibvirtDomains, behind: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        defined.start(PLAIN.uuid)
        behind.lookupByName("alice-dev").managedSave()
        fails(monkeypatch, "managedSaveGetXMLDesc", libvirt.VIR_ERR_ACCESS_DENIED)  # a tenant's
        (seen,) = defined.list()
        assert (seen.state, seen.saved, seen.pins) == (State.SAVED, None, CpuSet.parse("4-7"))

    def test_one_whose_save_is_given_up(self, defined: LibvirtDomains, behind: Any) -> None:
        defined.start(PLAIN.uuid)
        behind.lookupByName("alice-dev").managedSave()
        for _ in range(2):  # once more changes nothing
            defined.drop_saved(PLAIN.uuid)
            assert found(defined).state is State.OFF

    def test_what_runs_beside_what_is_defined(self, defined: LibvirtDomains, behind: Any) -> None:
        assert found(defined).live is None
        defined.start(PLAIN.uuid)
        behind.defineXML(
            resized_domain(PLAIN_XML, CpuSet.parse("0-1"), CpuSet((0, 1)), Size(64 * MIB), 2)
        )
        for seen in (found(defined), *defined.list()):
            assert seen.live
            assert (seen.pins, seen.live.pins) == (CpuSet.parse("0-1"), CpuSet.parse("4-7"))
            assert (seen.memory, seen.live.memory) == (64 * MIB, PLAIN.memory)
            assert seen.held_cpus == CpuSet.parse("0,1,4-7")

    def test_nobody_is_asked_for_saves_where_libvirts_directory_has_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(domain_read, "SAVES", tmp_path / "none-such")
        assert not domain_read.nothing_saved("qemu:///system")
        monkeypatch.setattr(domain_read, "SAVES", tmp_path)
        assert domain_read.nothing_saved("qemu:///system")
        assert not domain_read.nothing_saved("qemu:///session")
        (tmp_path / "alice-dev.save").touch()
        assert not domain_read.nothing_saved("qemu:///system")

    def test_one_that_vanishes_while_it_is_listed(
        self, defined: LibvirtDomains, behind: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        behind.defineXML(BY_HAND)
        describe = libvirt.virDomain.XMLDesc

        def too_late(domain: Any, flags: int) -> Any:
            if domain.name() == "byhand":
                domain.undefine()
            return describe(domain, flags)

        monkeypatch.setattr(libvirt.virDomain, "XMLDesc", too_late)
        assert [domain.name for domain in defined.list()] == ["alice-dev"]

    def test_version(self, domains: LibvirtDomains) -> None:
        assert domains.version() >= (8, 0, 0)


class TestAccelerator:
    @pytest.fixture
    def cpuinfo(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        path = tmp_path / "cpuinfo"
        monkeypatch.setattr("raptorctl.host.system.procfs.CPUINFO", path)
        return path

    @pytest.mark.parametrize(
        ("flags", "accelerator"),
        [("fpu vmx", "kvm"), ("svm fpu", "kvm"), ("fpu vmx_other xsvm", "qemu"), ("", "qemu")],
    )
    def test_by_cpu(
        self, flags: str, accelerator: str, cpuinfo: Path, domains: LibvirtDomains,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
        monkeypatch.setattr(libvirt.virConnect, "getDomainCapabilities", lambda *_: "<x/>")
        assert domains.accelerator() == accelerator

    def test_a_driver_that_cannot_tell_has_no_kvm(
        self, cpuinfo: Path, domains: LibvirtDomains
    ) -> None:
        cpuinfo.write_text("flags : vmx\n")
        assert domains.accelerator() == "qemu"


class TestDefine:
    def test_again_is_already_so(self, defined: LibvirtDomains) -> None:
        defined.define(PLAIN_XML)
        assert len(defined.list()) == 1

    def test_name_of_another(self, defined: LibvirtDomains) -> None:
        with pytest.raises(
            ConflictError, match=f"alice-dev exists already, with UUID {PLAIN.uuid}"
        ):
            defined.define(PLAIN_XML.replace(PLAIN.uuid, OTHER_UUID))
        assert [domain.uuid for domain in defined.list()] == [PLAIN.uuid]

    def test_uuid_of_another(self, defined: LibvirtDomains) -> None:
        with pytest.raises(ConflictError, match="belongs to domain alice-dev already"):
            defined.define(PLAIN_XML.replace("<name>alice-dev<", "<name>alice-web<"))
        assert [domain.name for domain in defined.list()] == ["alice-dev"]

    def test_outside_libvirts_schema(self, domains: LibvirtDomains) -> None:
        with pytest.raises(
            HostError, match=r"could not define domain alice-dev: .*schema"
        ) as caught:
            domains.define(PLAIN_XML.replace("<devices>", "<devices><teapot/>"))
        assert "\n" not in str(caught.value)
        assert domains.list() == ()

    def test_no_domain_at_all(self, domains: LibvirtDomains) -> None:
        with pytest.raises(InputError):
            domains.define("<network/>")


class TestStart:
    def test_twice(self, defined: LibvirtDomains) -> None:
        defined.start(PLAIN.uuid)
        defined.start(PLAIN.uuid)
        assert found(defined).state is State.RUNNING

    def test_somebody_was_faster(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create = libvirt.virDomain.create

        def too_late(domain: Any) -> Any:
            create(domain)
            return create(domain)

        monkeypatch.setattr(libvirt.virDomain, "create", too_late)
        defined.start(PLAIN.uuid)
        assert found(defined).state is State.RUNNING

    def test_absent(self, domains: LibvirtDomains) -> None:
        with pytest.raises(HostError, match=f"knows no domain {OTHER_UUID}"):
            domains.start(OTHER_UUID)

    def test_autostart_and_back(self, defined: LibvirtDomains) -> None:
        for on in (True, True, False, False):
            defined.set_autostart(PLAIN.uuid, on=on)
            assert found(defined).autostart is on


class TestShutDown:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("raptorctl.host.domain.look.POLL", 0.01)

    @pytest.fixture
    def presses(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Make guests deaf; return the power button's uses."""
        seen: list[int] = []
        press = lambda _domain, flags: seen.append(flags)  # noqa: E731
        monkeypatch.setattr(libvirt.virDomain, "shutdownFlags", press)
        return seen

    @pytest.fixture
    def running(self, defined: LibvirtDomains) -> LibvirtDomains:
        defined.start(PLAIN.uuid)
        return defined

    def test_by_acpi(self, running: LibvirtDomains) -> None:
        assert running.shut_down(PLAIN.uuid, 5, ignore) is False
        assert found(running).state is State.OFF

    def test_without_patience(self, running: LibvirtDomains) -> None:
        assert running.shut_down(PLAIN.uuid, 0, ignore) is True
        assert found(running).state is State.OFF

    def test_one_that_does_not_listen(
        self, running: LibvirtDomains, presses: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("raptorctl.host.domain.look.ASK_AGAIN", 0.1)
        ticks: list[tuple[int, int]] = []
        assert running.shut_down(PLAIN.uuid, 0.5, lambda *at: ticks.append(at)) is True
        assert found(running).state is State.OFF
        assert 2 <= len(presses) <= 5  # every 100 ms of 500; a slow machine misses some
        assert len(ticks) > 2
        assert all(0 <= waited < total == 500 for waited, total in ticks)

    def test_one_that_cannot_be_asked(
        self, running: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fails(monkeypatch, "shutdownFlags", libvirt.VIR_ERR_OPERATION_INVALID)
        assert running.shut_down(PLAIN.uuid, 0.05, ignore) is True

    def test_off_and_absent(self, defined: LibvirtDomains) -> None:
        assert defined.shut_down(PLAIN.uuid, 5, ignore) is False
        assert defined.shut_down(OTHER_UUID, 5, ignore) is False

    def test_asked_to_stop_while_it_waits(
        self, running: LibvirtDomains, presses: list[int]
    ) -> None:
        def stop(_waited: int, _total: int) -> None:
            raise StoppedError(2)

        with pytest.raises(StoppedError):
            running.shut_down(PLAIN.uuid, 5, stop)
        assert found(running).state is State.RUNNING
        assert len(presses) == 1


class TestUndefine:
    @pytest.mark.parametrize("keep", [True, False])
    def test_twice(self, keep: bool, defined: LibvirtDomains) -> None:
        defined.undefine(PLAIN.uuid, keep_nvram=keep)
        defined.undefine(PLAIN.uuid, keep_nvram=keep)
        assert defined.list() == ()

    def test_saved_state_and_snapshots_do_not_stand_in_the_way(
        self, defined: LibvirtDomains, behind: Any
    ) -> None:
        defined.start(PLAIN.uuid)
        domain = behind.lookupByName("alice-dev")
        domain.snapshotCreateXML("<domainsnapshot/>")
        domain.managedSave()
        defined.undefine(PLAIN.uuid, keep_nvram=False)
        assert defined.list() == ()

    def test_one_that_runs_goes_on_and_is_gone_once_it_stops(
        self, defined: LibvirtDomains, behind: Any
    ) -> None:
        defined.start(PLAIN.uuid)
        defined.undefine(PLAIN.uuid, keep_nvram=True)
        assert found(defined).state is State.RUNNING
        assert not found(defined).persistent
        defined.undefine(PLAIN.uuid, keep_nvram=True)
        defined.shut_down(PLAIN.uuid, 0, ignore)
        assert defined.find(PLAIN.uuid) is None

    def test_defined_again_while_it_runs_it_is_as_before(self, defined: LibvirtDomains) -> None:
        xml = found(defined).xml
        defined.start(PLAIN.uuid)
        defined.undefine(PLAIN.uuid, keep_nvram=True)
        defined.define(xml)
        assert found(defined).persistent
        assert found(defined).state is State.RUNNING


class TestLife:
    def test_a_running_domain_moves(
        self, defined: LibvirtDomains, behind: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        emulators: list[tuple[object, ...]] = []  # the test driver has none
        monkeypatch.setattr(libvirt.virDomain, "pinEmulator", lambda _, *a: emulators.append(a))
        defined.start(PLAIN.uuid)
        wanted = tuple(reversed(range(len(PLAIN.cpus))))
        defined.pin(PLAIN.uuid, CpuSet(wanted), CpuSet((1,)))
        live = behind.lookupByUUIDString(PLAIN.uuid).vcpus()[1]
        assert [cpus.index(True) for cpus in live] == list(wanted)
        ((where, flags),) = emulators
        assert (where[:3], flags) == ((False, True, False), libvirt.VIR_DOMAIN_AFFECT_LIVE)  # type: ignore[index]

    def test_one_that_is_off_is_neither_moved_nor_measured(self, defined: LibvirtDomains) -> None:
        defined.pin(PLAIN.uuid, CpuSet((0,)), CpuSet((0,)))
        assert defined.block_size(PLAIN.uuid, PLAIN.disk) is None

    def test_a_disk_is_measured_and_shown_in_bytes(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said: list[tuple[object, ...]] = []
        monkeypatch.setattr(libvirt.virDomain, "blockInfo", lambda *_: [3 * MIB, 0, 0])
        monkeypatch.setattr(libvirt.virDomain, "blockResize", lambda _, *args: said.append(args))
        defined.start(PLAIN.uuid)
        assert defined.block_size(PLAIN.uuid, PLAIN.disk) == 3 * MIB
        defined.block_resize(PLAIN.uuid, PLAIN.disk, 5 * MIB)
        assert said == [(PLAIN.disk, 5 * MIB, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)]

    def test_a_disk_that_cannot_be_shown_is_an_error_only_while_it_runs(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fails(monkeypatch, "blockResize", libvirt.VIR_ERR_OPERATION_FAILED)
        defined.block_resize(PLAIN.uuid, PLAIN.disk, 5 * MIB)
        defined.start(PLAIN.uuid)
        with pytest.raises(HostError, match="could not resize"):
            defined.block_resize(PLAIN.uuid, PLAIN.disk, 5 * MIB)

    def test_reset_presses_the_button(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pressed: list[int] = []
        monkeypatch.setattr(libvirt.virDomain, "reset", lambda _, *__: pressed.append(1))
        defined.reset(PLAIN.uuid)
        assert pressed == [1]

    def test_libvirt_keeps_a_definition_that_was_resized(self, defined: LibvirtDomains) -> None:
        xml = resized_domain(found(defined).xml, CpuSet((3, 1)), CpuSet((1,)), Size(64 * MIB))
        defined.define(xml)
        assert essence(found(defined)) == essence(read_domain(xml))
        assert (found(defined).pins, found(defined).memory) == (CpuSet((3, 1)), 64 * MIB)


class TestTrouble:
    def test_a_broken_connection_leaves_the_outcome_unknown_and_is_opened_anew(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As seen when libvirtd is killed during a call: "Cannot recv data: Connection reset by peer"
        fails(monkeypatch, "create", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
        monkeypatch.setattr(libvirt.virConnect, "isAlive", lambda _: 0)
        with pytest.raises(UnknownOutcomeError, match="broke while it was to start domain"):
            defined.start(PLAIN.uuid)
        assert defined.states() == {}  # a new connection to the test driver is a new host

    def test_any_other_error_is_libvirts_own_words(
        self, defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As seen when libvirtd finds no virtlogd: the same code and source, yet nothing is unknown
        fails(monkeypatch, "create", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
        with pytest.raises(
            HostError, match=r"could not start domain .*: as the test wishes"
        ) as caught:
            defined.start(PLAIN.uuid)
        assert not isinstance(caught.value, UnknownOutcomeError)
        assert found(defined).state is State.OFF


def test_no_libvirt(tmp_path: Path) -> None:
    uri = f"qemu+unix:///system?socket={tmp_path}/none"
    with pytest.raises(
        MissingError, match=r"does not answer at qemu.unix.*systemctl start libvirtd"
    ):
        LibvirtDomains(uri).list()


def test_nothing_is_opened_before_it_is_needed() -> None:
    LibvirtDomains("nonsense:///")


def test_libvirt_prints_nothing_itself(
    domains: LibvirtDomains, capfd: pytest.CaptureFixture[str]
) -> None:
    assert domains.find(OTHER_UUID) is None
    assert capfd.readouterr() == ("", "")


def test_who_was_asked_to_go_off_is_not_waited_for_twice_as_long(
    defined: LibvirtDomains, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine in its firmware never hears ACPI: a removal that is stopped waits for the rest."""
    defined.start(PLAIN.uuid)
    clock, waits = [100.0], []

    def in_its_firmware(_domain: Any, timeout: float, _tick: Any, *, press: bool = True) -> bool:
        waits.append((timeout, press))
        clock[0] += 20.0  # then somebody pressed ^C
        return False

    monkeypatch.setattr("raptorctl.host.domain.domains.goes_off", in_its_firmware)
    monkeypatch.setattr("raptorctl.host.domain.domains.time.monotonic", lambda: clock[0])
    with pytest.raises(WaitError):
        defined.shut_down(PLAIN.uuid, 60.0, ignore, force=False)
    assert not defined.goes_off(PLAIN.uuid, 60.0, ignore)
    clock[0] += 1000.0
    defined.goes_off(PLAIN.uuid, 60.0, ignore)
    defined.goes_off(PLAIN.uuid, 0.0, ignore)
    assert waits == [(60.0, True), (40.0, False), (10.0, False), (0.0, False)]
