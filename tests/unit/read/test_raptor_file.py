"""raptor.toml: what it may say, and that all that is wrong in it is told at once, each in its place."""

import json
import math
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raptorctl.model.diagnostic import FileError
from raptorctl.model.guest import Awaited
from raptorctl.model.names import MachineName
from raptorctl.model.raptor_file import MACHINE_KEYS, FileStep, RaptorFile
from raptorctl.model.sizes import Size
from raptorctl.model.spec import MachineSpec
from raptorctl.model.tenant import Quota
from raptorctl.read.raptor_file import Reader, parse_raptor_file

WHOLE = """
name = "lab"
[vars]
release = "13"
[defaults]
image = "debian:${release}"
memory = "2G"
wait = "ssh"
[tenant.alice]
keys = ["alice.pub"]
quota = { machines = 4, memory = "16G" }
[machine.alice-web]
profile = ["hardened", "./web.toml"]
size = "20G"
cpus = "4-7"
hostname = "${machine}"
account = "x$$"
steps = [{ run = "a.sh" }, { copy = "b", to = "/etc/${tenant}" }]
[machine.alice-web.hosts]
"10.0.0.1" = ["db"]
[machine.bob-db]
cpus = 2
profile = "small"
wait = "cloud-init"
"""


def read(text: str, owner: str = "", **variables: str) -> RaptorFile:
    return parse_raptor_file(text, Reader("raptor.toml", owner, variables))


def wrong(text: str, owner: str = "", **variables: str) -> tuple[str, ...]:
    with pytest.raises(FileError) as caught:
        read(text, owner, **variables)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_whole_file() -> None:
    text = WHOLE.replace('account = "x$$"\n', "")
    file = read(text, release="12")
    web, db = file.machines
    assert (file.name, web.name, web.key) == ("lab", MachineName("alice", "web"), "alice-web")
    assert web.below == {"image": "debian:12", "memory": "2G"}
    assert web.said["profile"] == ["hardened", "./web.toml"]
    assert web.said["hosts"] == {"10.0.0.1": ["db"]}
    assert web.said["hostname"] == "web"
    assert web.steps == (FileStep(run="a.sh"), FileStep(copy="b", to="/etc/alice"))
    assert (web.wait, db.wait) == (Awaited.SSH, Awaited.CLOUD_INIT)
    assert (db.said["profile"], db.said["cpus"]) == (["small"], 2)
    (tenant,) = file.tenants
    assert (tenant.keys, tenant.quota) == (("alice.pub",), Quota.parse("machines=4,memory=16G"))


def test_on_a_session_host_a_machine_has_no_tenant() -> None:
    file = read("[machine.web]\n[machine.alice-db]\n", owner="alice")
    assert [str(one.name) for one in file.machines] == ["alice-web", "alice-db"]
    (said,) = wrong("[tenant.alice]\n", owner="alice")
    assert said == (
        "raptor.toml:1:1: tenant.alice: a session host has no tenants; leave the table out"
    )
    assert "is the same machine as web" in wrong("[machine.web]\n[machine.alice-web]", "alice")[0]


def test_a_machine_has_a_name_in_dns_where_there_is_a_zone() -> None:
    text = '[machine.alice-web]\nsysctl = { "kernel.hostname" = "${fqdn}" }\n'
    (web,) = parse_raptor_file(text, Reader("f", zone="raptor.example")).machines
    assert web.said["sysctl"] == {"kernel.hostname": "alice-web.raptor.example"}
    assert "known: ipv4, ipv6, mac, machine, ssh_key, tenant" in wrong(text)[0]


def test_a_machines_key_that_stands_alone_is_told_where_it_belongs() -> None:
    said = "raptor.toml:1:1: image: stands outside of a machine; write it below [defaults] or [machine.NAME]"
    assert wrong('image = "debian:13"\n') == (said,)


