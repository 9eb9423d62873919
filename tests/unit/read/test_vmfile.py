"""VMFile.kdl: vmctl's own examples, both spellings, and what is told of one that is wrong."""

import pytest

from raptorctl.model.diagnostic import FileError
from raptorctl.model.raptor_file import FileStep
from raptorctl.read.raptor_file import Reader
from raptorctl.read.vmfile import LARGEST, parse_vmfile, vmfile_tree

FULL = """
// vmctl's own example
vm "full-example" {
    image-url "https://images.example/noble.img"
    vcpus 4
    memory 4096
    disk 40
    network "user"
    cloud-init {
        hostname "full-example"
    }
    ssh { user "ubuntu"; }
    provision "shell" {
        inline "sudo apt-get install -y $PACKAGES"
    }
    provision "file" {
        source "config/bashrc"
        destination "/home/ubuntu/.bashrc"
    }
    provision "shell" { script "scripts/setup.sh"; }
}
vm "minimal" { image "debian.qcow2"; }
vm "keyed" {
    image "~/images/debian.qcow2"
    cloud-init { ssh-key "~/.ssh/id_ed25519.pub"; user-data "cloud.yaml"; }
    ssh { private-key "~/.ssh/id_ed25519"; }
}
"""


def test_vmctls_example_is_three_tables() -> None:
    tree = vmfile_tree(FULL, "VMFile.kdl")
    assert tree.data["machine"] == {
        "full-example": {
            "image": "https://images.example/noble.img",
            "cpus": 4,
            "memory": "4096M",
            "size": "40G",
            "seed": True,
            "hostname": "full-example",
            "account": "ubuntu",
            "steps": [
                {"inline": "sudo apt-get install -y $PACKAGES"},
                {"copy": "config/bashrc", "to": "/home/ubuntu/.bashrc"},
                {"run": "scripts/setup.sh"},
            ],
        },
        "minimal": {"image": "./debian.qcow2", "cpus": 1, "memory": "1G", "seed": False},
        "keyed": {
            "image": "~/images/debian.qcow2",
            "cpus": 1,
            "memory": "1G",
            "seed": True,
            "keys": ["~/.ssh/id_ed25519.pub"],
            "user_data": "cloud.yaml",
            "account": "vm",
        },
    }


def test_each_key_has_the_place_of_its_node() -> None:
    places = vmfile_tree(FULL, "VMFile.kdl").places
    assert places["machine", "full-example"] == (3, 1)
    assert places["machine", "full-example", "memory"] == (6, 5)
    assert places["machine", "full-example", "steps"] == (13, 5)


def body(text: str) -> str:
    return f'vm "web" {{\nimage "x.img"\n{text}\n}}\n'


