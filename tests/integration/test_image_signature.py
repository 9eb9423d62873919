"""Signed images: by a real ssh-keygen, from a real registry and from a folder."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from raptorctl.api import image_share
from raptorctl.drivers.image import Wanted
from raptorctl.errors import InputError, RaptorError, RefusedError
from raptorctl.host.image import signature as signing
from raptorctl.host.image.signature import sign
from raptorctl.model.catalogue import Catalogue
from raptorctl.model.error_code import Code
from raptorctl.model.image_source import parse_source
from raptorctl.read.image_statement import statement_of
from tests.disks import disk, raw_disk
from tests.images import Cache
from tests.integration.registry import Registry
from tests.integration.sshd import make_key
from tests.integration.test_image_folder import NEW, OLD, OneSession, built, push


@dataclass
class Shared:
    """A signed image in a folder, and another host that asks for signatures.

    Args:
        maker: the cache where it was built.
        folder: where it is shared.
        key: a private key.
        signers: the other host's list.
        other: its cache.
    """

    maker: Cache
    folder: Path
    key: Path
    signers: Path
    other: Cache

    @property
    def source(self) -> str:
        return f"{self.folder}/index.json#web"

    def share(self, when: str = OLD, *, seed: int = 1, called: str = "") -> str:
        """Build, sign and push; return the build."""
        made = raw_disk(self.folder.parent / "out", seed=seed)
        build = built(self.maker, made, when)
        session: Any = OneSession(self.maker)
        image_share.sign(session, "web", str(self.key), called=called)
        push(self.maker, "web", str(self.folder))
        return build

    def trust(self, options: str = "", key: str = "") -> None:
        """Let a key sign."""
        public = key or self.key.with_suffix(".pub").read_text()
        self.signers.write_text(f"carol@example.org {options} {public}\n")

    def refused(self, said: str, code: Code) -> None:
        """It is not pulled, for this reason, and nothing of it is left."""
        before = self.other.left("files", "names")
        with pytest.raises(RefusedError, match=said) as caught:
            self.other.pull(self.source, refresh=True)
        assert caught.value.code is code
        assert self.other.left("files", "names") == before
        assert self.other.left("partial") == []


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    make_key(tmp_path / "key")
    signers = tmp_path / "image_signers"
    one = Shared(
        Cache(tmp_path / "maker"),
        tmp_path / "images",
        tmp_path / "key",
        signers,
        Cache(tmp_path / "other", signers=signers),
    )
    one.trust()
    return one


def paper(shared: Shared, ending: str) -> Path:
    (found,) = shared.folder.glob(f"web@*{ending}")
    return found


def test_what_a_known_signer_signed_comes_in(shared: Shared) -> None:
    build = shared.share()
    done = shared.other.pull(shared.source)
    assert done.image.short == build
    known = shared.other.images.reference(done.image)
    assert known and known.paper.signer == "carol@example.org"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"digest": "e" * 64},
            "is not what is said of it: sha256 should be eeeeeeeeeeee..., and is",
        ),
        ({"size": 1}, "is not what is said of it: it should have 1 bytes, and has "),
    ],
)
def test_a_statement_of_another_file_is_refused_signed_or_not(
    shared: Shared, change: dict[str, Any], said: str
) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    push(shared.maker, "web", str(shared.folder))
    restate(paper(shared, ".json"), change)
    shared.signers.unlink()
    shared.refused(said, Code.CHECKSUM_DIFFERS)
    wanted = Wanted(parse_source(shared.source, Catalogue(), "/"))
    with pytest.raises(RefusedError, match=said):
        shared.other.images.foresee(wanted)


def restate(path: Path, change: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_what_is_signed_is_what_is_here_and_no_word_of_a_stranger(
    shared: Shared, tmp_path: Path
) -> None:
    built(shared.maker, disk(tmp_path / "out"), OLD)
    push(shared.maker, "web", str(shared.folder))
    restate(paper(shared, ".json"), {"format": "vmdk", "serial": (1 << 63) - 1})
    shared.signers.unlink()
    image = shared.other.pull(shared.source).image
    # An older raptorctl took statements of other files.
    name = shared.other.directory / "names" / "web.json"
    known = json.loads(name.read_text())
    told = json.loads(known["paper"]["text"]) | {"digest": "e" * 64, "size": 1}
    name.write_text(json.dumps(known | {"paper": {"text": json.dumps(told)}}))
    session: Any = OneSession(shared.other)
    _, said = image_share.sign(session, "web", str(shared.key))
    assert (said.digest, said.size) == (image.digest, Path(image.path).stat().st_size)
    assert (said.format, said.made, said.built) == ("qcow2", image.pulled, None)
    assert said.serial < 1 << 62


def test_how_it_was_built_is_signed_on_where_a_known_signer_said_so(shared: Shared) -> None:
    shared.share()
    shared.other.pull(shared.source)
    session: Any = OneSession(shared.other)
    for _ in range(2):
        _, said = image_share.sign(session, "web", str(shared.key))
        assert said.built and said.built.who == "carol"
        assert said.made == OLD


def test_a_signature_of_another_file_is_not_pushed_on(shared: Shared, tmp_path: Path) -> None:
    shared.share()
    shared.other.pull(shared.source)
    name = shared.other.directory / "names" / "web.json"
    known = json.loads(name.read_text())
    known["paper"]["text"] = json.dumps(json.loads(known["paper"]["text"]) | {"digest": "e" * 64})
    name.write_text(json.dumps(known))
    with pytest.raises(RefusedError, match="signed of web is another file: build eeeeeeeeeeee"):
        push(shared.other, "web", str(tmp_path / "mirror"))


def test_ssh_keygen_agrees_by_hand(shared: Shared) -> None:
    """As the documentation says."""
    shared.share()
    argv = ["ssh-keygen", "-Y", "verify", "-n", "raptorctl-image", "-I", "carol@example.org"]
    argv += ["-f", str(shared.signers), "-s", str(paper(shared, ".json.sig"))]
    with paper(shared, ".json").open("rb") as text:
        done = subprocess.run(argv, stdin=text, capture_output=True, check=False)
    assert done.returncode == 0


def test_what_nobody_signed_is_refused_unless_it_is_allowed(shared: Shared) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    push(shared.maker, "web", str(shared.folder))
    shared.refused("is not signed, and .*image_signers asks for it", Code.IMAGE_UNSIGNED)
    assert shared.other.pull(shared.source, unsigned=True).outcome == "pulled"


def test_a_dry_run_tells_what_a_pull_would_refuse(shared: Shared, tmp_path: Path) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    push(shared.maker, "web", str(shared.folder))
    for text in (shared.source, str(disk(tmp_path / "web.qcow2"))):
        wanted = Wanted(parse_source(text, Catalogue(), "/"))
        with pytest.raises(RefusedError, match="is not signed"):
            shared.other.images.foresee(wanted)


def test_a_file_is_unsigned_too(shared: Shared, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"web\.qcow2 is not signed"):
        shared.other.pull(str(disk(tmp_path / "web.qcow2")))
    assert shared.other.pull(str(tmp_path / "web.qcow2"), unsigned=True).outcome == "pulled"


def test_without_a_list_nothing_need_be_signed(shared: Shared) -> None:
    shared.share()
    shared.signers.unlink()
    assert shared.other.pull(shared.source).outcome == "pulled"


def test_an_empty_list_trusts_nobody(shared: Shared) -> None:
    shared.share()
    shared.signers.write_text("")
    shared.refused("is signed by nobody who is known here: SHA256:", Code.SIGNER_UNKNOWN)


def test_a_signer_who_is_not_known_is_refused(shared: Shared, tmp_path: Path) -> None:
    shared.share()
    shared.trust(key=str(make_key(tmp_path / "another")))
    shared.refused("is signed by nobody who is known here: SHA256:", Code.SIGNER_UNKNOWN)
    with pytest.raises(RefusedError):  # a wrong signature is worse than none
        shared.other.pull(shared.source, unsigned=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ('valid-before="20200101"', "has expired as a signer's"),
        ('valid-after="20900101"', "is not yet a signer's"),
    ],
)
def test_a_signer_whose_time_it_is_not_is_refused(shared: Shared, options: str, said: str) -> None:
    shared.share()
    shared.trust(options)
    shared.refused(said, Code.SIGNER_EXPIRED)


def test_a_signature_for_something_else_is_refused(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(signing, "NAMESPACE", "file")
        shared.share()
    shared.refused("is signed for 'file', and not as an image", Code.SIGNATURE_NAMESPACE)


def test_a_list_may_say_what_a_key_is_for(shared: Shared) -> None:
    shared.share()
    shared.trust('namespaces="git"')
    shared.refused("is signed by nobody who is known here", Code.SIGNER_UNKNOWN)


@pytest.mark.parametrize(
    "before",
    ['dave@example.org namespaces="git"', 'carol@example.org namespaces="git"',
     'dave@example.org valid-before="20200101"', "# of the house\n\nerin@example.org nonsense"],
)  # fmt: skip
def test_any_line_of_a_list_may_let_a_key_sign(shared: Shared, before: str) -> None:
    shared.share()
    shared.trust('namespaces="raptorctl-image"')
    public = shared.key.with_suffix(".pub").read_text()
    shared.signers.write_text(f"{before} {public}\n{shared.signers.read_text()}")
    known = shared.other.images.reference(shared.other.pull(shared.source).image)
    assert known and known.paper.signer == "carol@example.org"


def test_no_line_of_a_list_lets_a_changed_text_in(shared: Shared) -> None:
    shared.share()
    public = shared.key.with_suffix(".pub").read_text()
    shared.signers.write_text(f'dave namespaces="git" {public}\ncarol {public}\n')
    restate(paper(shared, ".json"), {"expires": "2090-01-01T00:00:00Z"})
    shared.refused("the signature is not of what .* says", Code.SIGNATURE_INVALID)


def test_a_statement_that_changed_is_refused(shared: Shared) -> None:
    shared.share()
    text = paper(shared, ".json")
    text.write_text(text.read_text().replace('"expires": ""', '"expires": "2090-01-01T00:00:00Z"'))
    shared.refused("the signature is not of what .* says", Code.SIGNATURE_INVALID)


def test_other_bytes_with_an_index_that_fits_them_are_refused(shared: Shared) -> None:
    """Whoever can write in the folder can change the image and the index, and not the signature."""
    import hashlib

    shared.share()
    image = paper(shared, ".raw")
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    index = json.loads((shared.folder / "index.json").read_text())
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    index["images"][0] |= {"digest": digest, "build": digest[:12]}
    (shared.folder / "index.json").write_text(json.dumps(index))
    shared.refused("is not what was signed: sha256 should be", Code.SIGNATURE_INVALID)


def test_a_true_signature_of_another_image_is_refused(shared: Shared) -> None:
    shared.share(called="db")
    index = json.loads((shared.folder / "index.json").read_text())
    index["images"][0]["name"] = "web"
    (shared.folder / "index.json").write_text(json.dumps(index))
    shared.refused("is signed as db, which is another image", Code.SIGNATURE_INVALID)


def test_an_older_version_never_takes_the_place_of_a_newer_one(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = shared.share()
    before = {path: path.read_bytes() for path in shared.folder.iterdir()}
    new = shared.share(NEW, seed=2)
    assert shared.other.pull(shared.source).image.short == new
    for path in shared.folder.iterdir():
        path.unlink()
    for path, body in before.items():
        path.write_bytes(body)
    shared.refused("gives an older version than the one here: serial", Code.IMAGE_OLDER)
    assert shared.other.pull(f"{shared.source}@{old}").image.short == old


def resign(shared: Shared, serial: int, expires: str = "") -> None:
    """Have the folder's image signed with a serial, as if it had been signed then."""
    text = paper(shared, ".json")
    restate(text, {"serial": serial, "expires": expires})
    paper(shared, ".json.sig").write_text(sign(text.read_text(), str(shared.key)))


