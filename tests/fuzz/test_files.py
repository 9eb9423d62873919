"""Files of machines, in each language: read or refused with a place; never a traceback."""

import re

from hypothesis import given
from hypothesis import strategies as st

from raptorctl.errors import InputError
from raptorctl.model.diagnostic import FileError
from raptorctl.model.text import plain
from raptorctl.read.build_file import BuildReader, parse_builds
from raptorctl.read.raptor_file import Reader, parse_raptor_file
from raptorctl.read.registry import parse_registry
from raptorctl.read.shell_profile import parse_said, profile_table
from raptorctl.read.vmfile import parse_vmfile
from tests.fuzz import texts
from tests.fuzz.tally import tried

PLACED = re.compile(r"f(:\d+){0,2}: .*\S")
MACHINES = """\
[vars]
release = "13"
[defaults]
image = "debian:${release}"
[tenant.alice]
keys = ["alice.pub"]
quota = { machines = 4, memory = "16G" }
[machine.alice-web]
profile = ["web", "./large.toml"]
cpus = 2
steps = [{ run = "setup.sh" }, { copy = "a", to = "/b/${machine}", timeout = "5m" }]
[machine.alice-web.disks.data]
size = "8G"
"""
BUILDS = """\
[build.web]
from = { image = "debian:13", partition = 1 }
size = "minimum+1G"
files = [{ content = "${flavour}", to = "/etc/motd", mode = "0644" }]
steps = [{ inline = "true", user = "root" }]
output = [{ image = "${build}" }, { file = "out/${build}.vmdk" }]
matrix = { flavour = ["small", "large"] }
[build.web.disks.data]
from = { empty = "64G", filesystem = "ext4" }
at = "/srv"
"""
VMFILE = """\
vm "web" {
    image "debian.qcow2"
    vcpus 2
    network "user"
    cloud-init { hostname "web"; ssh-key "a.pub"; }
    ssh { user "me"; }
    provision "shell" { inline "echo $HOME"; }
}
"""
REGISTRY = """\
nodes: [{name: here, vars: {A: "{B}"}, libvirt: {connection: {uri: "qemu:///session"}}}]
images:
  - name: alpine
    tags: [{pattern: '(?P<n>\\d+)', url: 'https://a.example/{n}.img', volumeName: 'a-{n}'}]
templates: [{name: t, libvirt: {domain: {virtInstall: {vcpus: 2}}}}]
vms:
  - {name: vm1, nodeName: here, image: 'alpine:3', provisioner: v1alpha1, template: t,
     libvirt: {domain: {name: '{VM_NAME}'}}, vars: {B: &x "0644", C: *x}}
"""
TOKENS = {
    MACHINES: [*"[]{}=.,\"'#\n", "[[", "]]", "machine", "defaults", "vars", '"a"', "1", '"""', "${x}"],
    VMFILE: [*'{}();="\\\n', "vm", "image", "(a)", "/-", "/*", "*/", '"a"', "#true", 'r#"', "1e9"],
    REGISTRY: [*"[]{}:-,&*!|>?%@`\"'\n ", "name", "vms", "<<: *a", "{A}", "{{", "---", "!!binary"],
}  # fmt: skip


def anything(good: str) -> st.SearchStrategy[str]:
    """A file with something wrong, words of its language in any order, or what is no file at all."""
    words = st.lists(st.sampled_from(TOKENS.get(good, TOKENS[MACHINES])), max_size=25)
    any_text = st.one_of(
        texts.bent(st.just(good)), texts.bent(texts.bent(st.just(good))), words.map(" ".join),
        texts.anything,
    )  # fmt: skip
    return any_text.map(lambda text: text.encode(errors="replace").decode())


def fits(error: FileError) -> None:
    assert all(PLACED.match(one) and plain(one) == one for one in error.problems), error.problems


def test_what_is_bent_here_was_right() -> None:
    assert parse_raptor_file(MACHINES, Reader("f")).machines
    assert parse_builds(BUILDS, BuildReader("f")).builds
    assert parse_vmfile(VMFILE, Reader("f", "alice")).machines
    assert parse_registry([("f", REGISTRY)]).machines()


@given(text=anything(MACHINES))
def test_files_of_machines(text: str) -> None:
    tried("files of machines")
    try:
        parse_raptor_file(text, Reader("f"))
    except FileError as error:
        fits(error)


@given(text=anything(BUILDS))
def test_files_of_builds(text: str) -> None:
    tried("files of builds")
    try:
        parse_builds(text, BuildReader("f"))
    except FileError as error:
        fits(error)


@given(text=anything(VMFILE))
def test_vmfiles(text: str) -> None:
    tried("VMFiles")
    try:
        parse_vmfile(text, Reader("f", "alice"))
    except FileError as error:
        fits(error)


@given(text=anything(REGISTRY))
def test_registries(text: str) -> None:
    tried("registries of vmp")
    try:
        parse_registry([("f", text)]).machines()
    except FileError as error:
        fits(error)


@given(out=st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"DOMAIN=web", b"RAM_MB=x", b"BASE_URL=a:1", b"\xff", b"=", b"", b"x" * 99]))
    .map(b"\0".join)))  # fmt: skip
def test_what_profiles_print(out: bytes) -> None:
    tried("what profiles in bash print")
    try:
        profile_table(parse_said(out, "f"), "f", "key")
    except FileError as error:
        fits(error)
    except InputError as error:  # not whole: nothing of it has a place
        assert plain(str(error)) == str(error)
