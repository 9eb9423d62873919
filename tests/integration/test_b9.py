"""B9 build files, built for real on a session host: seeds of three kinds, and a fixup's script."""

import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pycdlib
import pytest

from tests.integration.session_account import Person, somebody

SEED = r"""
Let [("host", "web")] -- a comment
  [ Sources
      [ FromContent "meta-data" (FromString "instance-id: web\n")
      , FromContent "user-data"
          (RenderCloudConfig
             (ASTMerge
                [ ASTParse (Source ExpandVariables "base.yaml")
                , ASTObj [("runcmd", ASTArr [ASTString "reboot"])]
                ]))
      , SetPermissions 6 0 0 [IntoDirectory "deep/${arg_1}" [FromFile "k" (Source NoConversion "base.yaml")]]
      , FromContent "large" (RenderBase64BinaryFile "large")
      ]
      [ Artifact (IID "seed-${host}") (CloudInit [CI_ISO, CI_VFAT, CI_DIR] "out/${host}") ]
  ]
"""
USER_DATA = '#cloud-config\nhostname: "web"\nruncmd:\n  - "id"\n  - "reboot"\n'
DISK = """
Artifact (IID "data")
  (VmImagesWithFixup
     [ ImageTarget
         (LocalFile (Image "out/data.vmdk" Vmdk Ext4) KeepSize)
         (EmptyImage "audio" Ext4 Raw (ImageSize 16 MB))
         NotMounted
     ]
     NoVmScript
     (Run "blkid -p -o value -s LABEL ${1} > %s" []))
"""


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    if Path("/etc/raptorctl/settings.toml").exists():
        pytest.fail("this is a shared host: nobody's own")
    with somebody(("lark",)) as found:  # an extra is no part of what an account has
        yield found


def test_a_seed_of_three_kinds_has_the_same_files_in_each(person: Person) -> None:
    (person.home / "seed.b9").write_text(SEED)
    (person.home / "base.yaml").write_text("#cloud-config\nhostname: $host\nruncmd: [id]\n")
    (person.home / "large").write_bytes(bytes(3 << 20))
    stale = person.home / "out" / "web" / "stale"
    person.run("mkdir", "-p", str(stale.parent))
    person.run("touch", str(stale))
    refused = person.raptorctl("build", "seed.b9", "--", "er", check=False)
    assert "out/web holds what no build put there" in refused.stderr
    stale.unlink()
    person.raptorctl("build", "seed.b9", "seed-web", "--", "er")
    person.run("touch", str(stale))  # the folder is the build's by now
    person.raptorctl("build", "seed.b9", "--", "er")
    out = person.home / "out"
    assert not stale.exists()
    assert sorted(str(p.relative_to(out / "web")) for p in (out / "web").rglob("*")) == [
        "deep", "deep/er", "deep/er/k", "large", "meta-data", "user-data",
    ]  # fmt: skip
    assert (out / "web" / "user-data").read_text() == USER_DATA
    assert (out / "web" / "deep" / "er" / "k").stat().st_mode & 0o777 == 0o600
    assert in_iso(out / "web.iso", "/user-data") == in_vfat(out / "web.vfat", "user-data")
    assert in_vfat(out / "web.vfat", "user-data") == USER_DATA.encode()
    assert (
        len(in_vfat(out / "web.vfat", "large")) == len(in_iso(out / "web.iso", "/large")) > 3 << 20
    )
    assert in_iso(out / "web.iso", "/deep/er/k") == in_vfat(out / "web.vfat", "deep/er/k")


def in_iso(image: Path, path: str) -> bytes:
    iso, out = pycdlib.PyCdlib(), BytesIO()
    iso.open(str(image))
    iso.get_file_from_iso_fp(out, joliet_path=path)
    iso.close()
    return out.getvalue()


def in_vfat(image: Path, path: str) -> bytes:
    argv = ["mtype", "-i", str(image), f"::{path}"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


def test_a_fixup_gets_the_raw_disk_and_ends_the_build_if_it_fails(person: Person) -> None:
    told, image = person.home / "told", person.home / "out" / "data.vmdk"
    (person.home / "data.b9").write_text(DISK % told)
    person.raptorctl("build", "data.b9")
    assert told.read_text() == "audio\n"
    info = json.loads(person.run("qemu-img", "info", "--output=json", str(image)).stdout)
    assert (info["format"], info["virtual-size"]) == ("vmdk", 16 << 20)
    before = image.read_bytes()
    (person.home / "data.b9").write_text((DISK % told).replace("blkid", "false; true"))
    failed = person.raptorctl("build", "data.b9", check=False)
    assert failed.returncode == 1
    assert image.read_bytes() == before
