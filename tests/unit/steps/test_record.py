"""Records: ours are added and deleted; others of the same name stay."""

from raptorctl.model.record import Record
from raptorctl.steps.record import AddRecords, RemoveRecords
from tests.fakes import World

NAME = "alice-dev.raptor.example."
OURS = (Record(NAME, "A", "198.51.100.1"), Record(NAME, "TXT", "heritage=raptorctl tenant=alice"))


def silently(done: int, total: int) -> None:
    """Nobody watches."""


def test_added_then_there_then_undone() -> None:
    world = World()
    step = AddRecords("r", "raptor.example.", OURS)
    assert not step.is_done(world.host())
    step.apply(world.host(), silently)
    assert step.is_done(world.host())
    step.undo(world.host(), silently)
    assert not world.zones.records


def test_without_our_mark_the_name_is_somebody_elses() -> None:
    world = World()
    world.zones.records.add(OURS[0])
    assert RemoveRecords("r", "raptor.example.", OURS).is_done(world.host())
    world.zones.records.add(OURS[1])
    assert not RemoveRecords("r", "raptor.example.", OURS).is_done(world.host())


def test_a_removal_is_undone_beside_what_others_have_at_the_name() -> None:
    world, foreign = World(), Record(NAME, "TXT", "v=spf1 -all")
    world.zones.records |= {*OURS, foreign}
    step = RemoveRecords("r", "raptor.example.", OURS)
    step.apply(world.host(), silently)
    assert world.zones.records == {foreign}
    step.undo(world.host(), silently)
    assert world.zones.records == {*OURS, foreign}


def test_titles_say_types_and_name() -> None:
    assert AddRecords("r", "raptor.example.", OURS).title == "add A TXT alice-dev.raptor.example"
    pointer = Record("1." + "0." * 15 + "1.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "PTR", NAME)
    assert AddRecords("r", "ip6.arpa.", (pointer,)).title == "add PTR 2001:db8:0:1::1"
    four = Record("7.100.51.198.in-addr.arpa.", "PTR", NAME)
    assert AddRecords("r", "in-addr.arpa.", (four,)).title == "add PTR 198.51.100.7"