def test_what_comes_anew_with_an_image_that_is_here_is_kept(shared: Shared, tmp_path: Path) -> None:
    """Else an older version would take its place once a newer one has the same file."""
    build = shared.share()
    resign(shared, 1000)
    for name in ("", "mine"):
        assert shared.other.pull(shared.source, name=name).image.short == build
    resign(shared, 3000, "2090-01-01T00:00:00Z")
    assert shared.other.pull(shared.source, refresh=True).outcome == "already here"
    for image in shared.other.images.known():
        known = shared.other.images.reference(image)
        assert known and known.paper.signer == "carol@example.org"
        said = statement_of(known)
        assert (said.serial, said.expires) == (3000, "2090-01-01T00:00:00Z")
    for path in shared.folder.iterdir():
        path.unlink()
    built(shared.maker, disk(tmp_path / "another"), NEW)
    session: Any = OneSession(shared.maker)
    image_share.sign(session, "web", str(shared.key))
    push(shared.maker, "web", str(shared.folder))
    resign(shared, 2000)
    shared.refused("serial 2000, and 3000 is here", Code.IMAGE_OLDER)


def test_a_signature_gives_way_to_no_paper_without_one(shared: Shared) -> None:
    shared.share()
    image = shared.other.pull(shared.source).image
    before = shared.other.images.reference(image)
    paper(shared, ".json.sig").unlink()
    restate(paper(shared, ".json"), {"serial": (1 << 63) - 1})
    index = shared.folder / "index.json"
    listed = json.loads(index.read_text())
    listed["images"][0]["signature"] = ""
    index.write_text(json.dumps(listed))
    done = shared.other.pull(shared.source, refresh=True, unsigned=True)
    assert done.outcome == "already here"
    assert shared.other.images.reference(image) == before