WRONG = {
    'vmm "a" { }': "1:1: vmm: is not known here; did you mean vm?",
    "memory 512": '1:1: memory: stands outside of vm; write vm "web" { memory ... }',
    'user "u"': '1:1: user: stands outside of vm; write vm "web" { ssh { user ... } }',
    'vm "a"': "1:1: vm: should have a block; write vm { }",
    "vm { }": "1:1: vm: should have one value, and has 0",
    'vm "a" { }': "1:1: vm: should have either image or image-url",
    'vm "a" { image "x"; image-url "y"; }': "1:1: vm: should have either image or image-url",
    'vm "a" { image "x"; }\nvm "a" { image "x"; }': "2:1: vm: a: is there twice",
    "": '1:1: has no machine; write vm "web" {}',
    'vm "a" {': "is not KDL: ",
    body("vcpu 2"): "3:1: vcpu: is not known in vm; did you mean vcpus?",
    body('vcpus "2"'): "3:1: vcpus: should be a whole number, 1 or more, without quotes",
    body("vcpus 0"): "3:1: vcpus: should be a whole number",
    body("memory 1.5"): "3:1: memory: should be a whole number",
    body("memory #true"): "3:1: memory: should be a whole number",
    body("disk 1 2"): "3:1: disk: should have one value, and has 2",
    body("vcpus 1\nvcpus 2"): "4:1: vcpus: is there twice in vm",
    body('network "usr"'): "3:1: network: usr is no network; did you mean user?",
    body('network "user" bridqe="b"'): "3:1: network: bridqe is not known; did you mean bridge?",
    body('network "tap" bridge=1'): "3:1: network: bridge should be text",
    body('network "tap" bridge="a b"'): "3:1: network: 'a b' is not a bridge's name; write",
    body('network "tap" { bridge "br-vm2"; }'): "network: bridge br-vm2 is a slot's; write slot:2",
    body("cloud-init { hostnme 1; }"): "3:14: hostnme: is not known in cloud-init; did you mean",
    body("ssh"): "3:1: ssh: should have a block; write ssh { }",
    body('provision "shell" { inline "x"; }'): "1:1: vm: has steps and nobody to log in as",
    body('ssh {}\nprovision "shell" { }'): "4:1: provision: should have either inline or script",
    body(
        'ssh {}\nprovision "fil" { }'
    ): "4:1: provision: should be shell or file; did you mean file?",
    body('ssh {}\nprovision "file" { source "x"; }'): "should have source and destination",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place_and_the_word_that_was_meant(text: str) -> None:
    with pytest.raises(FileError) as refused:
        vmfile_tree(text, "VMFile.kdl")
    assert WRONG[text] in f"{refused.value}{refused.value.details}"


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(FileError) as refused:
        vmfile_tree(body("vcpu 2\nmemory 0"), "VMFile.kdl")
    said = f"{refused.value}{refused.value.details}"
    assert "3:1: vcpu" in said
    assert "4:1: memory" in said


@pytest.mark.parametrize("text", ["a {" * 5000, "vm 1" + "0" * 9999])
def test_what_no_parser_follows_is_refused(text: str) -> None:
    with pytest.raises(FileError, match=r"VMFile\.kdl"):
        vmfile_tree(text, "VMFile.kdl")


@pytest.mark.parametrize("said", ['"vnic"', '"vnic" name="vnic0"', '"vnic" { name "v"; }'])
def test_a_vnic_is_read_and_refused_only_by_who_would_make_it(said: str) -> None:
    text = body(f"network {said}")
    (left,) = vmfile_tree(text, "VMFile.kdl").left["web"]
    assert (left.line, left.column, left.key) == (3, 1, "network")
    with pytest.raises(FileError, match="VMFile"):
        parse_vmfile(text, Reader("VMFile.kdl", "alice"))


TAPS = {
    '"tap"': "bridge:br0",
    '"tap" { bridge "lan0"; }': "bridge:lan0",
    '"tap" bridge="lan0"': "bridge:lan0",
}


@pytest.mark.parametrize("said", TAPS)
def test_a_tap_is_an_interface_on_its_bridge(said: str) -> None:
    reader = Reader("VMFile.kdl", "alice")
    (machine,) = parse_vmfile(body(f"network {said}"), reader).machines
    assert machine.said["net"] == [TAPS[said]]


@pytest.mark.parametrize("reached", ["user", "slot"])
def test_who_logs_in_to_a_guest_on_a_bridge_has_a_way_there(reached: str) -> None:
    text = body('ssh { }\nnetwork "tap"\nprovision "shell" { inline "true"; }')
    tree = vmfile_tree(text, "VMFile.kdl", reached)
    assert tree.data["machine"]["web"]["net"] == [reached, "bridge:br0"]


def test_no_network_is_carried_over() -> None:
    (machine,) = parse_vmfile(body('network "none"'), Reader("VMFile.kdl", "alice")).machines
    assert machine.said["net"] == ["none"]


def test_a_dollar_is_no_variable() -> None:
    text = body('ssh { }\nprovision "shell" { inline "echo $HOME $$"; }')
    (machine,) = parse_vmfile(text, Reader("VMFile.kdl", "alice")).machines
    assert machine.steps == (FileStep(inline="echo $HOME $$"),)


def test_one_that_takes_too_long_to_read_is_refused() -> None:
    with pytest.raises(FileError, match="256 KiB"):
        vmfile_tree("//" + "x" * LARGEST, "VMFile.kdl")
