"""A generated folder: what its targets do, asked of programs that record their calls."""

import shutil
import subprocess
from pathlib import Path

import pytest

from raptorctl.model.registry import RegistryVm
from raptorctl.render.provisioner import generated_files, provisioner
from tests.unit.read.test_registry import NODES, parsed, refused, with_vm
from tests.unit.render.fake_tools import Provisioned

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")

CLOUD = """
vars: {DEFAULT_IMAGE_DIR: ../images, V1ALPHA1_WAIT_FOR_READY_INTERVAL_SECS: 0}
libvirt:
  domain: {name: "{VM_NAME}", virtInstall: {memory: 2048, disk: [{name: a, options: {vol: vm1/a, bus: sata}}]}}
  pools: [{name: "{VM_NAME}", directory: {path: "/pools/{VM_NAME}"}}]
  volumes:
    - {name: "{IMAGE_VOLUME_NAME}", poolName: default, deletionPolicy: Retain,
       uploadFile: {path: "{DEFAULT_IMAGE_DIR}/{IMAGE_VOLUME_NAME}"}}
    - {name: boot, poolName: "{VM_NAME}", backingVolume: {name: "{IMAGE_VOLUME_NAME}", poolName: default}}
    - {name: data, poolName: "{VM_NAME}", capacity: 4G, format: raw}
    - {name: seed, poolName: "{VM_NAME}", format: raw, uploadFile: {path: seed.iso}}
cloudInit:
  noCloud:
    data: {meta-data: {instance-id: "{VM_NAME}"}, user-data: {ssh_pwauth: true}}
    seed: {path: seed.iso}
ssh: {password: "it's $word", options: {StrictHostKeyChecking: no}}
"""  # fmt: skip


def machine(more: str = CLOUD, **replaced: str) -> RegistryVm:
    text = with_vm(more)
    if "libvirt" in more:
        text = text.replace('    libvirt: {domain: {name: "{VM_NAME}"}}\n', "")
    for old, new in replaced.items():
        text = text.replace(old, new)
    (vm,) = parsed(text).machines()
    return vm


def written(vm: RegistryVm, root: Path) -> Provisioned:
    folder = root / "vms/vm1"
    for name, file in provisioner(vm, "0").items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(file.text)
    return Provisioned(folder, root / "state")


@pytest.fixture
def vm1(tmp_path: Path) -> Provisioned:
    return written(machine(), tmp_path)


IMAGE = "alpine-3.20.qcow2"
UP = [
    "curl -fL --retry 3 --output ../images/alpine-3.20.qcow2.xz.part --url https://a.example/v3/3.20.img",
    "xz -dc -F xz -- ../images/alpine-3.20.qcow2.xz",
    "genisoimage -quiet -output seed.iso.part -volid cidata -joliet -rock "
    "seed.iso.d/meta-data seed.iso.d/user-data",
    "virsh pool-define-as vm1 dir --target /pools/vm1",
    "virsh pool-autostart vm1",
    f"virsh vol-create-as default {IMAGE}.part 6 --format qcow2",
    f"virsh vol-upload --pool default {IMAGE}.part ../images/{IMAGE}",
    "virsh pool-refresh default",
    f"virsh vol-clone --pool default {IMAGE}.part {IMAGE}",
    f"virsh vol-delete --pool default {IMAGE}.part",
    "virsh pool-start --build vm1",
    f"virsh vol-create-as vm1 boot 4096 --format qcow2 --backing-vol /pool/{IMAGE} "
    "--backing-vol-format qcow2",
    "virsh vol-create-as vm1 data 4G --format raw",
    "virsh vol-create-as vm1 seed.part 4 --format raw",
    "virsh vol-upload --pool vm1 seed.part ./seed.iso",
    "virsh pool-refresh vm1",
    "virsh vol-clone --pool vm1 seed.part seed",
    "virsh vol-delete --pool vm1 seed.part",
    "virt-install --disk=bus=sata,vol=vm1/a --memory=2048 --name=vm1 --print-xml --dry-run",
    "virsh define /dev/stdin",
    "virsh start vm1",
]