def test_a_registry_s_later_signature_is_kept_too(shared: Shared, running: Registry) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    target = f"oci://{running.address}/web:1"
    session: Any = OneSession(shared.maker)
    push(shared.maker, "web", target)
    shared.other.pull(target, unsigned=True)
    image_share.sign(session, "web", str(shared.key))
    push(shared.maker, "web", target)
    image = shared.other.pull(target, refresh=True).image
    known = shared.other.images.reference(image)
    assert known and known.paper.signer == "carol@example.org"


def test_what_was_signed_until_a_day_that_is_over_is_refused(shared: Shared) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    session: Any = OneSession(shared.maker)
    image_share.sign(session, "web", str(shared.key), expires="2020-01-01")
    push(shared.maker, "web", str(shared.folder))
    shared.refused("what is said of .* has expired on 2020-01-01", Code.IMAGE_EXPIRED)


def test_what_is_no_signature_at_all_is_refused(shared: Shared) -> None:
    shared.share()
    paper(shared, ".json.sig").write_text("trust me\n")
    with pytest.raises(RaptorError, match="its signature is not one of ssh-keygen's"):
        shared.other.pull(shared.source)
    assert shared.other.names == []


def test_a_key_that_is_none_signs_nothing(shared: Shared, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("no key\n")
    with pytest.raises(InputError, match="does not sign: "):
        sign("text", str(tmp_path / "none"))
    with pytest.raises(InputError, match="cannot be read: No such file"):
        sign("text", str(tmp_path / "missing"))


def test_what_was_pulled_signed_is_pushed_on_as_it_was_signed(
    shared: Shared, tmp_path: Path
) -> None:
    shared.share()
    shared.other.pull(shared.source)
    mirror = tmp_path / "mirror"
    push(shared.other, "web", str(mirror))
    signed = (paper(shared, ".json"), paper(shared, ".json.sig"))
    assert [(mirror / path.name).read_bytes() for path in signed] == [
        path.read_bytes() for path in signed
    ]


def test_a_signature_goes_through_a_registry(shared: Shared, running: Registry) -> None:
    build = built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    target = f"oci://{running.address}/team/web:1"
    session: Any = OneSession(shared.maker)
    push(shared.maker, "web", target)
    with pytest.raises(RefusedError, match="is not signed"):
        shared.other.pull(target)
    image_share.sign(session, "web", str(shared.key))
    assert push(shared.maker, "web", target).outcome == "pushed"
    for place in (target, f"{target}-{build}"):
        assert shared.other.pull(place).image.short == build


def test_no_signature_goes_by_another_name_into_a_registry(
    shared: Shared, running: Registry
) -> None:
    built(shared.maker, disk(shared.folder.parent / "out"), OLD)
    session: Any = OneSession(shared.maker)
    image_share.sign(session, "web", str(shared.key))
    with pytest.raises(RefusedError, match=r"it is signed as web, and .* would call it db:1"):
        push(shared.maker, "web", f"oci://{running.address}/db:1")
    image_share.sign(session, "web", str(shared.key), called="db:1")
    push(shared.maker, "web", f"oci://{running.address}/db:1")
    assert shared.other.pull(f"oci://{running.address}/db:1").image.name == "db:1"
