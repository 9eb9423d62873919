"""Seeds: whatever stands in a field is read back as that text, by YAML's reader and from the image."""

import email
import re
from ipaddress import IPv4Address
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.names import MachineName
from raptorctl.model.seed import SEED_DONE, FirstBoot, HostKey, SeedGuest
from raptorctl.model.slot import Slot
from raptorctl.model.spec import MachineSpec
from raptorctl.render.cloud_config import cloud_config, render_seed
from raptorctl.render.seed_iso import read_iso, render_iso
from raptorctl.render.user_data import check, joined
from raptorctl.render.yaml_text import dump
from tests.fuzz import texts
from tests.fuzz.tally import tried

GUEST = SeedGuest(
    MachineName("alice", "dev"), "x.example", "u-j", Slot(1, IPv4Address("192.0.2.1"))
)
# What no UTF-8 file can hold, no field has.
words = texts.anything.filter(lambda text: not re.search("[\ud800-\udfff]", text))
lines = st.one_of(
    words, st.sampled_from(["no", "on", "~", "0644", "24.04", "1e3", "52:54:00:00:00:01"])
)
plain = st.recursive(
    st.one_of(lines, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(lines, inner, max_size=3)),
    max_leaves=8,
)


def handed_on(text: str, ours: dict[str, Any] | None = None) -> object:
    """The config that the guest gets, out of a message where cloud-init would look for one."""
    whole = joined(ours or {}, text)
    if b"mime-version:" in whole.encode()[:4096].lower():
        parts = [*email.message_from_string(whole).walk()]
        said = parts[-1].get_payload(decode=True)
        assert isinstance(said, bytes)
        whole = said.decode()
    return yaml.safe_load(whole)


@given(plain)
def test_what_is_written_as_yaml_is_read_as_it_was(data: object) -> None:
    tried("seeds")
    text = dump(data)
    assert text.isascii()
    assert yaml.safe_load(text) == data


@given(lines, lines, lines, st.dictionaries(lines, st.tuples(lines), max_size=2))
def test_any_text_in_any_field_stays_that_text(
    host: str, key: str, package: str, hosts: dict[str, tuple[str, ...]]
) -> None:
    tried("seeds")
    boot = FirstBoot(keys=(key,), host_key=HostKey(key, host))
    spec = MachineSpec(
        account=host or "x", hostname=host or "x", packages=(package,), hosts=hosts,
        sysctl={host: package},
    )  # fmt: skip
    seed = render_seed(boot, GUEST, spec)
    config = yaml.safe_load(seed.user_data)
    assert config["hostname"] == config["users"][0]["name"] == (host or "x")
    assert config["users"][0]["ssh_authorized_keys"] == [key]
    assert config["packages"] == [package]
    assert config["ssh_keys"] == {"ed25519_private": key, "ed25519_public": host}
    assert read_iso(render_iso(seed)) == seed


@given(words)
def test_any_user_data_is_refused_in_a_line_or_merged_as_it_was_meant(text: str) -> None:
    tried("user-data")
    given_text = f"#cloud-config\n{text}"
    try:
        read = check(given_text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    config = handed_on(given_text)
    meant = yaml.safe_load(given_text) or {}
    assert config == meant or read.notes


OURS = cloud_config(FirstBoot(keys=("ssh-ed25519 AAAA",)), GUEST)
KEYS = st.sampled_from(
    "users user groups runcmd bootcmd write_files packages final_message output hostname fqdn"
    " chpasswd ssh_authorized_keys system_info cloud_final_modules cloud_init_modules network"
    " swap".split()
)
PARTS = st.sampled_from(
    "name groups ssh_authorized_keys ssh-authorized-keys shell system sudo list users expire path"
    " alice default".split()
)
VALUES = st.recursive(
    st.one_of(lines, st.integers(), st.booleans(), st.none(), PARTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PARTS, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_whatever_stands_at_a_key_takes_nothing_of_ours_away(data: object) -> None:
    tried("user-data")
    text = "#cloud-config\n" + yaml.safe_dump(data)
    try:
        merged = handed_on(text, OURS)
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert isinstance(merged, dict)
    first = merged["users"][0]
    assert first["name"] == "alice"
    assert first["ssh_authorized_keys"][0] == "ssh-ed25519 AAAA"
    assert merged["final_message"].endswith(SEED_DONE)
    assert merged["output"] == OURS["output"]
    assert merged["runcmd"][: len(OURS["runcmd"])] == OURS["runcmd"]
    assert merged["ssh_deletekeys"] is True


@given(plain)
def test_what_another_program_wrote_as_yaml_is_merged_as_it_was_meant(data: object) -> None:
    tried("user-data")
    text = "#cloud-config\n" + yaml.safe_dump({"data": data})
    try:
        read = check(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    config = handed_on(text)
    assert config == yaml.safe_load(text) or read.notes