def test_up_makes_what_is_not_there_and_down_keeps_what_is_to_be_kept(vm1: Provisioned) -> None:
    assert vm1.done("up") == UP
    assert vm1.volumes == {f"default/{IMAGE}", "vm1/boot", "vm1/data", "vm1/seed"}
    assert vm1.done("up") == []
    assert vm1.done("down") == [
        "virsh shutdown vm1",
        "virsh undefine vm1 --managed-save --snapshots-metadata --nvram",
        "virsh vol-delete --pool vm1 boot",
        "virsh vol-delete --pool vm1 data",
        "virsh vol-delete --pool vm1 seed",
        "virsh pool-destroy vm1",
        "virsh pool-undefine vm1",
    ]
    assert vm1.volumes == {f"default/{IMAGE}"}
    assert not (vm1.folder / "seed.iso").exists()
    assert vm1.done("delete-all") == [f"virsh vol-delete --pool default {IMAGE}"]
    assert vm1.done("clean-all") == []
    assert not list((vm1.folder / "../../images").glob("*"))


def test_a_page_that_says_404_is_no_image(vm1: Provisioned) -> None:
    vm1.say("404")
    failed = vm1.make("build")
    assert failed.returncode == 2
    assert "vm.sh: no image from https://a.example/v3/3.20.img" in failed.stderr
    assert not list((vm1.folder / "../images").iterdir())


def test_an_image_of_another_format_or_content_is_refused(tmp_path: Path) -> None:
    digest = "f" * 64
    vm = machine(**{"archive: {type: xz}": f"sha256: {digest}"})
    vm1 = written(vm, tmp_path)
    assert "has SHA-256 " in vm1.make("build").stderr
    vm1.say("format", "raw")
    plain = written(machine(**{"archive: {type: xz}": ""}), tmp_path / "b")
    plain.say("format", "raw")
    assert "is raw, and the registry says qcow2" in plain.make("build").stderr
    assert not list(tmp_path.glob("**/images/*"))


def test_an_upload_that_was_cut_off_is_begun_again(vm1: Provisioned) -> None:
    vm1.say("cut")
    assert vm1.make("create").returncode == 2
    assert vm1.volumes == {f"default/{IMAGE}.part"}
    (vm1.state / "cut").unlink()
    assert f"virsh vol-delete --pool default {IMAGE}.part" in vm1.done("create")
    assert f"default/{IMAGE}" in vm1.volumes
    assert f"default/{IMAGE}.part" not in vm1.volumes


def test_names_are_compared_as_text_and_whole(vm1: Provisioned) -> None:
    for name in ("domains/vmX1", "running/vm1-b", "pools/xvm1", f"volumes/default/{IMAGE} x"):
        (vm1.state / name).touch()
    assert vm1.done("up") == UP


def test_power_is_cut_only_after_a_while(vm1: Provisioned) -> None:
    for name in ("domains/vm1", "running/vm1", "stubborn"):
        (vm1.state / name).touch()
    assert vm1.done("stop", "V1ALPHA1_STOP_TIMEOUT_SECS=1") == [
        "virsh shutdown vm1",
        "virsh destroy vm1",
    ]


def test_it_waits_for_an_address_and_a_login_and_not_for_ever(vm1: Provisioned) -> None:
    options = "-J root@h:2222 -o StrictHostKeyChecking=no -o ConnectTimeout=3"
    vm1.say("address", " vnet0  52:54:00:00:00:01  ipv4  127.0.0.1/8\n vnet0  x  ipv4  10.0.0.7/24")
    assert vm1.make("ip").stdout == "10.0.0.7\n"
    assert vm1.done("wait-for-ready") == [
        f"ssh {options} -- alpine@10.0.0.7 cloud-init status --wait"
    ]
    vm1.say("closed")
    vm1.say("address")
    failed = vm1.make("wait-for-ready", "V1ALPHA1_WAIT_FOR_READY_TIMEOUT_SECS=0")
    assert "waited 0 s for an address of vm1" in failed.stderr
    assert "no address of vm1 is known yet" in vm1.make("ssh").stderr
    failed = vm1.make("wait-for-ready/ssh", "V1ALPHA1_WAIT_FOR_READY_TIMEOUT_SECS=0")
    assert "waited 0 s for a login of vm1" in failed.stderr


