"""Machines that run, or were saved, other than they are defined; or where no CPU is for them.

libvirt keeps three forms of a domain, and `virsh` changes each alone.
"""

from collections.abc import Iterable, Iterator

from raptorctl.model.domain import Domain, State
from raptorctl.model.probe import Verdict
from raptorctl.model.sizes import MIB
from raptorctl.model.topology import Topology
from raptorctl.plans.doctor.fault import Fault, Faults, Scene
from raptorctl.plans.part import cpus

CHECK = "machines"
Difference = tuple[str, str, str]
"""What, as it is, as it is defined."""


def forms(scene: Scene) -> Faults:
    """Find what of our machines is not as it is defined, or cannot run where it is pinned."""
    return told(scene.facts.domains, scene.facts.topology)


def told(domains: Iterable[Domain], topology: Topology) -> Faults:
    """Find it among these domains; without a topology, only how their forms differ."""
    for domain in domains:
        if domain.ours:
            yield from _differing(domain)
            yield from _stuck(domain, topology) if topology.cpus else ()


def differences(defined: Domain, form: Domain) -> Iterator[Difference]:
    """How a form of a domain differs from its definition."""
    found: tuple[Difference, ...] = (
        ("CPUs", _cpus(form), _cpus(defined)),
        ("the emulator on CPUs", str(form.emulator.ascending()), str(defined.emulator.ascending())),
        (
            "I/O threads on CPUs",
            str(form.iothreads.ascending()),
            str(defined.iothreads.ascending()),
        ),
        ("memory", _memory(form), _memory(defined)),
        ("MAC", ", ".join(sorted(form.macs)), ", ".join(sorted(defined.macs))),
        ("bridge", ", ".join(sorted(form.bridges)), ", ".join(sorted(defined.bridges))),
        ("disks", *_disks(form, defined)),
        ("UEFI variables", form.nvram, defined.nvram),
        ("ssh at", form.mark.ssh if form.mark else "", defined.mark.ssh if defined.mark else ""),
    )
    return ((what, has or "none", said or "none") for what, has, said in found if has != said)


def _cpus(form: Domain) -> str:
    """Of each virtual CPU; how many where none is pinned."""
    if not form.pins:
        return f"{form.vcpus} (not pinned)"
    exact = len(form.pins) == form.vcpus and all(len(place) == 1 for place in form.places)
    return str(form.pins) if exact or not form.places else "; ".join(map(str, form.places))


def _memory(form: Domain) -> str:
    # libvirt rounds what runs up to whole MiB (qemuDomainAlignMemorySizes).
    return str(form.memory.rounded_up(MIB))


def _disks(form: Domain, defined: Domain) -> tuple[str, str]:
    # What runs tells the files that a disk lies over, which a definition need not.
    has, said = (set(one.disks) - set(one.layers) for one in (form, defined))
    return ", ".join(sorted(has)), ", ".join(sorted(said))


def _differing(domain: Domain) -> Faults:
    name = domain.name
    for how, form, advice in (
        ("runs with", domain.live, "stop and start it; `raptorctl resize --cpus` moves CPUs"),
        (
            "was saved with",
            domain.saved,
            f"`raptorctl start {name}` resumes it so; `raptorctl resize {name} --drop-saved` with "
            "what it is to have gives the save up",
        ),
    ):
        for what, has, said in differences(domain, form) if form else ():
            text = f"machine {name} {how} {what} {has}; its definition says {said}"
            yield Fault(CHECK, name, text, advice)
    if domain.state is State.SAVED and domain.saved is None:
        text = f"machine {name} is saved, and libvirt cannot read what was saved"
        yield Fault(CHECK, name, text, f"virsh managedsave-dumpxml {name} says why")


def _stuck(domain: Domain, topology: Topology) -> Faults:
    """Tell of each CPU that none of a machine's threads can run on."""
    pinned = domain.held_cpus
    online, usable = pinned & topology.online, pinned & topology.usable
    for bad in (pinned - online, online - usable):
        if bad:
            text = f"machine {domain.name} is {cpus.pinned_badly(bad, topology)}"
            yield Fault(CHECK, domain.name, text, cpus.moving(domain), Verdict.FAIL)
