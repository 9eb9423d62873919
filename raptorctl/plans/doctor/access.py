"""Doctor, on who may do what: rules, libvirt's doors, tenants' groups. Pure."""

from collections.abc import Iterator

from raptorctl.model.access import Daemon, is_edited
from raptorctl.model.part import Part
from raptorctl.model.probe import Doors, Finding, Probe, Verdict
from raptorctl.model.settings import Access, Settings
from raptorctl.model.tenant import KEYS
from raptorctl.render.polkit_rule import render_rules

OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL
ROLE = "run the role raptor_host"
RELAY = f"{ROLE}; by hand: libvirtd's sockets into a directory of root's, the relay where they were"
INSTALL = "raptorctl access install"
Findings = Iterator[Finding]


def access(probe: Probe, settings: Settings) -> Findings:
    """Judge what keeps people from what is not theirs."""
    if trouble := probe.troubles.get(Part.ACCESS):
        yield Finding(Part.ACCESS, FAIL, trouble.what, trouble.advice)
    doors = probe.doors
    if doors is None:
        return
    bad = [*_rules(doors, settings), *_libvirt(doors), *_host(doors), *_tenants(probe, settings)]
    yield from bad
    if not bad:
        what = "polkit answers by our rules, and libvirt's doors are closed"
        yield Finding(Part.ACCESS, OK, what)


def _rules(doors: Doors, settings: Settings) -> Findings:
    for wrong in doors.wrong_answers[:1]:
        more = f", and {len(doors.wrong_answers) - 1} more" if doors.wrong_answers[1:] else ""
        yield Finding(Part.ACCESS, FAIL, f"polkit {wrong}{more}", "raptorctl access test")
    file, access = doors.rules_file, settings.access
    wanted = render_rules(
        doors.shipped_rules, access.admin_groups, log=access.log, readable=access.readable
    )
    # The role lays them without a digest, and for the settings as they are without our saying.
    as_shipped = (doors.shipped_rules, render_rules(doors.shipped_rules, Access().admin_groups))
    if doors.rules is None:
        yield Finding(Part.ACCESS, FAIL, f"{file} is not there", INSTALL)
    elif is_edited(doors.rules, doors.shipped_rules):
        yield Finding(Part.ACCESS, WARN, f"{file} was edited by hand", f"look at it; {INSTALL}")
    elif doors.rules != wanted and (doors.rules, wanted) != as_shipped:
        what = f"{file} is of another version, or of other settings"
        yield Finding(Part.ACCESS, WARN, what, INSTALL)


def _libvirt(doors: Doors) -> Findings:
    for daemon in doors.daemons:
        yield from _daemon(daemon)
    for path in doors.open_sockets:
        yield Finding(Part.ACCESS, WARN, f"every account can open {path}", ROLE)
    for path in doors.unjudged[:1]:
        what = (
            f"tenants' calls reach libvirtd unjudged ({path}): `virsh restore` opens files as root"
        )
        yield Finding(Part.ACCESS, WARN, what, RELAY)


def _daemon(daemon: Daemon) -> Findings:
    if not daemon.polkit:
        what = f"{daemon.name} does not ask polkit: everybody may do everything"
        advice = f'access_drivers = [ "polkit" ] in {daemon.file}, then restart {daemon.name}'
        yield Finding(Part.ACCESS, FAIL, what, advice)
    if daemon.anonymous:
        what = f"{daemon.anonymous} silent connections to {daemon.name} keep everybody out"
        advice = f"max_anonymous_clients = 0 in {daemon.file}, then restart {daemon.name}"
        yield Finding(Part.ACCESS, WARN, what, advice)


def _host(doors: Doors) -> Findings:
    if doors.bridge_helper:
        what = "qemu-bridge-helper has root's rights: any account's QEMU may join any bridge"
        yield Finding(Part.ACCESS, FAIL, what, ROLE)
    if not doors.hidepid:
        what = "accounts see each other's processes, and the machines named there"
        yield Finding(Part.ACCESS, WARN, what, ROLE)
    if doors.sshd is not None:
        if doors.sshd.get("authorizedkeysfile") != f"{KEYS}/%u":
            what = "sshd takes tenants' keys from where they can write"
            yield Finding(Part.ACCESS, WARN, what, ROLE)
        if doors.sshd.get("disableforwarding") != "yes":
            yield Finding(Part.ACCESS, WARN, "sshd forwards libvirt's socket for tenants", ROLE)


def _tenants(probe: Probe, settings: Settings) -> Findings:
    admins = settings.access.admin_groups
    for tenant in probe.facts.tenants:
        for group in tenant.account.bypassing(admins) if tenant.account else []:
            what = f"tenant {tenant.name} is in {group}, and need not ask polkit"
            advice = f"gpasswd -d {tenant.name} {group}"
            yield Finding(Part.ACCESS, FAIL, what, advice, on=tenant.name)
