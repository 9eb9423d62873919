"""Which commands there are, and the module of the one that was typed: no other is imported."""

import gc
from functools import cache
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

COMMANDS: Final = {
    "provision": ("provision", "Make a machine."),
    "deprovision": ("deprovision", "Remove a machine for good."),
    "rebuild": ("rebuild", "Give a machine a new disk."),
    "resize": ("resize", "Change a machine's disk, CPUs, memory."),
    "list": ("machine", "List machines."),
    "show": ("machine", "Show all about one machine."),
    "console": ("console", "Attach to a machine's console; ^] leaves."),
    "log": (
        "log",
        "Show what a machine's console said since it was made, or what steps in its guest said.",
    ),
    "wait": (
        "wait",
        "Wait until a machine is so far; exit code 5 if it is not in time, with what was seen.",
    ),
    "ip": (
        "ip",
        "Show a machine's addresses: by its slot, by the neighbour table, by its agent.",
    ),
    "ssh": ("ssh", "Log in to a machine, or run a command there."),
    "why": ("why", "Tell how far a machine's boot came, what it hangs at, and what to try."),
    "run": (
        "run",
        "Run scripts and copy files in a guest, in the order typed; the first failure ends it.",
    ),
    "start": ("power", "Start a machine."),
    "stop": ("power", "Shut a machine down: press its power button and wait."),
    "reboot": ("power", "Ask a machine to boot anew."),
    "reset": (
        "power",
        "Press a machine's reset button: it boots anew at once, and loses what it has not written.",
    ),
    "suspend": ("power", "Stop a machine's CPUs where they are; it keeps its memory."),
    "resume": ("power", "Let a suspended machine go on."),
    "autostart": ("autostart", "Have a machine start with the host, or not."),
    "audit": ("audit", "Show who did what, and how it ended."),
    "recover": ("recover", "Finish or undo what was cut off."),
    "doctor": ("doctor", "Check what provision needs."),
    "snapshot": ("snapshot", "What a machine's disk held, kept and put back."),
    "seed": ("seed", "What cloud-init is told at a machine's first boot."),
    "template": ("template", "Domain templates, and profiles: templates of machines."),
    "tenant": ("tenant", "Who owns machines: accounts, keys, quotas."),
    "access": ("access", "Who may do what with libvirt."),
    "slot": ("slot", "Places on the network: bridge, MAC, addresses."),
    "cpu": ("cpu", "Host CPUs, and which machine has them."),
    "image": ("image", "What machines' disks begin as, kept once for all."),
    "render": ("render", "Print what provision would write."),
    "job": ("job", "What was done, when, by whom."),
    "wipe": ("wipe", "Volumes that wait for their wipe."),
}
"""Each command's module in this folder and its line of help, in the order of `raptorctl --help`."""


class Commands(TyperGroup):
    """Lists commands, completes them and suggests them from the table; imports one to run it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, (_, line) in COMMANDS.items():
            self.add_command(TyperCommand(name, help=line))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command in the table, as click does, and import it."""
        name, listed, rest = super().resolve_command(ctx, args)
        command = listed and imported(listed.name or "")
        _collect_from_here()
        return name, command, rest


@cache
def imported(name: str) -> Any:
    """Import a command's module and return the command, made once per process.

    Args:
        name: a key of `COMMANDS`.
    """
    module, line = COMMANDS[name]
    app = typer.Typer(rich_markup_mode=None)
    import_module(f"raptorctl.cli.{module}").register(app)
    command = get_group(app).commands[name]
    command.help = command.help or line  # a group's module leaves it to the table
    return command


def _collect_from_here() -> None:
    """Turn the garbage collector on, if `raptorctl.__main__` turned it off for the imports.

    What was imported stays to the end, so the collector need not look through it (gc.freeze).
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
