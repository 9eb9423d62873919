"""One account's connections do not take another's room."""

from raptorctl.relay.room import ALL, BURST, EACH, Room


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def entered(room: Room, uid: int, tries: int) -> int:
    count = 0
    for number in range(tries):
        if room.admits(uid):
            room.enter(uid, uid * 1000 + number)
            count += 1
    return count


def test_a_tenant_has_a_few_connections_and_gets_them_back() -> None:
    room = Room(lambda uid: uid == 0, Clock())
    assert entered(room, 5, 20) == EACH
    room.leave(5000)
    assert room.admits(5)
    assert entered(room, 6, 3) == 3


def test_all_tenants_together_leave_root_its_room() -> None:
    room = Room(lambda uid: uid == 0, Clock())
    assert sum(entered(room, uid, EACH) for uid in range(1, 100)) == ALL
    assert not room.admits(500)
    assert room.admits(0)


def test_a_storm_is_refused_until_it_pauses() -> None:
    clock = Clock()
    room = Room(lambda _: False, clock)
    assert sum(room.admits(5) for _ in range(200)) == BURST
    assert room.admits(6)
    clock.now += 1
    assert room.admits(5)
