"""A registry of vmp: text that stays text, one merge, variables, images, and all that is wrong."""

from typing import Any

import pytest

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import FileError
from raptorctl.model.merge import merge
from raptorctl.model.registry import Text
from raptorctl.read.registry import VmRegistry, parse_registry
from raptorctl.read.registry_yaml import load_yaml
from raptorctl.render.registry_yaml import config_json, config_yaml, document

IMAGES = """
images:
  - name: alpine
    vars: {WHO: image, V1ALPHA1_SSH_USER: alpine}
    tags:
      - pattern: ^latest$
        url: https://a.example/latest.img
        volumeName: alpine.qcow2
      - pattern: (?P<major>\\d+)\\.(?P<minor>\\d+)
        vars: {WHO: tag}
        url: https://a.example/v{major}/{major}.{minor}.img
        volumeName: alpine-{major}.{minor}.qcow2
        archive: {type: xz}
      - pattern: (?P<date>\\d{4}:\\d{2})
        url: https://a.example/{date}.iso
        volumeName: alpine-cd.iso
"""
NODES = """
nodes:
  - name: here
    vars: {WHO: node, DEFAULT_POOL_NAME: fast}
    libvirt: {connection: {uri: "qemu+ssh://root@h:2222/system"}}
"""
VM = """
vms:
  - name: vm1
    nodeName: here
    image: alpine:3.20
    provisioner: v1alpha1
    libvirt: {domain: {name: "{VM_NAME}"}}
"""
WHOLE = NODES + IMAGES + VM


def parsed(*texts: str) -> VmRegistry:
    return parse_registry((f"{number}.yaml", text) for number, text in enumerate(texts))


def refused(*texts: str) -> str:
    with pytest.raises(FileError) as error:
        parsed(*texts).machines()
    return f"{error.value}\n{error.value.details}"


def with_vm(more: str) -> str:
    """The registry with more lines in its machine."""
    return WHOLE + "".join(f"    {line}\n" for line in more.splitlines())


# Text


@pytest.mark.parametrize("text", ["52:54:00:00:00:01", "24.04", "no", "0644", "1e3", "2024-01-01"])
def test_a_scalar_stays_what_it_says(text: str) -> None:
    (vm,) = parsed(with_vm(f"vars: {{X: {text}}}\nssh: {{host: 'h-{{X}}'}}")).machines()
    assert vm.ssh
    assert vm.ssh.host == f"h-{text}"
    assert vm.variables["X"] == text


def test_what_config_prints_reads_as_the_same_again() -> None:
    more = """\
vars: {TAG: 24.04, MAC: 52:54:00:00:00:01, SAYS: "a: #b", N: no}
ssh: {options: {A: no, B: [x, "y z"], C: null}}
cloudInit:
  noCloud:
    seed: {path: s.iso}
    data:
      user-data: {mode: 0644, on: yes, n: 1, f: 24.10, t: "24.10", mac: 52:54:00:00:00:01, z: null}
      meta-data: "a\\nb\\n"
"""
    (vm,) = parsed(with_vm(more)).machines()
    text = config_yaml(vm.tree)
    again, wrong = load_yaml(text, "again")
    assert not wrong
    assert config_json(again) == config_json(vm.tree)
    assert config_yaml(again) == text
    assert vm.seed
    assert document("user-data", vm.seed.data["user-data"]) == (
        '#cloud-config\nmode: 0644\non: yes\nn: 1\nf: 24.10\nt: "24.10"\n'
        'mac: "52:54:00:00:00:01"\nz: null\n'
    ).replace("on:", "'on':")


# The merge, as vmp has it


