"""Signing what is said of an image, and checking that, by `ssh-keygen -Y` (ssh-keygen(1))."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from raptorctl.errors import CommandError, InputError, RefusedError
from raptorctl.host.system.caller import caller, open_given
from raptorctl.host.system.command import ENVIRONMENT, find
from raptorctl.model.error_code import Code
from raptorctl.model.names import shown
from raptorctl.model.text import last_line
from raptorctl.read.ssh_signature import parse_signature

NAMESPACE: Final = "raptorctl-image"
WRONG: Final = "incorrect signature"
"""What ssh-keygen says of a signature that is of another text."""
TIMEOUT: Final = 120.0
"""Seconds: a key in hardware wants to be touched."""


def sign(text: str, key: str) -> str:
    """Sign a text.

    Args:
        text: to the letter.
        key: the path of a private key, or of a public one whose private key an agent has. It is
            read with the rights of whoever typed sudo, by ssh-keygen itself, which may ask for a
            passphrase on the terminal.

    Raises:
        InputError: the key cannot be read, or used.
    """
    open_given(key, follow=True).close()
    agent = os.environ.get("SSH_AUTH_SOCK")
    environment = {**ENVIRONMENT, **({"SSH_AUTH_SOCK": agent} if agent else {})}
    who = caller()
    argv = (find("ssh-keygen"), "-Y", "sign", "-q", "-f", key, "-n", NAMESPACE)
    try:
        done = subprocess.run(
            argv, input=text.encode(), capture_output=True, check=False, timeout=TIMEOUT,
            env=environment, cwd="/", **(who.process() if who else {}),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InputError(f"ssh-keygen has not signed within {TIMEOUT:g} s") from error
    if done.returncode:
        said = last_line(done.stderr.decode(errors="replace"))
        raise InputError(
            f"{shown(key)} does not sign: {said}",
            resolution="name a private key, or the public one of a key that ssh-agent has",
        )
    return str(done.stdout, "utf-8")


def verified(text: str, signature: str, signers: Path, what: str) -> str:
    """Return whom a list of signers knows the key of a signature as.

    Args:
        text: to the letter.
        signature: armored.
        signers: a file of allowed signers (ssh-keygen(1), "ALLOWED SIGNERS").
        what: is signed, for errors.

    Raises:
        ImageError: the signature is none.
        RefusedError: it is of another text, for something else, or by nobody who is known.
    """
    seen = parse_signature(signature)
    if seen.namespace != NAMESPACE:
        raise RefusedError(
            f"{what} is signed for {shown(seen.namespace)}, and not as an image",
            resolution=f"it should be signed for the namespace {NAMESPACE}",
            code=Code.SIGNATURE_NAMESPACE,
            subject=what,
        )
    with _written(signature) as file:
        try:
            return _signer_of_any_line(text, file, signers)
        except CommandError as error:
            raise _refused(error, seen.fingerprint, signers, what) from error


def _signer_of_any_line(text: str, signature: Path, signers: Path) -> str:
    """Return whom a list knows the key as, by any line that lets it sign this.

    ssh-keygen finds principals for any namespace, and those of the first line with the key alone.

    Raises:
        CommandError: nobody; says why, of the list as a whole.
    """
    try:
        return _signer(text, signature, signers)
    except CommandError as error:
        first = error
    lines = [] if WRONG in first.stderr else signers.read_text().split("\n")
    for line in lines:
        with _written(f"{line}\n") as alone:
            try:
                return _signer(text, signature, alone)
            except CommandError as error:
                if WRONG in error.stderr:
                    raise
    raise first


def _signer(text: str, signature: Path, signers: Path) -> str:
    """Return whom a list knows the key as.

    Raises:
        CommandError: nobody whom it lets sign this; says why.
    """
    files = ("-s", str(signature), "-f", str(signers))
    who = _keygen("find-principals", *files, text="").splitlines()[0]
    _keygen("verify", "-n", NAMESPACE, "-I", who, *files, text=text)
    return who


@contextmanager
def _written(text: str) -> Iterator[Path]:
    """Have a text in a file that is ours alone, for as long as it is needed."""
    with tempfile.NamedTemporaryFile("w", prefix="raptorctl-") as file:
        file.write(text)
        file.flush()
        yield Path(file.name)


def _refused(error: CommandError, key: str, signers: Path, what: str) -> RefusedError:
    said = error.stderr
    if "has expired" in said or "not yet valid" in said:
        when = "has expired as" if "has expired" in said else "is not yet"
        return RefusedError(
            f"the key that signed {what} {when} a signer's",
            details=said,
            resolution=f"have it signed by another; {signers} has the dates",
            code=Code.SIGNER_EXPIRED,
            subject=what,
        )
    if WRONG in said:
        return RefusedError(
            f"the signature is not of what {what} says",
            details=said,
            resolution="somebody has changed it: do not use it",
            code=Code.SIGNATURE_INVALID,
            subject=what,
        )
    return RefusedError(
        f"{what} is signed by nobody who is known here: {key}",
        details=said,
        resolution=f"if they are to be trusted, add their key to {signers}",
        code=Code.SIGNER_UNKNOWN,
        subject=what,
    )


def _keygen(*words: str, text: str) -> str:
    argv = ("ssh-keygen", "-Y", *words)
    done = subprocess.run(
        (find(argv[0]), *argv[1:]), input=text.encode(), capture_output=True, check=False,
        timeout=TIMEOUT, env=ENVIRONMENT, cwd="/", start_new_session=True,
    )  # fmt: skip
    if done.returncode:
        raise CommandError(argv, done.returncode, done.stderr.decode(errors="replace"))
    return done.stdout.decode(errors="replace")
