"""Public keys, as OpenSSH's own programs read and write them."""

import shlex
import subprocess
from pathlib import Path

import pytest

from raptorctl.errors import InputError
from raptorctl.model.ssh_key import parse_keys


def keygen(*words: str) -> str:
    done = subprocess.run(["ssh-keygen", *words], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "id"
    keygen("-q", "-t", "rsa", "-b", "3072", "-N", "", "-C", "Zoë (laptop)", "-f", str(file))
    return file.with_name("id.pub")


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
@pytest.mark.parametrize("blank", [" ", "\t", " \t"])
def test_what_ssh_keygen_takes_for_a_key_is_the_same_key_to_us(
    public: Path, tmp_path: Path, ending: str, blank: str
) -> None:
    file = tmp_path / "key.pub"
    text = public.read_text().strip().replace(" ", blank, 2) + ending
    file.write_bytes(text.encode())
    (key,) = parse_keys(text)
    assert key.fingerprint == keygen("-l", "-f", str(file)).split()[1]
    assert key.comment == "Zoë (laptop)"


@pytest.mark.parametrize("form", ["RFC4716", "PKCS8", "PEM"])
def test_the_command_that_is_named_makes_a_key_of_every_form_that_ssh_keygen_writes(
    public: Path, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "key"
    file.write_text(keygen("-e", "-m", form, "-f", str(public)))
    with pytest.raises(InputError) as error:
        parse_keys(file.read_text())
    assert error.value.resolution
    made = keygen(*shlex.split(error.value.resolution.replace("FILE", str(file)))[1:])
    assert parse_keys(made)[0].blob == public.read_text().split()[1]
