"""Tenants who send anything to root's service: one line each, nothing outside policy and quota.

What they send are letters that are nearly right, letters that are, and bytes.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from raptorctl.host.survey.survey import shares
from raptorctl.host.system.files import shipped_rules
from raptorctl.model.access import RULES
from raptorctl.model.names import split_disk, split_domain, split_snapshot, split_volume
from raptorctl.model.share import SHARES, Share
from raptorctl.model.sizes import GIB
from raptorctl.model.tenant import Quota, TenantRecord, record_path, record_text
from raptorctl.read.petition import CHANGES, READS
from raptorctl.render.polkit_rule import render_rules
from tests.fakes import World
from tests.fuzz.tally import tried
from tests.memory import place
from tests.unit.api.petitions import DEV, POLICY, Service
from tests.unit.model.test_ssh_key import GOOD

LIKELY: Mapping[str, list[Any]] = {
    "machine": ["dev", "web", "bob-dev", "alice-dev", "guest-dev", "wipe-x", "../dev", "d" * 41],
    "size": ["1G", "20G", "39G", "41G", "0G", "9999T", "20", 20],
    "cpus": ["1", "2", "3", "999", "0", "4-7", 2],
    "memory": ["64M", "4G", "9G", "1K"],
    "image": ["debian:13", "alpine", "/etc/passwd", "./x", "https://m.example/x", "5eed5eed5eed"],
    "profile": [["web-server"], ["workstation"], ["/etc/x.toml"], [], "web-server"],
    "expires": ["1d", "30d", "31d", "never", "2020-01-01", "x"],
    "user_data": ["#!/bin/sh\nid\n", "#cloud-config\nruncmd: [id]\n", "#cloud-config\n\t", "x"],
    "keys": [GOOD, "x", ""],
    "name": ["one", "two", "UP", "a.b"],
    "no_start": [True, False],
    "force": [True, 1],
    "other": ["alice", "bob", "eve", "b*", "al-ice"],
    "grant": ["console", "operate", "all"],
    "until": ["2099-01-31", "12h", "2020-01-01", "soon"],
    "dry_run": [True, "yes"],
    "agreed": ["0" * 64, "x"],
    "id": ["20261129-204501-a1b2", "../../x"],
    "tenant": ["bob"],
    "slot": ["1"],
    "path": ["/etc/shadow"],
}
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
VERBS = ["provision", "provision", *CHANGES, *READS, "approve", "access"]


@st.composite
def letters(draw: st.DrawFn) -> bytes:
    """One letter: most have the words of their verb, some of these with a value that is none."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200)) + draw(st.sampled_from([b"\n", b"", b"\n\n"]))
    verb = draw(st.sampled_from(VERBS))
    said: dict[str, Any] = {**DEV} if verb == "provision" else {}
    if verb in CHANGES:
        said["machine"] = draw(st.sampled_from(["dev", "dev", "web", "db"]))
    said["verb"] = verb
    known = sorted(CHANGES.get(verb, READS.get(verb, frozenset())))
    for key in draw(st.lists(st.sampled_from(known), max_size=3)) if known else ():
        said[key] = draw(
            st.sampled_from(LIKELY[key]) | (JUNK if draw(st.booleans()) else st.just(""))
        )
    if draw(st.integers(0, 5)) == 0:
        key = draw(st.sampled_from(sorted(LIKELY)))
        said[key] = draw(st.sampled_from(LIKELY[key]))
    return json.dumps({key: value for key, value in said.items() if value != ""}).encode() + b"\n"


def of(tenant: str, world: World) -> dict[str, str]:
    """All that carries a tenant's name, with what it is."""
    found = {domain.name: domain.xml for domain in world.domains.list()}
    found |= {volume.name: f"{volume.uuid} {volume.size}" for volume in world.volumes.list()}
    return {name: what for name, what in found.items() if owner(name) == tenant}


def owner(name: str) -> str:
    if said := split_snapshot(name) or split_disk(name):
        return said[0].tenant
    one = split_volume(name) or split_domain(name)
    return one.tenant if one else ""


def within(service: Service, tenant: str) -> None:
    """Assert that what a tenant has is what policy and quota allow."""
    domains = [one for one in service.world.domains.list() if owner(one.name) == tenant]
    volumes = [one for one in service.world.volumes.list() if owner(one.name) == tenant]
    assert len(domains) <= POLICY.machines
    for one in domains:
        assert one.most_cpus <= POLICY.cpus
        assert one.memory <= POLICY.memory
        assert one.mark
        assert one.mark.expires
    assert sum(volume.size for volume in volumes) <= 60 * GIB
    for volume in volumes:
        if volume.name.startswith("guest-"):
            assert volume.size <= POLICY.size


def etc(world: World) -> dict[str, Any]:
    texts = world.files.texts.items()
    return {path: text for path, text in texts if path.startswith("/etc/") and path != SHARES}


def shared(world: World, by: str) -> list[Share]:
    """What a tenant shares, or others do."""
    return [one for one in shares(world.host()).all if one.name.tenant == by]


ENDS = {"done", "waiting", "plan", "error", "requests", "request", "shares"}


@given(st.lists(st.tuples(st.sampled_from(["alice", "bob"]), letters()), min_size=1, max_size=8))
def test_whatever_tenants_send_stays_within_policy_and_quota(
    sent: list[tuple[str, bytes]],
) -> None:
    tried("letters to the service for requests", len(sent))
    folder = Path(tempfile.mkdtemp(dir=place()))
    try:
        world = World().with_tenants("alice", "bob")
        world.files.write(RULES, render_rules(shipped_rules(), ("wheel",)), 0o644)
        for name in ("alice", "bob"):
            account = world.accounts.find(name)
            assert account
            quota = Quota.parse("machines=3,cpus=6,size=60G")
            record = TenantRecord(name, account.uid, False, "j0", "x", "carol", quota)
            world.files.write(record_path(name), record_text(record), 0o644)
        service, before = Service(world, folder), etc(world)
        for tenant, letter in sent:
            other = "bob" if tenant == "alice" else "alice"
            theirs, given = of(other, world), shared(world, other)
            (*_, last) = service.lines(letter, tenant)
            assert set(last) <= ENDS
            for one in last.get("shares", ()):
                assert tenant in {one["machine"].split("-")[0], one["tenant"]}
            if error := last.get("error"):
                assert error["code"] != "internal", error
                assert "\n" not in error["message"] + error["hint"]
                # A machine of their own may be called so, and is theirs to hear of.
                said = json.dumps(last).replace(f"{tenant}-{other}-", f"{tenant}-")
                assert f"{other}-" not in said
            assert of(other, world) == theirs
            assert shared(world, other) == given
            assert all(one.tenant == other for one in shared(world, tenant))
            assert etc(world) == before
            within(service, tenant)
        for job in service.admin.journals.jobs():
            assert job.machine.split("-")[0] == job.by
            assert job.outcome.value in {"done", "rolled back"}
    finally:
        shutil.rmtree(folder)
