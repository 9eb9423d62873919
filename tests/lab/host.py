"""The lab as other tests use it: `Lab().up()`, `lab.run("lvs")`, `lab.reset()`."""

import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.lab import cache, converge, image, install, qemu, ssh, warm
from tests.lab.errors import LabError
from tests.lab.process import saying, tail, tool, wait_for

DEFAULT_TIMEOUT = 300
"""Seconds for one command; generous, as the lab may be emulated on two busy cores."""

DISKS = ("root.qcow2", "data.qcow2")

BOOTS = 3
SILENT = """
for cpu in $(seq 0 $(($(nproc) - 1))); do timeout 10 taskset -c $cpu sleep 0.01 || echo $cpu; done
"""
"""Which processors' timers do not fire. Now and then an emulated one has come up so; whatever waits
on it waits until something else wakes it, 20 s and more, and so would every host resumed from it."""

COMMANDS = "commands.log"
"""In the lab's directory: seconds, account and words of each command that was run."""

CONVERGED = "host"
"""The snapshot of the converged host; it has no raptorctl yet."""
TIMERS = ("raptorctl-expire.timer", "raptorctl-metrics.timer")
WAITING = f"""set -e
for timer in {" ".join(TIMERS)}; do
    mkdir -p /etc/systemd/system/$timer.d
    printf '[Timer]\\nOnCalendar=\\nOnCalendar=2099-01-01\\n' > /etc/systemd/system/$timer.d/lab.conf
done
systemctl daemon-reload
systemctl restart {" ".join(TIMERS)}
"""
"""They would do their work in the middle of a test of something else: their services are started."""

READY = "ready"
"""The snapshot with the checkout's raptorctl on top; what `reset` goes back to."""


