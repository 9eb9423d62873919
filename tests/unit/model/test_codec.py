"""One codec for journal, settings and JSON output."""

import json

import pytest

from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.cpuset import CpuSet
from raptorctl.model.domain import Domain, Mark, State
from raptorctl.model.facts import Reservation
from raptorctl.model.settings import Settings
from raptorctl.model.sizes import Size
from tests.fakes import settings


def test_nouns_survive_json() -> None:
    mark = Mark("alice", "dev", 2, "j1", "2026-01-01T00:00:00Z", "carol", "virtio-console")
    nouns: list[object] = [
        Reservation("j1", "alice-dev", 2, CpuSet((7, 4))),
        Domain("u", "alice-dev", State.RUNNING, Size(1024), CpuSet((1,)), mark=mark),
        settings().slot[0],
    ]
    for noun in nouns:
        assert decode(type(noun), json.loads(json.dumps(encode(noun)))) == noun


def test_an_unknown_key_is_an_error_that_names_the_nearest_or_the_known_ones() -> None:
    with pytest.raises(ShapeError, match="did you mean dns"):
        decode(Settings, {"dnss": {}})
    with pytest.raises(ShapeError, match="dns, slot, storage"):
        decode(Settings, {"x": {}})
