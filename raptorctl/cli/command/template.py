"""`raptorctl template`: what domains are rendered from, and profiles that machines begin with."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from raptorctl.api.session import Session
from raptorctl.cli.listing import Listed, View, show_list
from raptorctl.cli.options import Output, example
from raptorctl.cli.output import Format, plain, say, say_json, table, width_of_output
from raptorctl.cli.profiles import read_profiles
from raptorctl.cli.session import session_of
from raptorctl.cli.spread import spread
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.names import shown
from raptorctl.model.profile import Profile
from raptorctl.model.spec import CLOUD_TEXTS, SEED_FOLDER

Row = tuple[str, str, str]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `template list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer()
    group.command("list", epilog=example("raptorctl template list"))(list_templates)
    group.command("show", epilog=example("raptorctl template show web-server"))(show)
    app.add_typer(group, name="template")


@spread
def list_templates(context: typer.Context, *, how: Listed) -> None:
    """List domain templates (for --template) and profiles (for --profile)."""
    rows = list(_rows(session_of(context, root=False)))
    view = View[Row]("templates", _shape, _lines, "there are no templates")
    show_list(rows, view, how)


def _shape(row: Row) -> dict[str, str]:
    return dict(zip(_KEYS, row, strict=True))


def _lines(rows: Iterable[Row]) -> list[str]:
    return table([key.upper() for key in _KEYS], rows, columns=width_of_output())


def show(context: typer.Context, name: Name, form: Output = Format.TEXT) -> None:
    """Print a domain template's XML, or a profile with its user-data."""
    session = session_of(context, root=False)
    domains = _domains(session)
    if name in domains:
        _show(form, {"kind": "domain", "name": name, "text": domains[name]}, domains[name])
        return
    if name not in dict(_profiles(session)):
        raise InputError(
            f"there is no template {shown(name)}",
            resolution="see `template list`",
            code=Code.TEMPLATE_NOT_FOUND,
            subject=name,
        )
    _show_profile(name, session, form)


_KEYS = ("name", "kind", "description")


def _rows(session: Session) -> Iterator[Row]:
    for name in _domains(session):
        yield name, "domain", ""
    for name, profile in _profiles(session):
        yield name, "profile", profile.description


def _domains(session: Session) -> Mapping[str, str]:
    from raptorctl.host.system.files import TEMPLATES, templates

    return templates(session.config / TEMPLATES)


def _profiles(session: Session) -> Iterator[tuple[str, Profile]]:
    from raptorctl.host.system.profile import PROFILES, profile_files, profile_text
    from raptorctl.model.profile import parse_profile

    for name, file in profile_files(session.config / PROFILES).items():
        yield name, parse_profile(profile_text(file), str(file))


def _show_profile(name: str, session: Session, form: Format) -> None:
    from raptorctl.host.system.profile import PROFILES, profile_files, profile_text

    text = profile_text(profile_files(session.config / PROFILES)[name])
    profile = dict(_profiles(session))[name]
    spec = read_profiles((name,), session)
    texts = {key: getattr(spec, key) or "" for key in CLOUD_TEXTS}
    names = {key: profile.beside[key] or _in_folder(profile, key) for key in CLOUD_TEXTS}
    beside = (f"\n# {names[key]}:\n{said}" for key, said in texts.items() if said)
    said = {"kind": "profile", "name": name, "text": text, **texts}
    _show(form, said | {"profile": profile.encode()}, "".join((text, *beside)))


def _in_folder(profile: Profile, key: str) -> str:
    return f"{profile.beside[SEED_FOLDER]}/{key.replace('_', '-')}"


def _show(form: Format, shape: dict[str, Any], text: str) -> None:
    if form is Format.JSON:
        say_json(shape)
    else:
        say("\n".join(map(plain, text.rstrip("\n").split("\n"))))
