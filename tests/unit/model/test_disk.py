"""Disks as people write them."""

import pytest

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.disk import Bus, DiskSpec, read_disk, read_disks
from raptorctl.model.names import MachineName, parse_disk_words, split_disk
from raptorctl.model.profile import parse_profile
from raptorctl.model.sizes import GIB, Size
from raptorctl.model.spec import MachineSpec


def test_a_disk_is_read_with_all_that_may_be_said_of_it() -> None:
    assert read_disk("data=100G") == ("data", DiskSpec(Size(100 * GIB)))
    assert read_disk("data=1G,keep,image=debian:13,bus=scsi") == (
        "data", DiskSpec(Size(GIB), keep=True, image="debian:13", bus=Bus.SCSI),
    )  # fmt: skip
    assert read_disk("work=keep:dev.data")[1] == DiskSpec(kept="dev.data")
    assert read_disk("work=keep:dev.data")[1].outlives


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("data", "is no disk: write e.g. data=100G"), ("=1G", "is not a disk's name"),
        ("data=", "is no disk"), ("data=1", "name the unit"), ("data=0G", "is nothing"),
        ("Data=1G", "is not a disk's name"), ("a.b=1G", "is not a disk's name"),
        ("d" * 21 + "=1G", "at most 20"), ("qcow2=1G", "is reserved"),
        ("raptor-seed=1G", "is reserved"), ("data=1G,kept", "says nothing of a disk"),
        ("data=1G,bus=floppy", "bus=virtio|scsi|sata"), ("data=1G,image=", "not a valid image"),
        ("data=keep:data", "write MACHINE.DISK"), ("data=keep:", "is not a size"),
        ("data=keep:dev.data,image=a", "has its size and its bytes already"),
    ],
)  # fmt: skip
def test_what_is_no_disk_is_bad_input(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_disks([text])
    assert says in str(caught.value)


def test_one_name_is_one_disk() -> None:
    with pytest.raises(InputError, match="disk data is named twice"):
        read_disks(["data=1G", "data=2G"])


@pytest.mark.parametrize(
    "words",
    [["alice", "dev", "data"], ["alice-dev", "data"], ["alice", "dev.data"], ["alice-dev.data"]],
)
def test_a_disk_is_named_behind_its_machine(words: list[str]) -> None:
    assert parse_disk_words(words) == (MachineName("alice", "dev"), "data")


@pytest.mark.parametrize("words", [[], ["alice"], ["alice", "dev"], ["alice", "dev", "a", "b"],
                                   ["alice-dev", "a.b"], ["alice", "dev", "A"]])  # fmt: skip
def test_what_names_no_disk_is_bad_input(words: list[str]) -> None:
    with pytest.raises(InputError):
        parse_disk_words(words)


def test_names_tell_machine_and_disk_apart() -> None:
    ours = MachineName("alice", "dev-a").disk("b-c")
    assert split_disk(ours) == (MachineName("alice", "dev-a"), "b-c")
    for other in ("disk-alice-dev", "guest-alice-dev.b", "disk-.b", "disk-alice-dev.B", "disk"):
        assert split_disk(other) is None


def test_a_profile_has_disks_as_tables_and_what_is_typed_lies_over_them_by_name() -> None:
    text = '[disks.data]\nsize = "100G"\nkeep = true\n\n[disks.swap]\nsize = "1G"\nbus = "scsi"\n'
    below = parse_profile(text, "x.toml").spec
    assert below.disks == {
        "data": DiskSpec(Size(100 * GIB), keep=True), "swap": DiskSpec(Size(GIB), bus=Bus.SCSI),
    }  # fmt: skip
    typed = MachineSpec(disks=read_disks(["data=5G", "more=2G"])).over(below)
    assert [(name, str(one.size)) for name, one in (typed.disks or {}).items()] == [
        ("data", "5G"), ("swap", "1G"), ("more", "2G"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[disks.A]\nsize='1G'", "is not a disk's name"),
        ("[disks.a]\nkeep=true", "a: should have a size, or name a kept disk"),
        ("[disks.a]\nsize='1G'\nbus='ide'", "disks.a.bus"),
        ("[disks.a]\nsize='1G'\nkept='dev.b'", "a: a kept disk has its size"),
        ("\n".join(f"[disks.a{n}]\nsize='1G'" for n in range(25)), "should be 24 at most"),
    ],
)
def test_a_profile_that_says_no_disk_is_refused(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_profile(text, "x.toml")
    assert says in str(caught.value)