def test_every_key_of_a_spec_may_be_said() -> None:
    assert {one.name for one in fields(MachineSpec)} < set(MACHINE_KEYS)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('cpuz = 2', "cpuz: is not known here; did you mean cpus?"),
        ('cpus = "x"', "cpus: 'x' is not a set of CPUs"),
        ('size = 20', 'size: should name its unit, e.g. "20G"'),
        ('disks = { data = { size = 20 } }', 'disks: data.size: should name its unit, e.g. "20G"'),
        ('size = 0', "size: should be more than nothing"),
        ('size = "20"', "size: '20' is not a size: name the unit, e.g. 20G"),
        ('memory = "1M"', "memory: should be 64M or more"),
        ('hosts = { x = ["y"] }', "hosts: should have IP addresses on the left"),
        ('hosts = { "10.0.0.1" = "y" }', "hosts: 10.0.0.1: should be a list, not text"),
        ('graphics = "vga"', "graphics: 'vga' is not a valid Graphics"),
        ('seed = "no"', "seed: should be true or false, not text"),
        ('wait = "soon"', "wait: should be one of ip, ssh, cloud-init, agent"),
        ('steps = [{ run = "a", copy = "b" }]', "steps: [0] should say one of run, inline and copy"),
        ('steps = [{ copy = "b" }]', "steps: [0] should say copy and to together"),
        ('steps = [{ rum = "b" }]', "steps: [0].rum: is not known here; did you mean run?"),
        ('steps = [{ run = "a", user = "-x" }]', "steps: [0] user: '-x' is not an account's name"),
        ('steps = [{ run = "a", timeout = "5" }]', "steps: [0] timeout: '5' is not a time up to a "
         "day, such as 90s, 5m or 2h"),
        ('steps = [{ run = "a", dir = "srv" }]', "steps: [0] dir: should be a path in the guest"),
        ('steps = [{ copy = "a", to = "b", dir = "/" }]',
         "steps: [0] dir and ignore_errors are for run and inline"),
        ('steps = [{ run = "a", timeout = "25h" }]', "steps: [0] timeout: '25h' is not a time"),
        ('expand = "yes"', "expand: should be true or false, not text"),
        ('profile = 3', "profile: should be a list, not a whole number"),
        ('hostname = "${nam}"', "hostname: there is no variable 'nam'; known: ipv4, ipv6, mac, machine, ssh_key, tenant; "
         "a dollar is written $$"),
        ('hostname = "${nam"', "hostname: ${ has no }; a dollar is written $$"),
        ('slot = 0', "slot: should be a slot's number, from 1"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_told_in_its_place(line: str, says: str) -> None:
    (said,) = wrong(f"[machine.web]\n\n{line}\n", owner="alice")
    assert said.startswith(f"raptor.toml:3:1: machine.web.{says}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[machin.web]", ":1:1: machin: is not known here; did you mean machine?"),
        ("machine = 1", ":1:1: machine: should be a table"),
        ("[machine]\nweb = 1", ":2:1: machine.web: should be a table: [machine.web]"),
        ("[machine.web]", ":1:1: machine.web: does not say whose machine it is; "
         "write [machine.TENANT-web]"),
        ("[machine.alice-W]", ":1:1: machine.alice-W: 'W' is not a machine's name; "),
        ("[tenant.a-b]", ":1:1: tenant.a-b: 'a-b' is not a tenant's name; "),
        ("[tenant.al]\nquota = { ram = 1 }", ":2:1: tenant.al.quota: "),
        ("[tenant.al]\nquota = { machines = 4, memory = 16 }",
         ':2:1: tenant.al.quota: memory: should name its unit, e.g. "16G"'),
        ("[vars]\n\"a b\" = 1", ":2:1: vars.a b: is not a variable's name: "),
        ("[vars]\na = 1", ":2:1: vars.a: should be text"),
        ("name = 1", ":1:1: name: should be one line of text"),
        ('name = " a"', ":1:1: name: should be one line of text"),
        ("x = 1 2", ":1:7: is not TOML: Expected newline"),
        ("[a]\n[a]", ":2:3: is not TOML: Cannot declare"),
        ("x = '''", ":1: is not TOML: "),
        ("x = " + "[" * 2000, ": is nested too deeply"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_in_its_place(text: str, says: str) -> None:
    (said,) = wrong(text)
    assert said.startswith(f"raptor.toml{says}")


def test_each_size_of_a_quota_names_its_unit_or_is_nothing() -> None:
    said = wrong("[tenant.al]\nquota = { memory = 16, size = 200 }")
    assert [one.split(": ")[2] for one in said] == ["memory", "size"]
    (tenant,) = parse_raptor_file("[tenant.al]\nquota = { memory = 0 }", Reader("f")).tenants
    assert tenant.quota == Quota(memory=Size(0))


def test_all_that_is_wrong_is_told_at_once_in_order() -> None:
    said = wrong("[machine.alice-b]\nsize = 1.5\nwait = 3\n[machine.alice-a]\ncpuz = 1\n[foo]\n")
    assert [one.split(": ")[0] for one in said] == [f"raptor.toml:{n}:1" for n in (2, 3, 5, 6)]


def test_variables_have_one_another_and_a_machines_own_in_them() -> None:
    text = """
[vars]
proj = "x"
name = "${proj}-$${machine}-${machine}"
loud = "${told}"
[machine.alice-web]
image = "${name}"
steps = [{ inline = "deploy ${name} ${loud}" }]
"""
    (web,) = read(text, told="${proj}").machines
    assert web.said["image"] == "x-${machine}-web"
    assert web.steps == (FileStep(inline="deploy x-${machine}-web ${proj}"),)


def test_a_variable_that_stands_for_itself_is_told_once_where_it_stands() -> None:
    text = '[vars]\na = "${b}"\nb = "${a}"\n[machine.a-b]\nhostname = "${a}"\n'
    assert wrong(text) == (
        "raptor.toml:2:1: vars.a: stands for itself: a -> b -> a",
        "raptor.toml:3:1: vars.b: stands for itself: b -> a -> b",
    )
    doubled = "".join(f'v{n} = "${{v{n + 1}}}${{v{n + 1}}}"\n' for n in range(30))
    longer = wrong(f"[vars]\n{doubled}v30 = '{'x' * 99}'")[0]
    assert longer.endswith(": becomes longer than 1024 KiB")
    deep = "".join(f'v{n} = "${{v{n + 1}}}"\n' for n in range(60))
    assert "v0: goes through more than 50 others" in wrong(f"[vars]\n{deep}v60 = ''")[0]


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {"machine": "x"},
            "--var machine: is what each machine has by itself; choose another name",
        ),
        ({"nam": "x"}, "--var nam: is used by nothing here; did you mean name?"),
        ({"other": "x"}, "--var other: is used by nothing here; known: name"),
    ],
)
def test_a_variable_beside_the_file_that_nothing_uses_is_refused(
    variables: dict[str, str], says: str
) -> None:
    text = '[vars]\nname = "x"\n[machine.a-b]\nimage = "$${other}-${name}"\n'
    assert wrong(text, **variables) == (f"raptor.toml: {says}",)
    assert read(text, name="y").machines[0].said["image"] == "${other}-y"
    assert read(f"{text}expand = true\n", nam="y")  # a file that is put in may have it


