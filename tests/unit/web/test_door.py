"""Links of one use, and the visits that come of them."""

from raptorctl.web.door import IDLE_SECONDS, LINK_SECONDS, MOST, Door


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_link_works_once() -> None:
    door = Door()
    link = door.link("carol")
    cookie = door.enter(link)
    assert cookie is not None
    visit = door.visit(cookie)
    assert visit is not None
    assert visit.who == "carol"
    assert door.enter(link) is None


def test_a_link_is_good_for_a_minute() -> None:
    clock = Clock()
    door = Door(clock)
    late, early = door.link("carol"), door.link("carol")
    clock.now += LINK_SECONDS - 1
    assert door.enter(early) is not None
    clock.now += 1
    assert door.enter(late) is None


def test_a_cookie_that_we_did_not_make_is_nobodys() -> None:
    door = Door()
    assert door.visit("") is None
    assert door.visit("chosen-by-somebody-else") is None
    first = door.enter(door.link("carol"))
    assert first != door.enter(door.link("carol"))


def test_a_visit_ends_when_nobody_uses_it() -> None:
    clock = Clock()
    door = Door(clock)
    used, idle = door.enter(door.link("carol")), door.enter(door.link("dave"))
    assert used
    assert idle
    left = door.visit(idle)
    clock.now += IDLE_SECONDS - 1
    assert door.visit(used)
    clock.now += 1
    assert door.visit(used)
    assert door.visit(idle) is None
    assert left
    assert left.over.is_set()


def test_ending_a_visit_ends_what_is_open_for_it() -> None:
    door = Door()
    cookie = door.enter(door.link("carol"))
    assert cookie
    visit = door.visit(cookie)
    assert visit
    assert door.end(lambda one: one.id == visit.id) == 1
    assert visit.over.is_set()
    assert (door.visit(cookie), door.visits) == (None, ())


def test_neither_links_nor_visits_fill_the_memory() -> None:
    door = Door()
    first = door.link("carol")
    for _ in range(MOST):
        door.link("carol")
    assert door.enter(first) is None
    for _ in range(MOST + 1):
        assert door.enter(door.link("carol"))
    assert len(door.visits) == MOST


def test_neither_links_nor_cookies_are_kept_as_they_are() -> None:
    door = Door()
    link = door.link("carol")
    cookie = door.enter(door.link("carol"))
    assert cookie
    kept = repr(vars(door))
    assert link not in kept
    assert cookie not in kept
