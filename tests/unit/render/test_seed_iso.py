"""Images of seeds, read back by us and by another program."""

import subprocess
from pathlib import Path

import pytest

from raptorctl.errors import InputError
from raptorctl.model.seed import Seed
from raptorctl.render.seed_iso import read_iso, render_iso

SEED = Seed("instance-id: x\n", "#cloud-config\nä: ü\n", network_config="version: 2\n")


def test_what_goes_in_comes_out() -> None:
    assert read_iso(render_iso(SEED)) == SEED
    assert read_iso(render_iso(Seed("m", "u" * 1_000_000, "v", "n"))).user_data == "u" * 1_000_000


def test_another_program_finds_the_files_by_their_long_names(tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(render_iso(SEED))
    listed = subprocess.run(
        ["bsdtar", "-tf", str(image)], capture_output=True, text=True, check=True
    )
    assert set(listed.stdout.split()) == {".", "meta-data", "user-data", "network-config"}
    read = ["bsdtar", "-xOf", str(image), "user-data"]
    said = subprocess.run(read, capture_output=True, check=True).stdout
    assert said.decode() == SEED.user_data


def test_it_has_the_label_that_cloud_init_looks_for(tmp_path: Path) -> None:
    image = tmp_path / "seed.iso"
    image.write_bytes(render_iso(SEED))
    words = ["/sbin/blkid", "-p", "-o", "value", "-s", "LABEL", str(image)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "cidata\n"


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100_000, b"CD001" * 20_000, render_iso(SEED)[:40_000]]
)
def test_what_is_no_seed_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(InputError, match="it is not a seed"):
        read_iso(data)
