"""Which commands there are, and the module of the one that was typed: no other is imported."""

import gc
from functools import cache
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

COMMANDS: Final = {
    "provision": ("provision", "Create a machine."),
    "up": ("up", "Make what stands as a file of machines says."),
    "down": ("down", "Stop, or remove, the machines of a file."),
    "diff": ("diff", "Show what differs between a file of machines and what stands."),
    "export": ("export", "Print what stands as a file of machines."),
    "import": ("import_file", "Print another tool's file of machines or builds as a file of ours."),
    "reformat": ("reformat", "Lay out B9 build files."),
    "reload": ("up", "Rebuild machines of a file, and do their steps again."),
    "deprovision": ("deprovision", "Remove a machine for good."),
    "undelete": ("undelete", "Bring back a machine that was removed with --keep."),
    "extend": ("extend", "Have a machine expire on another day, or never."),
    "expire": ("expire", "Do what is due: warn, stop, remove, wipe what was kept long enough."),
    "rebuild": ("rebuild", "Give a machine a new disk."),
    "resize": ("resize", "Change a machine's disk, CPUs, memory."),
    "list": ("machine", "List machines."),
    "show": ("machine", "Show all about one machine."),
    "console": ("console", "Attach to a machine's console; ^] leaves."),
    "log": (
        "log",
        "Show the console log of a machine, or the output of steps that ran in its guest.",
    ),
    "wait": (
        "wait",
        "Wait until a machine reaches a state; on timeout, exit with 5 and say what was seen.",
    ),
    "ip": (
        "ip",
        "Show a machine's addresses, from slot, network, neighbour table and guest agent.",
    ),
    "ssh": ("ssh", "Log in to a machine, or run a command there."),
    "why": (
        "why",
        "Explain how far a machine has booted, what it is waiting for, and what to try.",
    ),
    "run": (
        "run",
        "Run scripts in a guest and copy files to it, in order; stop at the first failure.",
    ),
    "start": ("power", "Start a machine."),
    "stop": ("power", "Shut a machine down by its power button (ACPI), and wait."),
    "reboot": ("power", "Ask a machine to reboot (ACPI)."),
    "reset": (
        "power",
        "Reset a machine at once, like its reset button; unwritten data is lost.",
    ),
    "suspend": ("power", "Pause a machine's CPUs; its memory is kept."),
    "resume": ("power", "Resume a suspended machine."),
    "autostart": (
        "autostart",
        "Start a machine with the host (on a session host, with libvirt's session), or not.",
    ),
    "audit": ("audit", "Show who did what, when, and the outcome."),
    "recover": ("recover", "Finish or undo interrupted jobs."),
    "metrics": ("metrics", "Print metrics of the host for Prometheus."),
    "doctor": ("doctor", "Check the host, and find what does not belong."),
    "snapshot": ("snapshot", "Create, restore and delete snapshots of disks."),
    "disk": ("disk", "Add, grow, keep and remove further disks."),
    "cdrom": ("cdrom", "Insert an ISO into a CD drive, and eject it."),
    "seed": ("seed", "Show or detach the cloud-init seed of a machine."),
    "template": ("template", "List domain templates and profiles."),
    "tenant": ("tenant", "Manage tenants: accounts, keys, quotas, shares."),
    "request": ("petition", "Request machines as a tenant; approve or deny as an admin."),
    "access": ("access", "Install and test the rules for who may do what."),
    "slot": ("slot", "Show slots: bridge, MAC, addresses, routes."),
    "cpu": ("cpu", "Show host CPUs and which machine has them."),
    "build": ("build", "Build images of images, files and steps."),
    "image": ("image", "Manage the cache of disk images."),
    "registry": ("registry", "Read a registry of vmp, and generate its Makefiles."),
    "render": ("render", "Print what provision would write."),
    "job": ("job", "Show jobs: what was done, when, by whom."),
    "wipe": ("wipe", "Show and finish pending wipes."),
    "web": ("web", "Open the host in a browser."),
}
"""Each command's module in `command/` and its line of help, in the order of `raptorctl --help`."""


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
    import_module(f"raptorctl.cli.command.{module}").register(app)
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
