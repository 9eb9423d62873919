"""`python -m tests.lab`: the throwaway host from the command line."""

import argparse
import os
import sys

from tests.lab.errors import LabError
from tests.lab.host import Lab


def parser() -> argparse.ArgumentParser:
    """Return the command line, which reviewers rely on: keep it stable."""
    top = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("up", help="build what is missing, start the host, install raptorctl")
    commands.add_parser("build", help="build what is missing, and start nothing")
    commands.add_parser("reset", help="go back to the pristine host, with raptorctl as it is now")
    commands.add_parser("down", help="stop the host; nothing of its state is kept")
    commands.add_parser("status", help="say whether it runs, on which port, from which digests")
    commands.add_parser("web", help="print a link to its page, and keep that open until ^C")
    execute = commands.add_parser("exec", help="run a command in it, as root or as an account")
    execute.add_argument("--user", help="log in over ssh as this account")
    execute.add_argument("--tty", action="store_true", help="with a terminal, as for a console")
    execute.add_argument("argv", nargs="*", metavar="-- CMD", help="without it: a login shell")
    for name, what in (("push", "into the lab"), ("pull", "out of the lab")):
        copy = commands.add_parser(name, help=f"copy a file or folder {what}")
        copy.add_argument("source", metavar="SRC")
        copy.add_argument("target", metavar="DST")
    return top


def act(lab: Lab, options: argparse.Namespace) -> int:
    """Do what was asked and return the exit code."""
    match options.command:
        case "exec":
            argv = lab.ssh.argv(
                *options.argv, user=options.user, tty=options.tty or not options.argv
            )
            os.execvp(argv[0], argv)  # noqa: S606 - so that output, input and exit code pass through
        case "status":
            for name, value in lab.status().items():
                print(f"{name:10} {value}")
        case "web":
            from tests.lab import page

            page.show(lab)
        case "push" | "pull":
            getattr(lab, options.command)(options.source, options.target)
        case _:
            getattr(lab, options.command)()
    return 0


def main() -> int:
    """Run one command; an error is one message and exit code 1."""
    try:
        return act(Lab(), parser().parse_args())
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