MERGES = [
    ("{a: {b: 1, c: 2}}", "{a: {c: 3, d: 4}}", {"a": {"b": "1", "c": "3", "d": "4"}}),
    ("{a: [1, 2]}", "{a: [3]}", {"a": ["3"]}),
    ("{a: {b: 1}}", "{a: null}", {"a": None}),
    ("{a: {b: 1}}", "{a: 2}", {"a": "2"}),
    ("{a: 2}", "{a: {b: 1}}", {"a": {"b": "1"}}),
    (
        "{a: [{name: x, v: {p: 1, q: 2}}, {name: y}]}",
        "{a: [{name: z}, {name: x, v: {q: 3}}]}",
        {"a": [{"name": "x", "v": {"p": "1", "q": "3"}}, {"name": "y"}, {"name": "z"}]},
    ),
    ("{a: [{name: x}]}", "{a: [{v: 1}]}", {"a": [{"v": "1"}]}),
    ("{a: [{name: x, options: {v: 1}}]}", "{a: [{name: x, options: null}]}",
     {"a": [{"name": "x", "options": None}]}),
    # Where vmp crashes or cannot say it:
    ("{a: [{name: x}]}", "{a: []}", {"a": []}),
    ("{a: [1]}", "{a: [{name: x}]}", {"a": [{"name": "x"}]}),
    ("{a: [my-name]}", "{a: [name]}", {"a": ["name"]}),
    ("{a: [{name: x}, {name: y}]}", "{a: [{name: x, remove: true}]}", {"a": [{"name": "y"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("below", "above", "merged"), MERGES)
def test_trees_are_laid_over_one_another(below: str, above: str, merged: Any) -> None:
    found = merge(load_yaml(below, "b")[0], load_yaml(above, "a")[0])
    assert config_json(found) == merged


def test_templates_are_laid_from_left_to_right_and_the_machines_own_keys_last() -> None:
    templates = """
templates:
  - name: base
    vars: {A: base, B: base, C: base, D: base}
  - name: left
    template: base
    vars: {B: left, C: left, D: left}
  - name: right
    vars: {C: right, D: right}
"""
    (vm,) = parsed(with_vm("templates: [left, right]\nvars: {D: own}") + templates).machines()
    assert [vm.variables[key] for key in "ABCD"] == ["base", "left", "right", "own"]
    assert "templates" not in vm.tree["vm"]


def test_files_are_laid_over_one_another_by_name() -> None:
    over = "vms: [{name: vm1, vars: {X: over}}, {name: vm2}]\n"
    registry = parsed(WHOLE, over)
    assert registry.names == ("vm1", "vm2")
    (vm,) = registry.machines(["vm1"])
    assert vm.variables["X"] == "over"


# Variables


def test_a_machine_counts_more_than_its_image_and_that_more_than_its_node() -> None:
    found = []
    for text in (
        WHOLE.replace("WHO: tag", "X: x").replace("WHO: image, ", ""),
        WHOLE.replace("WHO: tag", "X: x"),
        WHOLE,
        with_vm("vars: {WHO: vm, VM_NAME: never, IMAGE_TAG: never}"),
    ):
        (vm,) = parsed(text).machines()
        found.append(vm.variables["WHO"])
        assert (vm.variables["VM_NAME"], vm.variables["IMAGE_TAG"]) == ("vm1", "3.20")
        assert vm.variables["DEFAULT_POOL_NAME"] == "fast"
        assert vm.variables["DEFAULT_IMAGE_DIR"] == ".images"
    assert found == ["node", "image", "tag", "vm"]


def test_variables_are_put_into_one_another_and_into_values_alone() -> None:
    more = 'vars: {A: "{B}-{{A}}", B: "<{VM_NAME}>"}\nssh: {options: {"{A}": "{A}"}}'
    (vm,) = parsed(with_vm(more)).machines()
    assert vm.ssh
    assert dict(vm.ssh.options) == {"{A}": "<vm1>-{A}"}


BRACES = {
    "{NOPE}": "there is no variable NOPE; ",
    "${HOME}": "there is no variable HOME; ",
    "awk '{ print }'": "has a { that belongs to no {NAME}; write {{ for a brace",
    "{VM_NAME.__class__}": "has a { that belongs to no {NAME}",
    "{VM_NAME!r}": "has a { that belongs to no {NAME}",
    "{0}": "has a { that belongs to no {NAME}",
    "}": "has a } that belongs to no {NAME}; write }} for a brace",
    "{VMNAME}": "there is no variable VMNAME; did you mean VM_NAME?",
}


@pytest.mark.parametrize("text", BRACES)
def test_any_other_brace_is_told_with_its_place(text: str) -> None:
    said = refused(with_vm(f'ssh:\n  user: "{text}"'))
    assert f"0.yaml:30:13: vms.vm1: {BRACES[text]}" in said


def test_variables_in_a_circle_are_told() -> None:
    said = refused(with_vm('vars: {A: "{B}", B: "{A}"}'))
    assert "0.yaml:29:15: vms.vm1.vars.A: stands for itself: A -> B -> A" in said


def test_variables_that_double_each_other_end() -> None:
    lines = ["A0: " + "x" * 1000, *(f'A{n + 1}: "{{A{n}}}{{A{n}}}"' for n in range(40))]
    said = refused(with_vm("vars: {" + ", ".join(lines) + "}"))
    assert "becomes longer than 1024 KiB" in said


# Images


def test_an_image_is_found_by_the_first_pattern_that_is_its_whole_tag() -> None:
    registry = parsed(WHOLE)
    assert registry.image("alpine").url == "https://a.example/latest.img"
    found = registry.image("alpine:3.20")
    assert (found.url, found.volume_name) == ("https://a.example/v3/3.20.img", "alpine-3.20.qcow2")
    assert (found.archive, found.format, found.notes) == ("xz", "qcow2", ())
    assert registry.image("alpine:2024:01").url == "https://a.example/2024:01.iso"


def test_an_iso_whose_format_nobody_said_is_no_qcow2() -> None:
    found = parsed(WHOLE).image("alpine:2024:01")
    assert found.format == "raw"
    assert "is an ISO" in found.notes[0]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("alpin:3", "there is no image 'alpin' in the registry; did you mean alpine?"),
        ("alpine:3.20-x", "is only how it begins"),
        ("alpine:x", "alpine has no tag 'x'; its patterns: ^latest$, "),
    ],
)
def test_an_image_that_is_not_there_is_told(reference: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        parsed(WHOLE).image(reference)
    assert said in str(error.value)


# Machines


def test_arguments_of_virt_install_are_vmps() -> None:
    more = """
vms:
  - name: vm1
    libvirt:
      domain:
        virtInstall:
          vcpus: 2
          noautoconsole: true
          quiet: false
          boot: null
          import: "true"
          network:
            - {name: a, options: {network: default, mac: 52:54:00:00:00:01}}
            - {name: b}
            - {name: c, options: {x: null}}
            - {name: d, options: {bridge: br0, readonly: true}}
"""
    (vm,) = parsed(WHOLE, more).machines()
    assert vm.virt_install == (
        "--import=true",
        "--network=mac=52:54:00:00:00:01,network=default",
        "--network=bridge=br0,readonly",
        "--noautoconsole",
        "--vcpus=2",
    )


WRONG = {
    "nopes: 1": "0.yaml:1:1: nopes: is not known here; did you mean nodes?",
    "vm: []": "0.yaml:1:1: vm: is not known here; did you mean vms?",
    "vms: 1": "0.yaml:1:6: vms: should be a list",
    "- a": "0.yaml:1:1: should be a table",
    "vms: [": "0.yaml:1:7: is not YAML: ",
    "a: 1\n---\nb: 1": "is not YAML: but found another document",
    "vms: []\nvms: []": "0.yaml:2:1: vms is there twice",
    "vms: !!python/object:os.system x": "is no type of a registry; leave the tag out",
    "vms: &a [*a]": "contains itself",
    "vms: [{name: ../evil}]": "0.yaml:1:14: vms.../evil.name: '../evil' is not a name",
    "vms: [{name: a}, {name: a}]": "0.yaml:1:25: vms.a: is there twice",
    "templates: [{name: t, ssh: {usr: x}}]": "templates.t.ssh.usr: is not known here; did you mean",
    "templates: [{name: t, template: t}]": "a template includes itself: t -> t",
    "templates: [{name: t, template: u}, {name: u, templates: [t]}]": "t -> u -> t",
    "templates: [{name: t, template: x}]": "0.yaml:1:33: templates.t: there is no template x",
    "templates: [{name: t, template: x, templates: []}]": "template and templates are both there",
    "images: [{name: i}]": "0.yaml:1:11: images.i: tags is missing",
    "images: [{name: i, tags: [{pattern: (, url: u, volumeName: v}]}]": "0.yaml:1:37: images.i.tags.1.pattern: is no pattern: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str) -> None:
    assert WRONG[text] in refused(text)


UNFIT = {
    "provisioner: v2": "0.yaml:28:18: vms.vm1.provisioner: v2 is none of its words; known: v1alpha1",
    "ssh: [a]": "0.yaml:29:11: vms.vm1.ssh: should be a table",
    "nodeName: there": "there is no node there",
    "image: alpin:1": "there is no image 'alpin' in the registry; did you mean alpine?",
    "cloudInit: {noCloud: {data: {}, seed: {path: ../x}}}": "is not a path below the machine's",
    "cloudInit: {noCloud: {data: {}}}": "vms.vm1.cloudInit.noCloud: seed is missing",
    "libvirt: {domain: {name: a b}}": "is not a name of letters",
    "libvirt: {domain: {name: -x}}": "is not a name of letters",
}


@pytest.mark.parametrize("more", UNFIT)
def test_what_is_wrong_with_a_machine_is_told(more: str) -> None:
    key = more.partition(":")[0]
    text = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"    {key}:"))
    assert UNFIT[more] in refused(f"{text}\n    {more}\n")


@pytest.mark.parametrize("key", ["nodeName", "image", "provisioner"])
def test_what_a_machine_lacks_is_told(key: str) -> None:
    text = "\n".join(line for line in WHOLE.splitlines() if not line.startswith(f"    {key}:"))
    assert f"vms.vm1: {key} is missing" in refused(text)


VOLUMES = {
    "{name: v, poolName: p}": "vms.vm1.libvirt.volumes.v: has no source",
    "{name: v, poolName: p, capacity: 1G, uploadFile: {path: x},"
    " backingVolume: {name: b, poolName: p}}": "has both backingVolume and uploadFile",
    "{name: v, poolName: p, capacity: -1}": "is not a number, with a unit or without",
    "{name: v, capacity: 1}": "poolName is missing",
    "{name: v, poolName: p, capacity: 1, deletionPolicy: Keep}": "Keep is none of its words; known",
    "{name: v, poolName: p, capacity: 1, format: 'a;b'}": "is not a format",
}


@pytest.mark.parametrize("volume", VOLUMES)
def test_what_is_wrong_with_a_volume_is_told(volume: str) -> None:
    more = f"vms: [{{name: vm1, libvirt: {{volumes: [{volume}]}}}}]"
    assert VOLUMES[volume] in refused(WHOLE, more)


def test_all_that_is_wrong_is_told_at_once_file_by_file() -> None:
    said = refused("vms: [{name: a, nope: 1}]", "nodes: [{nam: x}]\nimages: 3")
    assert said.splitlines() == [
        "the registry has 4 errors",
        "0.yaml:1:17: vms.a.nope: is not known here; known: name, nodeName, image, provisioner, "
        "libvirt, vars, cloudInit, ssh, template, templates",
        "1.yaml:1:10: nodes.1: name is missing",
        "1.yaml:1:10: nodes.1.nam: is not known here; did you mean name?",
        "1.yaml:2:9: images: should be a list",
    ]


def test_null_takes_away_what_a_template_says() -> None:
    template = "templates: [{name: t, ssh: {host: h}, cloudInit: {noCloud: {}}}]"
    (vm,) = parsed(with_vm("template: t\nssh: {host: null}\ncloudInit: null"), template).machines()
    assert vm.ssh
    assert vm.ssh.host == ""
    assert vm.seed is None


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    _, wrong = load_yaml("\n".join(lines), "bomb")
    assert "more than 100000 values" in str(wrong[0])


def test_merge_keys_of_yaml_are_followed() -> None:
    tree, _ = load_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "f")
    assert tree["b"] == {"x": "1", "y": "3"}
    assert isinstance(tree["b"][Text("y")], Text)
