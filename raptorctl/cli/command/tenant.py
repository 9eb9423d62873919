"""`raptorctl tenant`: who owns machines, how they log in, how much they may have."""

import enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from raptorctl.cli import ask, options, share
from raptorctl.cli.change import perform
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import KeyFile, Output, TenantName, example, named
from raptorctl.cli.output import Format, plain, say, say_json, tell
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.names import parse_tenant
from raptorctl.model.tenant import Mode, Quota, parse_day

if TYPE_CHECKING:
    from raptorctl.api.tenant import TenantView
    from raptorctl.plans.tenant.request import TenantRequest


class Emit(enum.StrEnum):
    """What `--emit` takes."""

    NIX = "nix"


ModeOption = Annotated[
    Mode | None,
    typer.Option(
        "--mode",
        help="What the tenant gets at login. [default: shell]",
        show_default=False,
    ),
]
QuotaText = Annotated[
    str | None,
    typer.Option(
        "--quota",
        metavar="LIST",
        help="machines=2,cpus=8,memory=16G,size=100G; anything not named has no limit.",
        show_default=False,
    ),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="DATE",
        help="First day without login: 2027-03-31, or never.",
        show_default=False,
    ),
]
Adopt = Annotated[bool, typer.Option("--adopt", help="Use an account that exists already.")]
EmitOption = Annotated[
    Emit | None,
    typer.Option("--emit", help="Print the account as configuration, then stop."),
]
KeyPath = Annotated[
    str,
    typer.Argument(metavar="FILE|-", help="Public keys, one per line.", show_default=False),
]
Which = Annotated[
    str,
    typer.Argument(metavar="KEY", help="Fingerprint or comment of the key.", show_default=False),
]
NewQuota = Annotated[
    str | None,
    typer.Argument(metavar="LIST", help="machines=2,cpus=8, or none.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    said = "sudo raptorctl tenant"
    quota_text = "machines=2,cpus=8,memory=16G,size=100G"
    add_example = example(
        f"{said} add alice --key alice.pub --quota machines=2,cpus=8",
        f"{said} add bob --key - --mode console --expires 2027-03-31 < bob.pub",
    )
    group.command("add", epilog=add_example)(add)
    group.command("list", epilog=example(f"{said} list"))(list_tenants)
    group.command("show", epilog=example(f"{said} show alice"))(show)
    group.command("set", epilog=example(f"{said} set alice --mode console"))(set_tenant)
    group.command("quota", epilog=example(f"{said} quota alice {quota_text}"))(quota)
    group.command("remove", epilog=example(f"{said} remove alice"))(remove)
    keys = typer.Typer(help="Manage the keys of a tenant.")
    keys.command("add", epilog=example(f"{said} key add alice new.pub"))(key_add)
    keys.command("remove", epilog=example(f"{said} key remove alice alice@laptop"))(key_remove)
    keys.command("list", epilog=example(f"{said} key list alice"))(key_list)
    group.add_typer(keys, name="key")
    share.register(group)
    app.add_typer(group, name="tenant")


@spread
def add(
    context: typer.Context,
    tenant: TenantName,
    key: KeyFile = None,
    mode: ModeOption = None,
    quota: QuotaText = None,
    expires: Expires = None,
    adopt: Adopt = False,
    emit: EmitOption = None,
    *,
    run: options.Manner,
) -> None:
    """Create a tenant: an account that sees the machines named after it, and no others."""
    from raptorctl.api import tenant as api
    from raptorctl.plans.tenant.request import TenantRequest

    wanted = TenantRequest(
        name=parse_tenant(tenant),
        mode=mode,
        keys=options.public_keys(key),
        quota=Quota() if quota is None else named("--quota", Quota.parse, quota),
        expires="" if expires is None else named("--expires", parse_day, expires),
        adopt=adopt,
    )
    if emit:
        _emit(wanted)
        return
    asks = ask.before_it_comes(asks=run.asks)
    perform(session_of(context), api.add(wanted), run, asks)


@spread
def list_tenants(context: typer.Context, *, how: Listed) -> None:
    """List tenants: login mode, machines, quota."""
    from raptorctl.api.tenant import TenantView, every
    from raptorctl.cli.tenant_view import rows

    found = every(session_of(context))
    show_list(found, View("tenants", TenantView.encode, rows, "there are no tenants"), how)


def show(context: typer.Context, tenant: TenantName, form: Output = Format.TEXT) -> None:
    """Show one tenant."""
    from raptorctl.api.tenant import find
    from raptorctl.cli.tenant_view import lines

    view = find(session_of(context), parse_tenant(tenant))
    if form is Format.JSON:
        say_json(view.encode())
    else:
        say("\n".join(f"{label:<9} {plain(value)}".rstrip() for label, value in lines(view)))


@spread
def set_tenant(
    context: typer.Context,
    tenant: TenantName,
    mode: ModeOption = None,
    expires: Expires = None,
    *,
    run: options.Manner,
) -> None:
    """Change how a tenant logs in, and until when."""
    from raptorctl.api.tenant import set_login

    name = parse_tenant(tenant)
    until = None if expires is None else named("--expires", parse_day, expires)
    if mode is None and until is None:
        raise InputError("nothing is to be changed", resolution="say --mode, --expires, or both")
    asks = ask.before_it_comes(asks=run.asks)
    change = set_login(name, mode, until)
    perform(session_of(context), change, run, asks)


@spread
def quota(
    context: typer.Context,
    tenant: TenantName,
    limits: NewQuota = None,
    *,
    run: options.Manner,
) -> None:
    """Show a tenant's usage and quota, or set the quota; anything not named has no limit."""
    from raptorctl.api.tenant import find, set_quota

    name = parse_tenant(tenant)
    session = session_of(context)
    if limits is None:
        _show_quota(find(session, name), run.form)
        return
    asks = ask.before_it_comes(asks=run.asks)
    perform(session, set_quota(name, Quota.parse(limits)), run, asks)


@spread
def remove(
    context: typer.Context,
    tenant: TenantName,
    *,
    run: options.Manner,
) -> None:
    """Remove a tenant without machines: keys, sessions, and the account if we created it."""
    from raptorctl.api import tenant as api

    name = parse_tenant(tenant)
    asks = ask.before_it_goes(name, asks=run.asks)
    perform(session_of(context), api.remove(name), run, asks)


@spread
def key_add(
    context: typer.Context,
    tenant: TenantName,
    file: KeyPath,
    *,
    run: options.Unasked,
) -> None:
    """Add keys that a tenant may log in with."""
    from raptorctl.api.tenant import add_keys

    change = add_keys(parse_tenant(tenant), options.public_keys(file))
    perform(session_of(context), change, run)


@spread
def key_remove(
    context: typer.Context,
    tenant: TenantName,
    which: Which,
    *,
    run: options.Unasked,
) -> None:
    """Remove a tenant's key; open sessions stay open."""
    from raptorctl.api.tenant import remove_key

    change = remove_key(parse_tenant(tenant), which)
    perform(session_of(context), change, run)


@spread
def key_list(context: typer.Context, tenant: TenantName, *, how: Listed) -> None:
    """List a tenant's keys."""
    from raptorctl.api.tenant import find
    from raptorctl.cli.tenant_view import key_rows

    view = find(session_of(context), parse_tenant(tenant))
    nothing = f"{view.tenant.name} has no keys"
    keys = View[dict[str, Any]]("keys", dict, key_rows, nothing, ("fingerprint",))
    show_list(view.encode()["keys"], keys, how)


def _show_quota(view: "TenantView", form: Format) -> None:
    from raptorctl.cli.tenant_view import quota_rows

    if form is Format.JSON:
        said = view.encode()
        say_json({"usage": said["usage"], "quota": said["quota"]})
    else:
        say("\n".join(quota_rows(view)))


def _emit(wanted: "TenantRequest") -> None:
    from raptorctl.render.nix import nix_account

    mode = wanted.mode or Mode.SHELL
    say(nix_account(wanted.name, mode, wanted.keys, wanted.expires).rstrip("\n"))
    tell(f"once it is there: sudo raptorctl tenant add {wanted.name} --adopt")
