"""What a page can do: a machine on and off at once; anything else after its plan was shown."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from raptorctl.api import change as changes
from raptorctl.api import power
from raptorctl.api.change import Change
from raptorctl.api.power import Did
from raptorctl.api.session import Session
from raptorctl.errors import InputError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName
from raptorctl.model.stamp import stamp
from raptorctl.web import wish
from raptorctl.web.site import Ask
from raptorctl.web.work import Work

SOON: Final = 2.0  # seconds that a page waits for what is mostly done by then


def _shutdown(session: Session, name: MachineName) -> Did:
    return power.stop(session, name)


def _destroy(session: Session, name: MachineName) -> Did:
    return power.stop(session, name, 0, force=True)


POWER: Final[Mapping[str, Callable[[Session, MachineName], Did]]] = {
    "start": power.start,
    "shutdown": _shutdown,
    "destroy": _destroy,
    "reboot": power.reboot,
    "reset": power.reset,
    "suspend": power.suspend,
    "resume": power.resume,
}


async def switch(ask: Ask) -> Response:
    """Switch a machine on or off."""
    name, act = ask.machine, POWER.get(ask.verb)
    if act is None:
        raise HTTPException(404)
    await ask.aside(lambda: ask.session.machine(name))
    ask.site.works.begin(
        f"{ask.verb} {name}", name.domain, ask.visit.who, lambda _: (act(ask.session, name).text,)
    )
    await _a_moment(ask)
    return RedirectResponse(f"/m/{name.domain}", 303)


async def _a_moment(ask: Ask) -> None:
    """Wait a little for what was begun last, so that the next page tells how it ended."""
    with ask.site.lookout.watching() as changed:
        try:
            async with asyncio.timeout(SOON):
                while ask.site.works.at_work:
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return


def _nothing(ask: Ask, name: MachineName) -> str:
    return ""


def _itself(ask: Ask, name: MachineName) -> str:
    return name.domain


def _unless_kept(ask: Ask, name: MachineName) -> str:
    return "" if ask.said("keep") else name.domain


def _snapshot(ask: Ask, name: MachineName) -> str:
    return ask.said("snapshot")


@dataclass(frozen=True)
class _Form:
    """What is filled in for a change, and what makes a change of it."""

    change: Callable[[Ask, MachineName, Work | None], Change]
    template: str = ""
    """Where it is filled in; "" where another page has all of it on a button."""
    goes: Callable[[Ask, MachineName], str] = _nothing
    """What is lost for good, whose name has to be typed; "" for nothing."""
    at: str = "/m/{name}"
    """The page that it was asked for on."""


FORMS: Final = {
    "provision": _Form(wish.provision, "provision.html", at="/"),
    "resize": _Form(wish.resize, "resize.html"),
    "rebuild": _Form(wish.rebuild, "rebuild.html", _itself),
    "deprovision": _Form(wish.deprovision, "deprovision.html", _unless_kept),
    "undelete": _Form(wish.undelete, at="/"),
    "extend": _Form(wish.extend, "extend.html"),
    "snapshot-create": _Form(wish.take_snapshot, "snapshot.html"),
    "snapshot-restore": _Form(wish.restore_snapshot),
    "snapshot-delete": _Form(wish.delete_snapshot, goes=_snapshot),
}


OURS: Final = frozenset({"csrf", "name", "agreed"})
"""Fields of a plan's own form; all others are what was filled in before."""


async def new(ask: Ask) -> Response:
    """Fill in what a new machine should be."""
    ask.refuse_strangers()
    images = await ask.aside(lambda: wish.images(ask.session))
    return ask.page("provision.html", own=ask.session.on_session_host, images=images, form=ask.form)


async def fill_in(ask: Ask) -> Response:
    """Fill in what is to be changed of a machine."""
    ask.refuse_strangers()
    found = FORMS.get(ask.verb)
    if found is None or not found.template or ask.verb == "provision":
        raise HTTPException(404)
    name = ask.machine
    await ask.aside(lambda: ask.session.machine(name))
    return ask.page(
        found.template, name=name, own=ask.session.on_session_host, verb=ask.verb, form=ask.form
    )


async def create(ask: Ask) -> Response:
    """Show the plan of a new machine, or carry it out."""
    return await _change(ask, "provision", wish.new_name(ask))


async def alter(ask: Ask) -> Response:
    """Show the plan of a change, or carry it out."""
    if ask.verb not in FORMS or ask.verb == "provision":
        raise HTTPException(404)
    return await _change(ask, ask.verb, ask.machine)


async def _change(ask: Ask, verb: str, name: MachineName) -> Response:
    ask.refuse_strangers()
    form = FORMS[verb]
    if ask.said("agreed"):
        _refuse_untyped(ask, form.goes(ask, name))
        work = ask.site.works.begin(
            f"{verb} {name}", name.domain, ask.visit.who, lambda w: _done(ask, form, name, w)
        )
        return RedirectResponse(f"/work/{work.id}", 303)
    ask.form["at"] = stamp(datetime.now(UTC))
    plan = await ask.aside(lambda: changes.preview(ask.session, form.change(ask, name, None)))
    return ask.page(
        "plan.html",
        verb=verb,
        name=name,
        plan=plan,
        typed=form.goes(ask, name) if plan.steps else "",
        agreed=changes.digest(plan),
        form={key: value for key, value in ask.form.items() if key not in OURS},
        action="/new" if verb == "provision" else f"/m/{name.domain}/change/{verb}",
        back=form.at.format(name=name.domain),
    )


def _refuse_untyped(ask: Ask, goes: str) -> None:
    if goes and ask.said("name") not in {goes, goes.replace("-", " ", 1)}:
        raise InputError(
            f"that is not the name of what goes: {goes}",
            resolution="nothing was touched; go back and type it",
            code=Code.NOT_CONFIRMED,
            subject=goes,
        )


def _done(ask: Ask, form: _Form, name: MachineName, work: Work) -> tuple[str, ...]:
    confirm = changes.unchanged(ask.said("agreed"), name.domain)
    wanted = form.change(ask, name, work)
    done = changes.carry_out(ask.session, wanted, confirm=confirm, reporter=work, stop=work.stop)
    return (*done.receipts, done.plan.summary)


async def work(ask: Ask) -> Response:
    """How far something is that was asked for."""
    found = ask.site.works.find(str(ask.request.path_params["work"]))
    if found is None:
        raise HTTPException(404)
    return ask.page("work.html", work=found)


async def stop(ask: Ask) -> Response:
    """Stop something at its next step's edge, and roll it back."""
    found = ask.site.works.find(str(ask.request.path_params["work"]))
    if found is None or found.over:
        raise HTTPException(404)
    found.stop.ask(signal.SIGTERM)
    return RedirectResponse(f"/work/{found.id}", 303)
