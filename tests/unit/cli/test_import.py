"""`import`: a VMFile as a file of ours, and `up` of either is the same."""

import json
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raptorctl.drivers.image import Pulled, Wanted
from raptorctl.errors import DownloadError
from raptorctl.model.image import Image
from tests.fakes import IMAGE
from tests.unit.cli.session import CommandLine
from tests.unit.cli.test_export import own
from tests.unit.model.test_ssh_key import GOOD
from tests.unit.read.test_registry import WHOLE

__all__ = ["own"]

FILE = """
vm "web" {
    image-url "debian:13"
    memory 2048
    vcpus 2
    cloud-init { hostname "web"; }
    ssh { user "debian"; }
    provision "shell" { inline "echo $HOME"; }
}
"""
IMPORTED = """#:schema /usr/share/raptorctl/raptor.schema.json

[machine.web]
cpus = 2
memory = "2048M"
seed = true
image = "debian:13"
hostname = "web"
account = "debian"
steps = [{ inline = "echo $$HOME" }]
"""


@pytest.fixture
def home(own: CommandLine) -> CommandLine:
    Path("VMFile.kdl").write_text(FILE)
    return own


def plan(host: CommandLine, *words: str) -> Any:
    done = host("up", *words, "--dry-run", "-o", "json")
    assert done.code == 0, done.err
    said = json.loads(done.out)["plan"]
    return said["rows"], said["guest_steps"]


def test_it_prints_the_same_machines_and_up_of_either_is_the_same(home: CommandLine) -> None:
    first = plan(home)
    assert first == plan(home, "VMFile.kdl", "web")
    assert first[1] == ["alice-web: run echo $HOME"]
    assert home("import", "VMFile.kdl").out == IMPORTED
    Path("raptor.toml").write_text(IMPORTED)
    assert plan(home) == first


def test_a_file_that_has_no_word_for_disks_has_no_say_in_them(home: CommandLine) -> None:
    Path("VMFile.kdl").write_text('vm "web" {\n    image-url "debian:13"\n}\n')
    assert home("up", "-y").code == 0
    added = home("disk", "add", "web", "data=1G", "-y")
    assert added.code == 0, added.err
    assert home("diff").out == "nothing differs\n"
    Path("raptor.toml").write_text(home("import", "VMFile.kdl").out)
    assert "disk data  1G  none      refused" in home("diff", "raptor.toml").out


def test_up_says_what_raptorctl_has_nothing_for_and_import_makes_it_a_comment(
    home: CommandLine,
) -> None:
    Path("VMFile.kdl").write_text(FILE.replace("vcpus 2", 'vcpus 2\nnetwork "vnic" name="v"'))
    refused = home("up")
    assert refused.code == 2
    assert "VMFile.kdl:6:1: network: vnic is not supported" in refused.err
    said = home("import", "VMFile.kdl").out
    assert "[machine.web]\n# not imported:6:1: network: vnic is not supported by" in said


def test_paths_of_a_file_in_a_folder_begin_here_in_what_is_printed(home: CommandLine) -> None:
    Path("sub").mkdir()
    for name in ("disk.qcow2", "ud.yaml", "k.pub", "setup.sh", "site.conf"):
        Path("sub", name).write_text(GOOD if name == "k.pub" else "#cloud-config\n")
    Path("sub/VMFile.kdl").write_text("""
vm "web" {
    image "disk.qcow2"
    cloud-init { user-data "./ud.yaml"; ssh-key "k.pub"; }
    ssh { user "debian"; private-key "/keys/k"; }
    provision "shell" { script "setup.sh"; }
    provision "file" { source "site.conf"; destination "site.conf"; }
}
""")
    said = tomllib.loads(home("import", "sub/VMFile.kdl").out)["machine"]["web"]
    assert (said["image"], said["user_data"]) == ("sub/disk.qcow2", "sub/ud.yaml")
    assert said["keys"] == ["sub/k.pub", "/keys/k.pub"]
    assert said["steps"] == [{"run": "sub/setup.sh"}, {"copy": "sub/site.conf", "to": "site.conf"}]
    whole = home("import", str(Path("sub/VMFile.kdl").absolute())).out
    assert f'image = "{Path("sub/disk.qcow2").absolute()}"' in whole


