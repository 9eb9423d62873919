"""What systemd says of units, asked of several at once: each systemctl is a program to start."""

from raptorctl.host.system import command


def running(*names: str) -> tuple[str, ...]:
    """Return those units that run, or listen, in the order given.

    Args:
        names: of units, with their suffixes.

    Raises:
        CommandError: systemd does not answer.
        MissingError: there is no systemd.
    """
    # 3, 4: none of them runs; there is none of that name (systemctl(1), is-active).
    said = command.run("systemctl", "is-active", *names, ok=(0, 3, 4)).split()
    return tuple(
        name for name, state in zip(names, said, strict=False) if state in ("active", "reloading")
    )


def properties(keys: str, *names: str) -> tuple[dict[str, str], ...]:
    """Return what systemd has for each unit, loaded or not, in the order given.

    Args:
        keys: of properties, with commas between them.
        names: of units, with their suffixes.

    Raises:
        CommandError: systemd does not answer.
        MissingError: there is no systemd.
    """
    # An empty line between two units (systemctl(1), show).
    said = command.run("systemctl", "show", f"--property={keys}", *names)
    return tuple(
        dict(line.partition("=")[::2] for line in part.splitlines())
        for part in said.strip("\n").split("\n\n")
    )
