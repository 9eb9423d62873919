"""`render makefile`: machines of a session host as folders that need nothing of raptorctl."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from raptorctl.host.system import caller
from raptorctl.model.image import Image
from raptorctl.model.sizes import Size
from raptorctl.render.standing import from_cache
from tests.session_host import SessionWorld
from tests.unit.cli.session import CommandLine, Result
from tests.unit.cli.test_export import own
from tests.unit.render.fake_tools import Provisioned
from tests.unit.render.test_provisioner import check_shell

__all__ = ["own"]

DISKS = ("--disk", "data=1G,keep", "--disk", "more=2G,bus=sata")


@pytest.fixture
def home(own: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setattr(caller, "caller", lambda: None)
    assert isinstance(own.world, SessionWorld)
    own.world.image = replace(own.world.image, digest=hashlib.sha256(b"image\n").hexdigest())
    own.world.images.all = (own.world.image,)
    words = ("--image", "debian:13", "--size", "4G", "--memory", "1G", *DISKS, "--no-start", "-y")
    done = own("provision", "web", *words)
    assert done.code == 0, done.err
    return own


def rendered(home: CommandLine, *words: str) -> Result:
    done = home("render", "makefile", *words)
    assert (done.code, done.out) == (0, ""), done.err
    return done


def folder(name: str, tmp_path: Path) -> Provisioned:
    found = Provisioned(Path(name).absolute(), tmp_path / "state")
    virsh = found.state / "bin/virsh"
    # The definition is the domain: its UUID is what it says.
    virsh.write_text(
        virsh.read_text()
        .replace("domains/vm1", "domains/alice-web")
        .replace("#!/bin/sh\n", '#!/bin/sh\n[ "$1" = domuuid ] && { sed -n '
                 '"s|.*<uuid>\\(.*\\)</uuid>.*|\\1\\n|p" "$FAKE/domains/$2"; exit; }\n')
    )  # fmt: skip
    return found


def test_its_definition_is_the_same_but_for_its_uuid_its_mark_and_where_disks_are(
    home: CommandLine,
) -> None:
    done = rendered(home, "web")
    assert done.err == "".join(
        f"Generated web/{name}\n"
        for name in ("Makefile", "vm.sh", "domain.xml", "known_hosts", "seed.iso.d/meta-data",
                     "seed.iso.d/user-data", "seed.iso.d/network-config")
    )  # fmt: skip
    (domain,) = home.world.domains.list()
    text = Path("web/domain.xml").read_text()
    root = etree.fromstring(text)
    assert root.findtext("name") == "alice-web"
    assert root.findtext("uuid") not in {None, domain.uuid}
    assert "raptor:" not in text
    assert str(home.directory) not in text
    sources = [
        dict(source.attrib) for source in root.findall("devices/disk[@type='volume']/source")
    ]
    assert sources == [
        {"pool": "alice-web", "volume": name}
        for name in ("disk.qcow2", "seed.iso", "disk-data.qcow2", "disk-more.qcow2")
    ]
    assert len(root.findall("devices/disk")) == 4
    assert domain.mark
    assert f"hostfwd=tcp:{domain.mark.ssh}-:22" in text
    assert Path("web/known_hosts").read_text() == f"alice-web {domain.mark.host_key}\n"
    assert Path("web/seed.iso.d/user-data").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_its_targets_make_and_remove_it(home: CommandLine, tmp_path: Path) -> None:
    rendered(home, "web")
    web = folder("web", tmp_path)
    check_shell(web.folder / "vm.sh")
    assert isinstance(home.world, SessionWorld)
    image = home.world.image
    (web.state / "domains/alice-web").write_text("<uuid>1</uuid>\n")
    refused = web.make("create/domain")
    assert "alice-web is there, and was not made by this folder" in refused.stderr
    for target in ("start", "stop", "delete", "ssh", "console", "wait-for-ready"):
        assert "was not made by this folder" in web.make(target).stderr, target
    (web.state / "domains/alice-web").unlink()

    up = [line for line in web.done("up") if "vol-" not in line]
    assert up[0].startswith("curl ")
    assert up[0].endswith(f"--url file://{image.path}")
    assert up[1].startswith("genisoimage ")
    assert [line for line in up[2:] if "pool-refresh" not in line] == [
        f"virsh pool-define-as alice-web dir --target {web.folder}/pool",
        "virsh pool-autostart alice-web",
        "virsh pool-start --build alice-web",
        "virsh define domain.xml",
        "virsh start alice-web",
    ]
    names = {"disk.qcow2", "disk-data.qcow2", "disk-more.qcow2", "seed.iso", f"{image.short}.qcow2"}
    assert web.volumes == {f"alice-web/{name}" for name in names}
    assert web.done("up") == []
    (into,) = web.done("ssh")
    assert "-o Port=2201 -o UserKnownHostsFile=known_hosts -o StrictHostKeyChecking=yes" in into
    assert into.endswith("-- alice@127.0.0.1")
    web.done("down")
    assert web.volumes == {"alice-web/disk-data.qcow2", f"alice-web/{image.short}.qcow2"}


def test_a_machine_without_image_and_seed_is_made_as_well(own: CommandLine, tmp_path: Path) -> None:
    assert own("provision", "web", "--size", "1G", "--no-start", "-y").code == 0
    done = own("render", "makefile", "alice-web", "web", "--base-dir", "there")
    assert done.err == "".join(
        f"Generated there/web/{n}\n" for n in ("Makefile", "vm.sh", "domain.xml")
    )
    web = folder("there/web", tmp_path)
    assert [line for line in web.done("up") if "vol-" in line] == [
        "virsh vol-create-as alice-web disk.qcow2 1073741824 --format qcow2"
    ]
    assert web.done("clean-all") == []


def test_without_a_network_it_has_no_address_and_its_other_ports_stay(
    own: CommandLine, tmp_path: Path
) -> None:
    assert own("provision", "web", "--size", "1G", "--no-start", "--net", "none", "-y").code == 0
    more = ("--size", "1G", "--no-start", "--net", "user:8080-80", "-y")
    assert own("provision", "db", *more).code == 0
    assert own("render", "makefile", "web", "db").code == 0
    assert "127.0.0.1:8080-:80" in Path("db/domain.xml").read_text()
    web = folder("web", tmp_path)
    assert "hostfwd" not in (web.folder / "domain.xml").read_text()
    web.done("up")
    assert "it has no network" in web.make("ip").stderr
    assert "no address of alice-web is known" in web.make("ssh").stderr
    assert "Port=" not in (web.folder / "vm.sh").read_text()


def test_what_is_stale_is_told_until_it_is_pruned(home: CommandLine) -> None:
    rendered(home, "web")
    assert home("seed", "detach", "web").code == 0
    for _ in range(2):
        assert "note: some files there are stale; --prune" in rendered(home, "web").err
    Path("web/seed.iso.d/meta-data").unlink()
    assert "Removed web/seed.iso.d/user-data" in rendered(home, "web", "--prune").err
    assert not Path("web/seed.iso.d").exists()
    assert "note:" not in rendered(home, "web").err


def test_what_cannot_be_rendered_is_refused_and_nothing_written(
    home: CommandLine, raptorctl: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(home.world, SessionWorld)
    facts, first = home.world.facts, home.world.image
    other = replace(first, name="other:1", digest="0e" * 32)
    known = {first.digest: first, other.digest: other}
    home.world.images.all = (first, other)
    monkeypatch.setattr(
        home.world, "facts", lambda *given: replace(facts(*given), images=tuple(known.values()))
    )
    words = ("--image", "debian:13", "--disk", "d=4G,image=other:1", "--no-start", "-y")
    made = home("provision", "db", *words)
    assert made.code == 0, made.err
    assert "began as several images" in home("render", "makefile", "web", "db").complaint
    del known[other.digest]
    refused = home("render", "makefile", "web", "db")
    assert (refused.code, "alice-db began as is not in the cache" in refused.complaint) == (3, True)
    refused = home("render", "makefile", "web", "nope")
    assert (refused.code, "no such machine: alice-nope" in refused.complaint) == (3, True)
    shared = raptorctl("render", "makefile", "alice-web")
    assert (shared.code, "session host" in shared.complaint) == (3, True)
    assert not Path("web").exists()


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("https://a.example/d.qcow2", "https://a.example/d.qcow2"),
        ("https://a.example/d.qcow2.xz", "file:///cache/d"),
        ("oci://a.example/d:1", "file:///cache/d"),
        ("/srv/d.raw", "file:///cache/d"),
    ],
)
def test_only_what_curl_gets_as_it_is_kept_comes_from_its_source(source: str, url: str) -> None:
    image = Image("d", source, "d1" * 32, "qcow2", Size(1), Size(1), "/cache/d", "")
    assert from_cache(image).source == url