def test_a_variable_is_not_called_as_what_a_machine_has_by_itself() -> None:
    said = "raptor.toml:2:1: vars.machine: is what each machine has by itself; choose another name"
    assert wrong('[vars]\nmachine = "x"\n[machine.a-b]\nhostname = "${machine}"\n') == (said,)


def test_each_wrong_disk_and_step_is_told_in_its_own_line() -> None:
    text = """[machine.web]
[machine.web.disks.data]
size = "1G"
[machine.web.disks.more]
size = "1X"
[machine.web.disks.last]
bus = "zz"
[[machine.web.steps]]
inline = "true"
[[machine.web.steps]]
inline = "true"
user = "-x"
[[machine.web.steps]]
run = "a"
inline = "b"
"""
    said = [one.removeprefix("raptor.toml:").partition("; ")[0] for one in wrong(text, "alice")]
    assert [one[: len(begins)] for one, begins in zip(said, TOLD, strict=True)] == TOLD


TOLD = [
    "5:1: machine.web.disks: more.size: ",
    "7:1: machine.web.disks: last.bus: ",
    "12:1: machine.web.steps: [1] user: ",
    "13:1: machine.web.steps: [2] should say one of run",
]


def test_what_is_wrong_in_the_defaults_is_told_once() -> None:
    assert len(wrong("[defaults]\nsize = 1.5\n[machine.a-b]\n[machine.a-c]\n")) == 1


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["4G", "1-2", "${machine}", "${", "ssh", "dhcp", "a.pub", ""]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["run", "copy", "to", "name", "remove", "x"]), inner, max_size=3
        ),
    ),
    max_leaves=6,
)
TABLES = st.dictionaries(st.sampled_from([*MACHINE_KEYS, "quota", "x"]), VALUES, max_size=4)
FILES = st.dictionaries(
    st.sampled_from(["name", "vars", "defaults", "tenant", "machine", "x"]),
    st.one_of(VALUES, TABLES, st.dictionaries(st.sampled_from(["alice-web", "web", "Ä"]), TABLES)),
)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else "inf"
    text = json.dumps(value)
    return text.replace("\x7f", "\\u007f") if isinstance(value, str) else text


@given(FILES)
def test_whatever_is_written_is_a_file_or_is_refused_with_a_place(data: dict[str, object]) -> None:
    text = "".join(f"{json.dumps(key)} = {as_toml(value)}\n" for key, value in data.items())
    for owner in ("", "alice"):
        try:
            read(text, owner)
        except FileError as error:
            assert all(one.startswith("raptor.toml:") for one in error.problems)
