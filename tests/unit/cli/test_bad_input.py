"""Everything that cannot be right: one line, exit code 2 or 3, nothing touched."""

import pytest

from tests.fakes import World
from tests.unit.cli.session import CommandLine

GOOD = {"--size": "40G", "--cpus": "4-7"}

NAMES = [
    "alice", "Alice-dev", "al.ice-dev", "1alice-dev", "-alice-dev", "alice-", "alice--dev",
    "alice-dev-", "alice-Dev", "alice-dev\n", "alice-d\x00", "alice-../etc", "alice-dev/x",
    "alice-дев", "alice-\u202edev", "root-dev", "libvirt-dev", "alice-del-x", "alice-wipe-x",
    "alice-xn--80ak6aa92e", "alicealicealicealice-dev", f"alice-{'x' * 41}", "", " ", "alice-*",
    "alice-dev.example", "$(reboot)-dev", "\x1b[2J-dev",
]  # fmt: skip
SIZES = [
    "0", "0G", "-1G", "40", "1e9", "NaN", "0x10G", "٤٠G", "10GB", "10 G", "10g", "1.5G", "",
    "99999999999999999999T", "4611686018427387905T", "G", "+4G", "4G\n",
]  # fmt: skip
CPUS = [
    "", "3-1", "4,4", "4-7,5", "0-4294967295", "99999", "a", "4-", "-4", "4..7", "^4", "4-7,^4-7",
    " 4", "4 ", "4\n", "4-7-9", "٤", "4;5",
]  # fmt: skip
SLOTS = ["-1", "1.5", "x", "", "99999999999", "1 ", "٣", "AUTO"]
TEMPLATES = ["../etc/passwd", "a/b", "", "Virtio", "x" * 65, "virtio console"]


def provision(raptorctl: CommandLine, *name: str, **options: str) -> tuple[int, str]:
    given = {**GOOD, **{f"--{key}": value for key, value in options.items()}}
    typed = [f"{option}={value}" for option, value in given.items()]
    done = raptorctl("provision", *typed, "--", *(name or ("alice", "dev")))
    assert done.out == ""
    return done.code, done.complaint


@pytest.mark.parametrize("name", NAMES)
def test_names(raptorctl: CommandLine, world: World, name: str) -> None:
    code, complaint = provision(raptorctl, name)
    assert code == 2
    assert complaint.startswith("raptorctl: ")
    assert complaint.isprintable()
    assert not world.volumes.list()


@pytest.mark.parametrize("words", [["alice", "dev", "x"], ["alice", "-dev"], ["", "dev"]])
def test_words(raptorctl: CommandLine, words: list[str]) -> None:
    assert provision(raptorctl, *words)[0] == 2


@pytest.mark.parametrize(
    ("words", "says"), [(["b-b", "web"], "no hyphen"), (["bob", "../x"], "machine's name")]
)
def test_a_name_that_cannot_be_is_told_which_part(
    raptorctl: CommandLine, words: list[str], says: str
) -> None:
    code, complaint = provision(raptorctl, *words)
    assert (code, says in complaint) == (2, True)


@pytest.mark.parametrize("option", ["size", "memory"])
@pytest.mark.parametrize("text", SIZES)
def test_sizes(raptorctl: CommandLine, option: str, text: str) -> None:
    code, complaint = provision(raptorctl, **{option: text})
    assert code == 2
    assert complaint.startswith(f"raptorctl: --{option}: ")
    assert complaint.isprintable()


def test_a_size_without_unit_gets_the_hint(raptorctl: CommandLine) -> None:
    assert provision(raptorctl, size="40")[1].endswith("name the unit, e.g. 40G")


@pytest.mark.parametrize("text", CPUS)
def test_cpus(raptorctl: CommandLine, text: str) -> None:
    code, complaint = provision(raptorctl, cpus=text)
    assert code == 2
    assert complaint.startswith("raptorctl: --cpus: ")


@pytest.mark.parametrize("text", SLOTS)
def test_slots(raptorctl: CommandLine, text: str) -> None:
    assert provision(raptorctl, slot=text)[0] == 2


@pytest.mark.parametrize("text", TEMPLATES)
def test_templates(raptorctl: CommandLine, text: str) -> None:
    assert provision(raptorctl, template=text)[0] == 2


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"size": "999G"}, 3, "200G free"),
        ({"memory": "999G"}, 3, "the host has 16G"),
        ({"cpus": "4-9"}, 3, "CPU 8,9 is absent or offline"),
        ({"cpus": "1-4"}, 3, "CPU 1 is kept for the host"),
        ({"slot": "9"}, 2, "there is no slot 9"),
        ({"template": "none"}, 2, "there is no template none"),
    ],
)
def test_what_this_host_lacks(
    raptorctl: CommandLine, world: World, options: dict[str, str], code: int, said: str
) -> None:
    ended, complaint = provision(raptorctl, **options)
    assert ended == code
    assert said in complaint
    assert not world.volumes.list()


@pytest.mark.parametrize(
    "typed",
    [
        ["bogus"],
        ["--bogus"],
        ["provision"],
        ["provision", "alice", "dev"],
        ["provision", "alice", "dev", "--size", "40G"],
        ["provision", "alice", "dev", "--size"],
        ["provision", "alice", "dev", "--size", "40G", "--cpus", "4-4", "-o", "yaml"],
        ["show"],
        ["show", "alice"],
        ["list", "a-b"],
        ["list", "a", "b"],
        ["slot"],
        ["cpu", "list"],
        ["job", "show"],
        ["job", "show", "20"],
        ["job", "show", ""],
        ["recover", "nothing"],
        ["recover", "--abandon"],
        ["--settings"],
        ["\x1b[2J\udce4"],
    ],
)
def test_usage(raptorctl: CommandLine, typed: list[str]) -> None:
    done = raptorctl(*typed)
    assert done.code == 2
    assert done.complaint.startswith("raptorctl: ")
    assert done.complaint.isprintable()
    assert done.out == ""


def test_a_machine_that_is_not_there(raptorctl: CommandLine) -> None:
    done = raptorctl("show", "alice", "dev")
    assert done.code == 3
    assert done.complaint == ("raptorctl: no such machine: alice-dev: see `raptorctl list`")
