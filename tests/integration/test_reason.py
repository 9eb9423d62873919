"""Why something failed, in one line with its own advice: real programs, made to fail."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from raptorctl.errors import CommandError, HostError
from raptorctl.host.guest.login import log_in
from raptorctl.host.guest.shell import open_shell
from raptorctl.host.image.download import Http
from raptorctl.host.system import command
from raptorctl.host.volume.qcow2_volumes import make_file
from tests.integration.session_account import Person, somebody
from tests.integration.sshd import Sshd, make_key


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    with somebody() as found:
        yield found


def test_a_backing_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"/nowhere.*No such file or directory$"):
        make_file(str(tmp_path / "disk"), 1 << 20, ("/nowhere", "qcow2"))


def test_an_image_that_another_program_has_open_is_told_so(tmp_path: Path) -> None:
    disk = str(tmp_path / "disk")
    make_file(disk, 1 << 20)
    # `compare` would read it; a monitor on standard input holds it until that ends.
    argv = ("qemu-system-x86_64", "-S", "-display", "none", "-M", "none", "-monitor", "stdio",
            "-blockdev", f"driver=file,filename={disk},node-name=f",
            "-blockdev", "driver=qcow2,file=f,node-name=d")  # fmt: skip
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(CommandError, match=r"lock: another program has it open"):
            command.run("qemu-img", "resize", "-f", "qcow2", disk, "2M")
        holder.communicate(b"quit\n")


def failure(sshd: Sshd, identity: Path) -> HostError:
    with pytest.raises(HostError) as caught:
        log_in(sshd.login(identity=identity), ("true",), lambda: None)
    return caught.value


def test_a_private_key_that_others_may_read_is_told_with_the_chmod(sshd: Sshd) -> None:
    (sshd.folder / "own").chmod(0o644)
    assert failure(sshd, sshd.folder / "own").resolution == f"chmod 600 {sshd.folder}/own"


def test_a_file_that_is_no_private_key_is_told(sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("what is no key\n")
    (tmp_path / "id").chmod(0o600)
    assert "not a private key that ssh can read" in failure(sshd, tmp_path / "id").resolution


def test_a_key_with_a_passphrase_is_for_the_agent(sshd: Sshd, tmp_path: Path) -> None:
    make_key(tmp_path / "id")
    argv = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(tmp_path / "id")]
    subprocess.run(argv, check=True)
    with (
        pytest.raises(HostError, match="ssh-add"),
        open_shell(sshd.login(identity=tmp_path / "id"), lambda: None),
    ):
        pass


def test_a_guest_that_has_no_cipher_of_ours_is_told(tmp_path: Path) -> None:
    with Sshd(tmp_path, "Ciphers aes128-cbc") as old:
        assert "update the older one" in failure(old, tmp_path / "own").resolution


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[str]:
    """A server whose certificate nobody signed but itself; returns its URL."""
    pair = ("-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert"))
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            "-subj", "/CN=localhost", *pair)  # fmt: skip
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}/web.qcow2"
        server.shutdown()


def test_what_is_wrong_with_a_certificate_is_said(tls: str) -> None:
    with pytest.raises(HostError) as caught:
        Http().length(tls)
    assert "its certificate is not good: self" in caught.value.brief
    assert "update-ca-certificates" in caught.value.resolution


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ("/proc", "XDG_RUNTIME_DIR is /proc, which is not yours: unset it"),
        ("/nowhere", "XDG_RUNTIME_DIR is /nowhere, which is not there: unset it"),
        ("../../etc/run", "XDG_RUNTIME_DIR is ../../etc/run, which is no absolute path: unset it"),
        ("/etc/passwd", "XDG_RUNTIME_DIR is /etc/passwd, which is no directory: unset it"),
        ("{home}/" + "x" * 90, "set XDG_RUNTIME_DIR to a shorter path"),
    ],
)
def test_a_session_that_has_no_place_for_its_sockets_is_told_which_and_not_to_install_libvirt(
    person: Person, place: str, advice: str
) -> None:
    place = place.format(home=person.home)
    if str(person.home) in place:
        person.run("mkdir", "-p", place)
    argv = ("env", f"XDG_RUNTIME_DIR={place}", person.python, "-m", "raptorctl", "list")
    done = person.run(*argv, check=False)
    assert advice in done.stderr
    assert place in done.stderr.partition(advice)[0]  # libvirt's own first line says it, too
    assert "install" not in done.stderr


def test_a_machine_type_that_qemu_does_not_know_is_told_with_the_settings_key(
    person: Person,
) -> None:
    ask = (
        "from raptorctl.host.domain.domains import LibvirtDomains\n"
        "domains = LibvirtDomains('qemu:///session')\n"
        "print(domains.emulator('q35'))\n"
        "domains.emulator('pc-q35-99.9')\n"
    )
    done = person.run(person.python, "-c", ask, check=False)
    assert "qemu" in done.stdout
    assert "machine type 'pc-q35-99.9'" in done.stderr or "'pc-q35-99.9' is not" in done.stderr
    assert "correct libvirt.machine_type in the settings" in done.stderr
