"""`raptorctl registry` on the command line: no host is asked, and nobody has to be root."""

import json
from pathlib import Path

import pytest
import yaml

from tests.unit.cli.session import CommandLine
from tests.unit.read.test_registry import WHOLE

TWO = WHOLE + "  - {name: vm2, nodeName: here, image: alpine, provisioner: v1alpha1,\n" \
    '     libvirt: {domain: {name: "{VM_NAME}"}}}\n'  # fmt: skip


@pytest.fixture
def host(raptorctl: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VMP_REGISTRY", raising=False)
    raptorctl.root = False
    return raptorctl


def test_it_reads_standard_input_or_the_files_of_a_pattern(
    host: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("r/b").mkdir(parents=True)
    Path("r/b/2.yaml").write_text("vms: [{name: vm1, vars: {X: last}}, {name: vm3}]")
    Path("r/1.yaml").write_text(TWO)
    assert host("registry", "list", answer=TWO).out == "vm1\nvm2\n"
    assert host("registry", "list", "--registry", "r/**/*.yaml").out == "vm1\nvm2\nvm3\n"
    monkeypatch.setenv("VMP_REGISTRY", "r/**/*.yaml")
    assert json.loads(host("registry", "list", "-o", "json").out)["machines"][1:] == [
        {"name": "vm2", "node": "here", "image": "alpine"},
        {"name": "vm3", "node": "", "image": ""},
    ]
    assert host("registry", "list", "--registry", "-", answer="vms: []").out.startswith(
        "there are no"
    )
    assert "X: last" in host("registry", "config", "vm1").out.replace('"', "")


def test_a_pattern_that_names_no_file_is_an_error(host: CommandLine) -> None:
    Path("r").mkdir()
    refused = host("registry", "list", "--registry", "r*")
    assert (refused.code, "no file of a registry is called 'r*'" in refused.complaint) == (2, True)


def test_config_prints_yaml_of_all_machines_or_of_those_named(host: CommandLine) -> None:
    first, second = yaml.safe_load_all(host("registry", "config", answer=TWO).out)
    assert (first["vm"]["name"], second["vm"]["name"]) == ("vm1", "vm2")
    assert first["image"]["tag"] == "3.20"
    said = json.loads(host("registry", "config", "vm2", "-o", "json", answer=TWO).out)
    assert [machine["vars"]["VM_NAME"] for machine in said["machines"]] == ["vm2"]
    refused = host("registry", "config", "vm4", answer=TWO)
    assert (refused.code, "did you mean vm2?" in refused.complaint) == (2, True)


def test_image_url_says_where_an_image_comes_from(host: CommandLine) -> None:
    words = ("registry", "image-url", "alpine:3.20")
    assert host(*words, answer=TWO).out == "https://a.example/v3/3.20.img\n"
    assert json.loads(host(*words, "-o", "json", answer=TWO).out) == {
        "name": "alpine",
        "tag": "3.20",
        "url": "https://a.example/v3/3.20.img",
        "volume_name": "alpine-3.20.qcow2",
        "format": "qcow2",
    }
    refused = host("registry", "image-url", "alpine:x", answer=TWO)
    assert (refused.code, "alpine has no tag 'x'" in refused.complaint) == (2, True)


def test_all_errors_are_told_with_their_places(host: CommandLine) -> None:
    refused = host("registry", "list", answer="vms: [{name: a, b: 1}, {name: a}]")
    assert refused.code == 2
    assert "-:1:17: vms.a.b: is not known here" in refused.err
    assert "-:1:31: vms.a: is there twice" in refused.err


def test_an_iso_taken_as_raw_is_noted_once(host: CommandLine) -> None:
    text = TWO.replace("alpine:3.20", "alpine:2024:01")
    assert host("registry", "config", answer=text).err.count("note: alpine:2024:01 is an ISO") == 1