def test_what_stands_in_cmd_reaches_the_guest_as_it_is(vm1: Provisioned) -> None:
    vm1.say("address", " vnet0  x  ipv4  10.0.0.7/24")
    command = """echo "$HOME" '*' ; touch $(x)"""
    common = "ssh -J root@h:2222 -o StrictHostKeyChecking=no"
    assert vm1.done("ssh", f"CMD={command}") == [f"{common} -- alpine@10.0.0.7 {command}"]
    assert vm1.done("ssh", "V1ALPHA1_SSH_USER=bob", "V1ALPHA1_SSH_EXTRA_OPTS=-A -v") == [
        f"{common} -A -v -- bob@10.0.0.7"
    ]
    assert vm1.make("exec", "CMD=echo $LIBVIRT_DEFAULT_URI").stdout == (
        "qemu+ssh://root@h:2222/system\n"
    )
    assert vm1.done("console") == ["virsh console --force vm1"]


HOSTILE = "x'\"; touch PWNED; $(touch PWNED) `touch PWNED` $$ #\\ %"


def test_hostile_values_stay_values(tmp_path: Path) -> None:
    quoted = HOSTILE.replace("'", "''")
    more = CLOUD.replace("/pools/{VM_NAME}", "{H}").replace("2048", '"{H}"')
    more = more.replace("it's $word", "{H}").replace("../images", '"{H}"')
    more = more.replace("vars: {", f"vars: {{H: '{quoted}', V1ALPHA1_IP_CMD: 'echo 10.0.0.9', ")
    url = {"https://a.example/v{major}/{major}.{minor}.img": f"'https://{quoted}'"}
    vm1 = written(machine(more, **url), tmp_path)
    assert "PWNED" not in vm1.make("-n", "up", "down", "ssh").stdout
    done = vm1.done("up", "wait-for-ready", "clean-all")
    assert done[0].endswith(f"--url https://{HOSTILE}")
    assert f"virsh pool-define-as vm1 dir --target {HOSTILE}" in [
        line.replace(f"{vm1.folder}/", "") for line in done
    ]
    assert (vm1.folder / "sshpass").read_text() == f"{HOSTILE}\n"
    assert not list(tmp_path.rglob("PWNED"))
    check_shell(vm1.folder / "vm.sh")


def check_shell(script: Path) -> None:
    if shutil.which("shellcheck"):
        done = subprocess.run(
            ["shellcheck", script], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.stdout == ""


def test_a_machine_that_says_little_has_all_targets(tmp_path: Path) -> None:
    vm1 = written(machine(""), tmp_path)
    for target in """up down build clean clean-all create delete delete-all start stop stop-all
            wait-for-ready exec console ip ssh""".split():
        assert vm1.make("-n", target).returncode == 0
    assert len(vm1.done("up")) == 5
    check_shell(vm1.folder / "vm.sh")


def test_a_makefile_says_what_made_it_and_with_which_files() -> None:
    files = provisioner(machine(), "1.2.3")
    text = files["Makefile"].text
    assert text.startswith("# Generated by raptorctl 1.2.3 (v1alpha1)\n")
    assert generated_files(text) == tuple(files)
    assert generated_files("all:\n\ttrue\n") is None
    assert {name for name, file in files.items() if file.mode == 0o600} == {
        "sshpass",
        "seed.iso.d/meta-data",
        "seed.iso.d/user-data",
    }


SETTINGS = {
    "V1ALPHA1_SSH_USR: x": "is nothing that v1alpha1 knows; did you mean V1ALPHA1_SSH_USER?",
    "V1ALPHA1_SSH_USER: $$(id -un)": "should be text of one line without a dollar",
    "V1ALPHA1_STOP_TIMEOUT_SECS: 1m": "should be a whole number of seconds",
}


@pytest.mark.parametrize("said", SETTINGS)
def test_a_setting_that_cannot_be_is_told(said: str) -> None:
    assert SETTINGS[said] in refused(with_vm(f"vars: {{{said}}}"))


def test_no_folder_of_images_is_the_machines_own(tmp_path: Path) -> None:
    vm1 = written(machine("vars: {DEFAULT_IMAGE_DIR: ''}"), tmp_path)
    assert f"\nimage_file=./{IMAGE}\n" in (vm1.folder / "vm.sh").read_text()


def test_a_local_node_needs_no_jump(tmp_path: Path) -> None:
    local = {NODES.partition("uri: ")[2].partition("}")[0]: "qemu:///system"}
    vm1 = written(machine(**local), tmp_path)
    assert "-J" not in (vm1.folder / "vm.sh").read_text()
