"""`raptorctl request`: tenants help themselves, and admins say yes or no to what is beyond."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from raptorctl.cli import options, petition_answer, petition_share
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example, given_text
from raptorctl.cli.output import Format, say, say_json
from raptorctl.cli.petition import Identifier, Machine, asked, send
from raptorctl.cli.petition_view import lines, rows, say_lines
from raptorctl.cli.seed_options import UserDataFile
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError

Size = Annotated[
    str | None, typer.Option("--size", metavar="SIZE", help="Disk size: 20G.", show_default=False)
]
Room = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        help="Space for changed data: 8G. Default: a fifth of the disk.",
        show_default=False,
    ),
]
Cpus = Annotated[
    str | None, typer.Option("--cpus", metavar="N", help="How many CPUs: 2.", show_default=False)
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="Memory: 4G.", show_default=False),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image", metavar="NAME", help="Image for the disk, by name.", show_default=False
    ),
]
Profiles = Annotated[
    list[str] | None,
    typer.Option(
        "--profile", metavar="NAME", help="Profile to start from; repeatable.", show_default=False
    ),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="DATE|SPAN",
        help="The first day it is not to run any more: 30d. Default: the latest allowed.",
        show_default=False,
    ),
]
Keys = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="FILE|-",
        help="Public ssh keys that its guest lets in, beside yours.",
        show_default=False,
    ),
]
NoStart = Annotated[bool, typer.Option("--no-start", help="Leave it off.")]
Force = Annotated[bool, typer.Option("--force", help="Power it off at once.")]
SnapshotName = Annotated[
    str | None,
    typer.Argument(metavar="[NAME]", help="Default: the time, or the only one.",
                   show_default=False),
]  # fmt: skip


@dataclass(frozen=True)
class NewDisk:
    """What a disk begins as, and its guest is told."""

    image: Image = None
    user_data: UserDataFile = None
    key: Keys = None
    no_start: NoStart = False

    @property
    def said(self) -> dict[str, Any]:
        """In the words of the service; texts are read here, with the tenant's own rights."""
        from raptorctl.read.petition import LONGEST_TEXT

        if self.user_data == self.key == "-":
            raise InputError("--user-data and --key cannot both be standard input")
        texts = {"user_data": self.user_data, "keys": self.key}
        read = {key: file and given_text(file, LONGEST_TEXT) for key, file in texts.items()}
        return {"image": self.image, **read, "no_start": self.no_start or None}


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group, taken = typer.Typer(), typer.Typer()
    said = "raptorctl request"
    group.command(epilog=example(f"{said} provision dev --size 20G --cpus 2 --image debian:13"))(
        provision
    )
    group.command(epilog=example(f"{said} resize dev --memory 8G"))(resize)
    group.command(epilog=example(f"{said} rebuild dev --image debian:13"))(rebuild)
    group.command(epilog=example(f"{said} deprovision dev"))(deprovision)
    taken.command("create", epilog=example(f"{said} snapshot create dev before"))(create)
    taken.command("restore", epilog=example(f"{said} snapshot restore dev before"))(restore)
    taken.command("delete", epilog=example(f"{said} snapshot delete dev before"))(delete)
    group.add_typer(taken, name="snapshot", help="Snapshots of a machine's disk.")
    group.command("list", epilog=example(f"{said} list", f"sudo {said} list"))(list_requests)
    group.command(epilog=example(f"{said} show 20261129-204501-a1b2"))(show)
    group.command(epilog=example(f"{said} withdraw 20261129-204501-a1b2"))(withdraw)
    petition_share.register(group)
    petition_answer.register(group)
    app.add_typer(group, name="request")


@spread
def provision(
    context: typer.Context,
    machine: Machine,
    size: Size = None,
    cpus: Cpus = None,
    memory: Memory = None,
    profile: Profiles = None,
    expires: Expires = None,
    *,
    disk: NewDisk,
    run: options.Manner,
) -> None:
    """Request a machine: within the policy it is made at once, else an admin is asked."""
    said = {"size": size, "cpus": cpus, "memory": memory, "profile": profile, "expires": expires}
    send(context, "provision", machine, {**said, **disk.said}, run)


@spread
def resize(
    context: typer.Context,
    machine: Machine,
    size: Size = None,
    cpus: Cpus = None,
    memory: Memory = None,
    *,
    run: options.Manner,
) -> None:
    """Request a larger disk, other CPUs or memory for your machine."""
    send(context, "resize", machine, {"size": size, "cpus": cpus, "memory": memory}, run)


@spread
def rebuild(
    context: typer.Context, machine: Machine, *, disk: NewDisk, run: options.Manner
) -> None:
    """Request a new disk for your machine; what is on the old one is wiped."""
    send(context, "rebuild", machine, disk.said, run)


@spread
def deprovision(
    context: typer.Context, machine: Machine, force: Force = False, *, run: options.Manner
) -> None:
    """Request that your machine is removed for good, its disk wiped."""
    send(context, "deprovision", machine, {"force": force or None}, run)


@spread
def create(
    context: typer.Context,
    machine: Machine,
    name: SnapshotName = None,
    size: Room = None,
    *,
    run: options.Manner,
) -> None:
    """Request a snapshot of your machine's disk."""
    send(context, "snapshot-create", machine, {"name": name, "size": size}, run)


@spread
def restore(
    context: typer.Context, machine: Machine, name: SnapshotName = None, *, run: options.Manner
) -> None:
    """Request that the disk of your machine, which is off, becomes what it was."""
    send(context, "snapshot-restore", machine, {"name": name}, run)


@spread
def delete(
    context: typer.Context,
    machine: Machine,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The snapshot's.")],
    *,
    run: options.Manner,
) -> None:
    """Request that a snapshot goes; what it kept is wiped."""
    send(context, "snapshot-delete", machine, {"name": name}, run)


@spread
def list_requests(context: typer.Context, *, how: Listed) -> None:
    """List requests: a tenant's own; for an admin, everybody's."""
    session = session_of(context, root=False)
    if session.is_root and not session.on_session_host:
        found = petition_answer.everybodys(session)
    else:
        found = asked(session, {"verb": "list"})["requests"]
    view = View[Mapping[str, Any]]("requests", dict, rows, "there are no requests", ("id",))
    show_list(found, view, how)


def show(context: typer.Context, identifier: Identifier, form: Output = Format.TEXT) -> None:
    """Show a request; to an admin with the plan, as it would be carried out now."""
    session = session_of(context, root=False)
    if session.is_root and not session.on_session_host:
        petition_answer.show(session, identifier, form)
        return
    one = asked(session, {"verb": "show", "id": identifier})["request"]
    if form is Format.JSON:
        say_json({"request": one})
    else:
        say_lines(lines(one))


def withdraw(context: typer.Context, identifier: Identifier) -> None:
    """Take back a request that waits."""
    one = asked(session_of(context, root=False), {"verb": "withdraw", "id": identifier})["request"]
    say(f"request {one['id']} is withdrawn")