class Lab:
    """The throwaway host of this checkout. Raises LabError, which says what was waited for."""

    def __init__(self) -> None:
        self.directory = cache.lab_directory()

    # Life and death

    def up(self) -> None:
        """Bring the host up with the checkout's raptorctl; what runs already is left running."""
        with self._locked():
            base = image.ensure()
            wanted = converge.digest(base)
            state = qemu.read_state()
            if state is None or (state.image, state.host) != (base.digest, wanted):
                self._down()
                self._start_converged(base, wanted)
                self._make_ready()
            elif self._installed() != install.digest():
                self._install()

    def build(self) -> None:
        """Make what `up` starts from where it is missing; start nothing that goes on running."""
        with self._locked():
            base = image.ensure()
            self._converged(base, converge.digest(base))

    def down(self) -> None:
        """Stop the host; nothing of its state is kept."""
        with self._locked():
            self._down()

    def reset(self) -> None:
        """Go back to the pristine host, with the raptorctl that is checked out now."""
        with self._locked():
            if self._state().installed == install.digest():
                self._resume(READY)
            else:
                self._resume(CONVERGED)
                self._make_ready()

    def cut_power(self) -> None:
        """Reset the host as a power cut would, and return once it has booted again."""
        with self._locked():
            self.ssh.forget()
            qemu.monitor(self.directory, "system_reset")
            self._wait_for_boot()

    def reboot(self) -> None:
        """Boot anew with the initramfs that is on the host now, not with the image's."""
        with self._locked():
            self.run("sync")
            initrd = self.directory / "initrd.img"
            self.pull("/boot/initrd.img-*", str(initrd))
            self._start_again(initrd=initrd)
            self._wait_for_boot()

    def status(self) -> dict[str, str | int]:
        """Return what is known of the host, for a person or a script."""
        state = qemu.read_state()
        if state is None:
            return {"state": "down", "directory": str(self.directory)}
        return {
            "state": "running" if state.host else "unfinished",
            "directory": str(self.directory),
            "pid": state.pid,
            "port": state.port,
            "image": state.image,
            "host": state.host,
            "installed": state.installed,
        }

    # Commands

    def run(
        self,
        *command: str,
        user: str | None = None,
        check: bool = True,
        timeout: float = DEFAULT_TIMEOUT,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run has
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root, or as another account over that account's own ssh login."""
        given = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
        if command[0] == "raptorctl" and user is None:
            command = warm.called(*command[1:])
        argv = self.ssh.argv(*command, user=user)
        try:
            with self._timed(user or "root", command):
                done = subprocess.run(
                    argv, capture_output=True, text=True, timeout=timeout, check=False, **given
                )
        except subprocess.TimeoutExpired as error:
            seen = tail(f"{_text(error.stdout)}{_text(error.stderr)}") or "nothing"
            raise LabError(
                f"`{' '.join(command)}` did not end within {timeout:.0f} s; it said: {seen}"
            ) from error
        if check and done.returncode:
            said = tail(done.stdout + done.stderr)
            raise LabError(
                f"`{' '.join(command)}` ended with {done.returncode} in the lab:\n{said}"
            )
        return done

    def sh(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root; it stops at the first failure."""
        return self.run("bash", "-euo", "pipefail", "-s", input=script, check=check)

    def start(self, *command: str, user: str | None = None) -> subprocess.Popen[str]:
        """Start a command and return at once; the caller waits for it."""
        pipe = subprocess.PIPE
        argv = self.ssh.argv(*command, user=user)
        return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def put(self, text: str, path: str, mode: int = 0o644) -> None:
        """Write a file in the lab, with the folders above it."""
        self.run("install", "-D", "-m", f"{mode:o}", "/dev/stdin", path, input=text)

    def push(self, source: str, target: str) -> None:
        """Copy a file or folder into the lab."""
        tool(*self.ssh.copy(source, f"lab:{target}"), timeout=DEFAULT_TIMEOUT)

    def pull(self, source: str, target: str) -> None:
        """Copy a file or folder out of the lab."""
        tool(*self.ssh.copy(f"lab:{source}", target), timeout=DEFAULT_TIMEOUT)

    def account(self, name: str, *groups: str) -> None:
        """Make an account that `run(user=name)` can log in to."""
        self.run("useradd", "-m", "-s", "/bin/bash", "-G", ",".join(groups), name)
        if "vm-users" in groups:
            self.put(image.public_key(), f"/etc/raptorctl/keys/{name}")
            return
        self.put(image.public_key(), f"/home/{name}/.ssh/authorized_keys", 0o600)
        self.run("chown", "-R", f"{name}:", f"/home/{name}/.ssh")

    def tenant(self, name: str, *options: str) -> None:
        """Make a tenant, by raptorctl, that `run(user=name)` can log in to."""
        words = ("raptorctl", "tenant", "add", name, "--key", "-", "-y", *options)
        self.run(*words, input=image.public_key())

    @property
    def ssh(self) -> ssh.Ssh:
        """How to reach the running lab."""
        return ssh.here(self._state().port)

    # How it is done

    def _state(self) -> qemu.State:
        state = qemu.read_state()
        if state is None:
            raise LabError("the lab is not running; `python -m tests.lab up` starts it")
        return state

    @contextmanager
    def _timed(self, who: str, command: tuple[str, ...]) -> Iterator[None]:
        """Keep what a command took: what is dear here is found by looking."""
        began = time.monotonic()
        try:
            yield
        finally:
            line = f"{time.monotonic() - began:.1f} {who} {shlex.join(command)}"
            with (self.directory / COMMANDS).open("a") as log:
                log.write(" ".join(line.split()) + "\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with cache.locked(self.directory / "lock"):
            yield

    def _down(self) -> None:
        state = qemu.read_state()
        if state is not None:
            self.ssh.forget()
            qemu.stop(state.pid)
        for name in ("state.json", *DISKS):
            (self.directory / name).unlink(missing_ok=True)

    def _start(self, base: image.Image, host: str, resume: str | None = None) -> None:
        port = qemu.free_port()
        pid = qemu.start(base, self.directory, port, resume)
        qemu.write_state(qemu.State(pid=pid, port=port, image=base.digest, host=host))
        self.ssh.pin(base)

    def _start_converged(self, base: image.Image, wanted: str) -> None:
        cached = self._converged(base, wanted)
        with saying("starting the host from its snapshot"):
            for disk in DISKS:
                cache.copy_sparse(cached / disk, self.directory / disk)
            self._start(base, wanted, resume=CONVERGED)
            self._wait_for_ssh(timeout=120)

    def _converged(self, base: image.Image, wanted: str) -> Path:
        make = partial(self._build_converged, base)
        return cache.made("host", wanted, "making a raptor host of it", 4, make)

    def _build_converged(self, base: image.Image, scratch: Path) -> None:
        """Boot the image, apply the role, keep the result. A failure leaves the host to look at."""
        self._down()
        with saying("booting the image"):
            qemu.create_disks(base, self.directory)
            self._start(base, host="")
            self._wait_for_boot()
        with saying("converging with the role raptor_host"):
            converge.converge(self.ssh)
            self.run(*install.PREPARE.split())
            self.run("sh", "-c", WAITING)
        with saying("taking the snapshot"):
            self._take(CONVERGED)
            qemu.stop(self._state().pid)
            for disk in DISKS:
                (self.directory / disk).rename(scratch / disk)

    def _wait_for_boot(self) -> None:
        for _ in range(BOOTS):
            if not (obstacle := self._obstacle()):
                return
            self.ssh.forget()
            qemu.monitor(self.directory, "system_reset")
        raise LabError(f"the lab did not come up in {BOOTS} boots: {obstacle}")

    def _obstacle(self) -> str:
        """Wait for a boot; why it has to be begun anew, or ""."""
        try:
            self._wait_for_ssh(timeout=300)
        except LabError as error:  # the timer of its first processor does not fire
            return str(error)
        self._wait_for_units()
        silent = self.sh(SILENT).stdout.split()
        return f"timers of its processors {silent} do not fire" if silent else ""

    def _wait_for_units(self) -> None:
        done = self.run("systemctl", "is-system-running", "--wait", check=False)
        if done.stdout.strip() != "running":
            failed = self.run("systemctl", "--failed", "--no-legend", "--plain").stdout
            raise LabError(f"the lab booted {done.stdout.strip()}:\n{failed}")

    def _wait_for_ssh(self, timeout: float) -> None:
        """Wait for its ssh server, and set the clock.

        A snapshot's clock stands where it was taken, and TSIG allows 300 s (RFC 8945).
        """
        state = self._state()
        where = f"ssh in the lab ({self.directory}/console.log)"
        wait_for(where, lambda: None if qemu.greets(state.port) else "no answer", timeout)
        self.run("date", "-s", f"@{time.time():.3f}")

    def _take(self, name: str) -> None:
        """Take a snapshot with no ssh connection in it: it would be dead on resuming."""
        self.run("sync")
        self.ssh.forget()
        qemu.snapshot(self.directory, "savevm", name)

    def _resume(self, name: str) -> None:
        """Resume in a new process.

        In the same one QEMU's time stamp counter goes on from where it was (cpu_get_ticks knows no
        way back): the host's clocks jump by minutes, and what waits there has waited too long.
        """
        self._start_again(snapshot=name)
        self._wait_for_ssh(timeout=120)

    def _start_again(self, snapshot: str | None = None, initrd: Path | None = None) -> None:
        state = self._state()
        self.ssh.forget()
        qemu.stop(state.pid)
        base = image.Image(cache.directory() / f"image-{state.image}")
        pid = qemu.start(base, self.directory, state.port, snapshot, initrd)
        qemu.write_state(replace(state, pid=pid))

    def _installed(self) -> str:
        return self.run("cat", "/opt/raptorctl/digest", check=False).stdout.strip()

    def _install(self) -> None:
        built = install.wheel()
        with saying("installing raptorctl"):
            script = ["bash", "-c", install.UNPACK, "unpack", install.launcher(built)]
            argv = self.ssh.argv(*script, install.digest_of(built))
            with built.open("rb") as content:
                done = subprocess.run(argv, stdin=content, capture_output=True, check=False)
        if done.returncode:
            raise LabError(f"installing raptorctl failed:\n{tail(done.stderr.decode())}")
        with saying("having its imports done"):
            self.push(warm.__file__, warm.FILE)
            self.sh(warm.START)

    def _make_ready(self) -> None:
        """Install raptorctl and keep a snapshot of that, so that most resets only resume."""
        qemu.write_state(replace(self._state(), installed=""))  # until the snapshot is there
        self._install()
        self._take(READY)
        qemu.write_state(replace(self._state(), installed=self._installed()))


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