def test_on_a_shared_host_it_says_whose_they_are(raptorctl: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "VMFile.kdl"
    file.write_text(FILE)
    assert "[machine.alice-web]" in raptorctl("import", str(file), "--tenant", "alice").out
    file.write_text(FILE.replace("vcpus 2", 'network "tap"'))
    bridged = raptorctl("import", str(file), "--tenant", "alice").out
    assert 'net = ["slot", "bridge:br0"]' in bridged
    unsaid = raptorctl("import", str(file))
    assert (unsaid.code, "--tenant" in unsaid.complaint) == (2, True)


def test_a_file_of_no_such_format_is_refused(home: CommandLine) -> None:
    Path("x.json").write_text("{}")
    refused = home("import", "x.json")
    assert (refused.code, "is no file that can be imported" in refused.complaint) == (
        2,
        True,
    )


REGISTRY = """
vms:
  - name: vm1
    libvirt:
      domain:
        virtInstall:
          memory: 2048
          vcpus: 2
          osinfo: linux2022
          network: [{name: n, options: {bridge: br0}}]
      volumes:
        - {name: b, poolName: p, capacity: 20G, backingVolume: {name: i, poolName: p}}
        - {name: d, poolName: p, capacity: 5G}
    cloudInit: {noCloud: {data: {user-data: {a: b}}, seed: {path: s.iso}}}
    ssh: {password: x}
"""
FROM_REGISTRY = """#:schema /usr/share/raptorctl/raptor.schema.json

[machine.vm1]
# not imported:35:11: virtInstall.network: is virt-install's, and not read; say net
# not imported:5:33: node: qemu+ssh://root@h:2222/system is on another host, and the machine is made here; run raptorctl there
# not imported:38:18: volumes: p/d of 5G; write it as a disk of the machine
# not imported:39:34: cloudInit: user-data is a file of its own here; `registry gen` writes it: name that file as user_data
# not imported:40:21: ssh: password: machines are logged in to by key; name keys
image = "https://a.example/v3/3.20.img"
cpus = 2
memory = "2048M"
size = "20G"
account = "alpine"
"""


def test_a_registry_is_imported_with_a_comment_for_what_has_no_key(home: CommandLine) -> None:
    registry()
    found = home("import", "registry.yaml")
    assert (found.out, found.err) == (FROM_REGISTRY, "")
    Path("raptor.toml").write_text(found.out)
    assert home("up", "--dry-run").code in {0, 3}
    Path("registry.yaml").write_text("vms: [{name: x, b: 1}]")
    refused = home("import", "registry.yaml")
    assert (refused.code, "registry.yaml:1:17: vms.x.b: " in refused.complaint) == (2, True)


def registry(text: str = REGISTRY) -> None:
    whole = WHOLE.replace('    libvirt: {domain: {name: "{VM_NAME}"}}\n', "")
    added = text.partition("- name: vm1\n")[2].replace(
        "        virtInstall", '        name: "{VM_NAME}"\n        virtInstall'
    )
    Path("registry.yaml").write_text(whole + added)


def test_up_of_a_registry_is_up_of_what_import_prints(home: CommandLine) -> None:
    registry()
    Path("raptor.toml").write_text(FROM_REGISTRY)
    of_ours = home("up", "raptor.toml", "--dry-run")
    done = home("up", "registry.yaml", "--dry-run")
    assert (done.out, of_ours.err) == (of_ours.out, "")
    assert "alice-vm1" in done.out
    notes = [line.partition("note: not taken over: registry.yaml:")[2] for line in
             done.err.splitlines()]  # fmt: skip
    said = [line.partition("# not imported:")[2] for line in FROM_REGISTRY.splitlines()]
    assert notes == list(filter(None, said))
    assert home("diff", "registry.yaml", "vm1").err == done.err
    assert home("down", "registry.yaml", "--dry-run").code == 0


def test_an_image_without_its_digest_in_the_registry_makes_no_machine(
    home: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, asked = "AB" * 32, list[str]()

    def pull(wanted: Wanted, *_watch: object) -> Pulled:
        asked.append(wanted.sha256)
        if wanted.sha256 == said.lower():
            raise DownloadError("its checksum is another")
        return Pulled(IMAGE, "pulled")

    def foresee(wanted: Wanted) -> Image:
        asked.append(wanted.sha256)
        return replace(IMAGE, name="x", digest="")

    registry()
    text = Path("registry.yaml").read_text()
    Path("registry.yaml").write_text(
        text.replace("{type: xz}", f"{{type: xz}}\n        sha256: {said}")
    )
    monkeypatch.setattr(home.world.images, "foresee", foresee)
    monkeypatch.setattr(home.world.images, "pull", pull)
    refused = home("up", "registry.yaml", "-y")
    assert (refused.code, asked, home.world.domains.list()) == (1, [said.lower()] * 2, ())
    assert "registry.yaml:25:11: machine.vm1: its checksum is another" in refused.err
    comment = (
        "# not imported:19:17: sha256: is not checked by `up` of this file; raptorctl image pull "
        f"https://a.example/v3/3.20.img --sha256 {said.lower()}\n"
    )
    assert comment in home("import", "registry.yaml").out


def test_all_that_a_registry_has_and_is_not_read_is_told_where_it_stands(home: CommandLine) -> None:
    Path("registry.yaml").write_text(ALL)
    out = home("import", "registry.yaml").out
    said = [line.removeprefix("# not imported:") for line in out.splitlines() if line[0:1] == "#"]
    assert said[1:] == NOT_READ
    assert tomllib.loads(out)["machine"]["vm1"]["hostname"] == "inner"


ALL = """
nodes:
  - {name: far, libvirt: {connection: {uri: "qemu+ssh://root@far/system"}}}
images:
  - name: alpine
    tags:
      - pattern: ^1$
        url: https://a.example/1.7z
        volumeName: alpine.img
        archive: {type: 7z, path: disk.img}
templates:
  - name: cloud
    cloudInit:
      noCloud:
        seed: {path: s.iso}
        data:
          meta-data: {instance-id: i, local-hostname: inner, rack: r7}
    ssh:
      user: alpine
      host: 192.0.2.1
      password: x
      options:
        LogLevel: ERROR
        Port: "2222"
vms:
  - name: vm1
    nodeName: far
    image: alpine:1
    provisioner: v1alpha1
    template: cloud
    libvirt:
      domain:
        name: vm1
        virtInstall:
          disk:
            - {name: boot, options: {vol: p/boot}}
            - {name: cd, options: {vol: p/seed, device: cdrom}}
            - {name: raw, options: {path: /dev/sdb}}
      volumes:
        - {name: image, poolName: p, uploadFile: {path: .images/alpine.img}}
        - {name: seed, poolName: p, uploadFile: {path: s.iso}}
        - name: boot
          poolName: p
          capacity: 20G
          deletionPolicy: Retain
          backingVolume: {name: image, poolName: p}
        - {name: more, poolName: p, capacity: 30G, backingVolume: {name: image, poolName: p}}
        - {name: data, poolName: p, deletionPolicy: Retain, uploadFile: {path: data.img}}
"""
NOT_READ = [
    "38:43: virtInstall.disk: /dev/sdb is no volume of the registry; write it as a disk of the machine",
    "10:35: archive.path: disk.img is not picked out; unpack it, and name that file",
    "3:45: node: qemu+ssh://root@far/system is on another host, and the machine is made here; run raptorctl there",
    "45:27: deletionPolicy: p/boot goes with its machine here; keep data on a further disk",
    "47:18: volumes: p/more of 30G over p/image; write it as a disk of the machine",
    "48:18: volumes: p/data from data.img; write it as a disk of the machine, with keep = true",
    "17:62: cloudInit: meta-data: rack is not read; say meta_data",
    "21:17: ssh: password: machines are logged in to by key; name keys",
    "20:13: ssh: host: machines are found by their slot or network; say net",
    "23:9: ssh: options: LogLevel, Port: not read; write them into ~/.ssh/config",
]


def test_files_of_editors_on_windows_are_read_and_their_places_stay(home: CommandLine) -> None:
    registry()
    profile = 'memory = "2G"\n'
    texts = {
        "VMFile.kdl": FILE.lstrip(),
        "raptor.toml": '[machine.web]\nimage = "debian:13"\nprofile = "./small.toml"\n',
        "registry.yaml": Path("registry.yaml").read_text(),
    }
    for name, text in {**texts, "small.toml": profile}.items():
        Path(name).write_bytes(("\ufeff" + text.replace("\n", "\r\n")).encode())
    for name, text in texts.items():
        done = home("up", name, "--dry-run")
        assert (done.code, "absent" in done.out) == (0, True), done.err
        piped = home("up", "-", "--dry-run", answer="\ufeff" + text)
        assert piped.code == 0, piped.err
    assert '\nimage = "debian:13"\n' in home("import", "VMFile.kdl").out
    Path("raptor.toml").write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    said = home("up", "--dry-run").err
    assert ("raptor.toml:1:1: x: " in said, "raptor.toml:2:1: y: " in said) == (True, True)
    Path("a.b9").write_bytes(b'\xef\xbb\xbfArtifact (IID "a")\r\n(CloudInit [CI_ISO] "out/a")\r\n')
    assert home("import", "a.b9").complaint.endswith("a.b9:2:2: the seed 'a' has no files")


def test_other_tools_files_have_no_variables_of_ours(home: CommandLine) -> None:
    registry()
    for file in ("VMFile.kdl", "registry.yaml"):
        refused = home("up", file, "--var", "nope=x", "--dry-run")
        said = f"{file}: --var nope: is used by nothing here; known: none"
        assert (refused.code, said in refused.err) == (2, True), refused.err


@pytest.mark.parametrize("name", ["-", "./machines"])
def test_of_a_file_whose_name_says_nothing_the_text_tells_what_it_is(
    home: CommandLine, name: str
) -> None:
    registry()
    for original in ("VMFile.kdl", "registry.yaml"):
        text = Path(original).read_text()
        Path("machines").write_text(text)
        assert home("import", name, answer=text).out == home("import", original).out
        shown = home("up", name, "--dry-run", answer=text)
        assert (shown.code, shown.out) == (0, home("up", original, "--dry-run").out)


def test_a_registry_of_many_files_is_named_by_a_pattern(home: CommandLine) -> None:
    registry()
    whole, one = Path("registry.yaml").read_text().split("vms:\n")
    Path("reg/vms").mkdir(parents=True)
    Path("reg/a.yaml").write_text(whole)
    Path("reg/vms/one.yaml").write_text(f"vms:\n{one}")
    pattern = "reg/**/*.yaml"
    said = home("import", pattern).out
    assert said.endswith(FROM_REGISTRY.partition("and not read")[2].partition("name keys\n")[2])
    assert "# not imported: reg/vms/one.yaml:13:11: virtInstall.network: is" in said
    assert "alice-vm1" in home("up", pattern, "vm1", "--dry-run").out
    assert home("diff", pattern).code == 0
    Path("reg/vms/one.yaml").write_text(f"vms:\n{one}".replace("memory: 2048", "memory: 1"))
    refused = home("up", pattern)
    assert (refused.code, "reg/vms/one.yaml:2:11: machine.vm1.memory: " in refused.err) == (2, True)
    missing = home("up", "reg/*.yml")
    assert (missing.code, "no file of a registry is called 'reg/*.yml'" in missing.err) == (2, True)


def test_an_iso_of_a_registry_is_for_the_cd_drive(home: CommandLine) -> None:
    text = REGISTRY.replace(", backingVolume: {name: i, poolName: p}", "")
    registry(text)
    file = Path("registry.yaml")
    file.write_text(file.read_text().replace("{minor}.img", "{minor}.iso"))
    said = home("import", "registry.yaml").out
    assert 'iso = "https://a.example/v3/3.20.iso"\n' in said
    assert 'size = "20G"\n' in said
    assert "image" not in said
    assert "volumes: p/d of 5G; write" in said
    assert "p/b" not in said
    refused = home("up", "registry.yaml")  # the sample cache knows disks alone
    assert "is a disk (qcow2), and no ISO" in refused.err


def test_an_error_in_a_machine_of_a_registry_has_its_place(home: CommandLine) -> None:
    registry(REGISTRY.replace("memory: 2048", "memory: 1"))
    refused = home("up", "registry.yaml")
    assert refused.code == 2
    assert "registry.yaml:24:11: machine.vm1.memory: " in refused.err
    registry(REGISTRY.replace("capacity: 20G", "capacity: 20G, capacity: 1G"))
    assert "capacity is there twice" in home("up", "registry.yaml").complaint


def test_a_dollar_in_a_registry_is_no_variable(home: CommandLine) -> None:
    registry()
    file = Path("registry.yaml")
    file.write_text(file.read_text().replace("/v{major}/", "/${{x}}/"))
    assert 'image = "https://a.example/$${x}/3.20.img"' in home("import", "registry.yaml").out
    done = home("up", "registry.yaml", "--dry-run", "-o", "json")
    assert (done.code, "https://a.example/${x}/3.20.img" in done.out) == (0, True), done.err


def test_without_the_library_it_says_what_to_install(
    home: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kdlquery", "kdlquery.parser", "kdlquery.types"):
        monkeypatch.setitem(sys.modules, name, None)
    for words in (("import", "VMFile.kdl"), ("up",)):
        refused = home(*words)
        assert (refused.code, "pip install 'raptorctl[kdl]'" in refused.complaint) == (3, True)


def test_up_of_a_shell_profile_says_to_import_it(home: CommandLine) -> None:
    Path("web.sh").write_text("DOMAIN=web\n")
    refused = home("up", "web.sh")
    assert refused.code == 2
    assert "`raptorctl import web.sh --trust > raptor.toml` makes one" in refused.complaint


def test_a_format_that_is_said_counts_more_than_name_and_text(home: CommandLine) -> None:
    for name in ("web.toml", "web.yaml", "web.sh"):
        Path(name).write_text(FILE)
        assert plan(home, name, "--format", "vmfile") == plan(home, "VMFile.kdl")
        for verb in ("diff", "down"):
            assert home(verb, name, "--format", "vmfile").code == 0
        assert home("import", name, "--format", "vmfile").out == IMPORTED
    Path("VMFile.kdl").write_text(IMPORTED)
    assert plan(home, "--format", "raptor", "VMFile.kdl")[1] == ["alice-web: run echo $HOME"]
    Path("reg.d").mkdir()
    Path("reg.d/a.txt").write_text(WHOLE)
    for name in ("reg.d/a.txt", "reg.d/*.txt"):
        told = home("up", name, "vm1", "--format", "registry", "--dry-run").out
        assert "vm1" in told.replace("alice-", ""), told


def test_without_a_file_the_format_says_which_one_is_taken(home: CommandLine) -> None:
    Path("raptor.toml").write_text("[machine.db]\n")
    assert {row["machine"] for row in plan(home)[0]} == {"alice-db"}
    assert {row["machine"] for row in plan(home, "--format", "vmfile")[0]} == {"alice-web"}
    Path("VMFile.kdl").unlink()
    refused = home("up", "--format", "vmfile")
    assert (refused.code, "there is no VMFile.kdl here" in refused.complaint) == (2, True)
    assert "no registry is taken by itself" in home("up", "--format", "registry").complaint


@pytest.mark.parametrize("verb", ["up", "down", "diff", "reload"])
def test_a_format_that_is_none_or_another_is_refused_in_one_line(
    home: CommandLine, verb: str
) -> None:
    for form, said in (("raptor", "raptor.toml"), ("registry", "registry of vmp")):
        refused = home(verb, "VMFile.kdl", "--format", form)
        assert refused.code == 2
        assert refused.complaint == (
            f"raptorctl: VMFile.kdl:2:1: is a line of a VMFile, and was read as a {said}; "
            "say --format vmfile"
        )
    unknown = home(verb, "VMFile.kdl", "--format", "shell")
    assert unknown.code == 2
    assert "'shell' is not one of 'raptor', 'vmfile', 'registry'" in unknown.complaint


def test_a_name_that_lies_is_told_with_the_format(home: CommandLine) -> None:
    Path("raptor.toml").write_text(FILE)
    assert "raptor.toml:2:1: is a line of a VMFile" in home("up").complaint
    assert "say --format vmfile" in home("up").complaint


def test_a_saved_plan_keeps_the_format(home: CommandLine) -> None:
    Path("web.toml").write_text(FILE.replace("cloud-init", "/-cloud-init"))
    text = home("up", "web.toml", "--format", "vmfile", "--dry-run", "-o", "json").out
    Path("plan.json").write_text(text)
    assert home("up", "--plan", "plan.json", "--dry-run", "-o", "json").out == text
    said = json.loads(text)
    assert said["plan"]["format"] == "vmfile"
    assert home("up", "--plan", "plan.json", "--format", "vmfile").code == 2
    said["plan"].pop("format")  # one from before
    Path("plan.json").write_text(json.dumps(said))
    assert "web.toml:2:1: is a line of a VMFile" in home("up", "--plan", "plan.json").complaint
