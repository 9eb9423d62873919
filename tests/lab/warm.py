"""A start of raptorctl in the lab that has its imports behind it.

Under emulation they take three of the four seconds of `raptorctl list`, and the tests make some hundred calls. A
process of the lab's host has imported everything and run nothing; it forks for each call, and what it forks is given
the caller's arguments, environment, folder and files, and runs `raptorctl.__main__.main` as the installed script
does. Only `Lab.run` of root comes this way: tenants, sudo, terminals and whatever a test means to kill start the
installed program. So does everybody where the process is not there, as after a reboot. Scripts that drive our
drivers (drive.py) are run by such a fork as well.

The host runs this file as `python3 -I -S warm.py WORD...`, with `--script` for a script on standard input, and as
`python3 warm.py --serve`.
"""

import _socket
import marshal
import os
import sys

FILE = "/opt/raptorctl/warm.py"
"""This file, on the lab's host."""
SOCKET = "/run/raptor-lab-warm"
PYTHON = "/opt/raptorctl/bin/python3"
PROGRAM = "/opt/raptorctl/bin/raptorctl"
SCRIPT = "--script"
START = f"""
systemctl stop raptor-lab-warm 2>/dev/null || true
rm -f {SOCKET}
systemd-run --quiet --collect --unit raptor-lab-warm {PYTHON} {FILE} --serve
until [ -S {SOCKET} ]; do systemctl is-active --quiet raptor-lab-warm; sleep 0.1; done
"""
"""A shell script that has it in the host's memory, anew."""
LARGEST = 1 << 17
"""Bytes of a message: arguments and environment."""
KILLED = 137
"""128 + SIGKILL: whoever was to tell how it ended is gone."""


def called(*arguments: str) -> tuple[str, ...]:
    """Return the command that runs raptorctl by that process."""
    return (PYTHON, "-I", "-S", FILE, *arguments)


def ask(arguments: list[str]) -> int:
    """Have the process run a command line with our files, and return its exit code."""
    # Not `socket`, which imports a dozen modules for its conveniences.
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        server.connect(SOCKET)
    except OSError:
        cold = [PYTHON, "-"] if arguments == [SCRIPT] else [PROGRAM, *arguments]
        os.execv(cold[0], cold)  # noqa: S606
    said = marshal.dumps((arguments, dict(os.environ), os.getcwd()))  # noqa: PTH109
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    server.sendmsg([said], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    answer = server.recv(1)
    return answer[0] if answer else KILLED


def serve() -> None:
    """Import everything, then fork for each call."""
    import gc
    import signal
    import socket

    gc.disable()
    _import_everything()
    gc.freeze()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server.bind(SOCKET)
    server.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    while True:
        caller, _ = server.accept()
        if os.fork() == 0:
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                _answer(caller)
            finally:
                os._exit(1)
        caller.close()


def _import_everything() -> None:
    from importlib import import_module
    from pkgutil import walk_packages

    import raptorctl

    for module in walk_packages(raptorctl.__path__, "raptorctl."):
        if not module.name.startswith(("raptorctl.relay", "raptorctl.__main__")):
            _import(module.name)
    for name in OTHERS:
        import_module(name)
    import_module("raptorctl.host.system.lean_sh").lean_sh()


def _import(name: str) -> None:
    from importlib import import_module

    try:
        import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("raptorctl"):
            raise
        # What an extra brings is not on the host: the page's, and B9's reader.


OTHERS = ("libvirt_qemu", "lxml.etree", "pycdlib", "pyudev", "yaml")
"""What ours import as they need it; asyncssh is not worth it, as few calls do."""


def _answer(caller: "_socket.socket") -> None:
    """Be the command: run it, tell how it ended, and end."""
    import atexit
    import socket

    said, files, _, _ = socket.recv_fds(caller, LARGEST, 3)  # type: ignore[arg-type]
    arguments, environment, folder = marshal.loads(said)  # noqa: S302 - from our own other half
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.argv = [PROGRAM, *arguments]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
    code = _run_script() if arguments == [SCRIPT] else _run_program()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    caller.send(bytes([code]))
    os._exit(code)


def _run_program() -> int:
    from raptorctl.__main__ import main

    return main()


def _run_script() -> int:
    import traceback

    try:
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), {"__name__": "__main__"})  # noqa: S102
    except Exception:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    sys.exit(ask(sys.argv[1:]))
