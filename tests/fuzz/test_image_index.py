"""What servers say of images: read as meant or refused in one line, whatever it is."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import RaptorError
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.image_index import ImageIndex, entry_of
from raptorctl.model.image_source import parse_source
from raptorctl.model.image_target import parse_target
from raptorctl.model.image_version import Provenance, Statement
from raptorctl.read.image_index import parse_index
from raptorctl.read.image_statement import parse_statement
from raptorctl.read.simplestreams import disks_of, is_streams, product_files
from raptorctl.read.ssh_signature import parse_signature
from raptorctl.render.image_statement import index_text, statement_text
from tests.fuzz import texts
from tests.fuzz.tally import tried
from tests.unit.read.test_simplestreams import INCUS, INDEX, UBUNTU

MADE = "2026-11-20T12:00:00Z"
BUILT = Provenance("debian:13", "ab" * 32, "cd" * 32, "carol", MADE, "0.1.0")
SAID = Statement("web:1", "ef" * 32, 1000, "qcow2", MADE, 7, "2027-01-01T00:00:00Z", BUILT)
LISTED = ImageIndex(8, "", (entry_of(SAID, signed=True),))
SIGNED = """-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgTRX70NZkNOi1hMdurvKzRs8Y+Z
jv2TFUElJEgLc2G54AAAAPcmFwdG9yY3RsLWltYWdlAAAAAAAAAAZzaGE1MTIAAABTAAAA
C3NzaC1lZDI1NTE5AAAAQLC2uTDEDhGrYmcu5DjT3e6lwcbMPbf5ED2fhK0Mik1tweZR0V
gtOF/TfKdX36cavi+uQL4NpnxR+hPDM5AQFwo=
-----END SSH SIGNATURE-----
"""
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
GOOD = [statement_text(SAID), index_text(LISTED), *map(json.dumps, (INCUS, UBUNTU, INDEX))]


def bent_tables(good: str) -> st.SearchStrategy[str]:
    """A document with any value at one of its keys, at any depth."""
    places = list(_places(json.loads(good)))

    def put(where: tuple[Any, ...], value: Any) -> str:
        data = json.loads(good)
        inner = data
        for key in where[:-1]:
            inner = inner[key]
        inner[where[-1]] = value
        return json.dumps(data)

    return st.builds(put, st.sampled_from(places), VALUES)


def _places(data: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(data, dict | list):
        return []
    found: list[tuple[Any, ...]] = []
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        found += [(*way, key), *_places(value, (*way, key))]
    return found


def refused_in_a_line(read: Callable[[], Any]) -> Any:
    tried("what is said of images")
    try:
        return read()
    except RaptorError as error:
        assert "\n" not in error.brief
        assert error.brief.isprintable()
        assert len(error.brief) < 1000


DOCUMENTS = st.one_of(
    *map(bent_tables, GOOD), texts.bent(st.sampled_from(GOOD)), st.text(), texts.anything
)


@given(text=DOCUMENTS)
def test_whatever_a_server_says(text: str) -> None:
    raw = text.encode(errors="surrogateescape")
    said = refused_in_a_line(lambda: parse_statement(raw, "there"))
    if said:
        assert parse_statement(statement_text(said).encode(), "there") == said
    index = refused_in_a_line(lambda: parse_index(raw, "there"))
    for entry in index.images if index else ():
        assert not {"/", "\0", "\n"} & set(entry.file + entry.statement + entry.signature)
        assert entry.size > 0
    is_streams(raw)
    for path in refused_in_a_line(lambda: product_files(raw, "there")) or ():
        assert ".." not in path.split("/")
    for what in ("debian/13/cloud", "noble", ""):
        disks = refused_in_a_line(lambda what=what: disks_of(raw, "there", what, ""))  # type: ignore[misc]
        for found in disks or ():
            assert ".." not in found.path.split("/")
            assert not found.path.startswith("/")


@given(text=st.one_of(texts.bent(st.just(SIGNED)), texts.anything))
def test_any_signature(text: str) -> None:
    refused_in_a_line(lambda: parse_signature(text))


WHERE = st.sampled_from(
    ["ssh://h/a#web", "https://h/a/index.json#web@655d40f4f3f3", "/a/index.json#web:1",
     "ssh://u@h:22/a b", "oci://h/a:1", "./a", "https://h/streams/v1/index.json#debian/13"]
)  # fmt: skip


@given(text=texts.nearly(WHERE))
def test_any_place(text: str) -> None:
    target = refused_in_a_line(lambda: parse_target(text, "web", "/here"))
    if target and target.place:
        assert target.place.folder.startswith("/")
        assert not target.place.host.startswith("-")
        assert not target.place.user.startswith("-")
    source = refused_in_a_line(lambda: parse_source(text, Catalogue(), "/here"))
    if source:
        assert "/" not in source.name
