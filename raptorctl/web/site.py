"""What all pages of one server share, and what every page asks first: who is there."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from raptorctl.api.session import Session
from raptorctl.api.web import About
from raptorctl.errors import InputError, MissingError, RaptorError, RefusedError, WaitError
from raptorctl.model.names import MachineName, parse_words
from raptorctl.web.door import Door, Visit
from raptorctl.web.edge import LARGEST_BODY
from raptorctl.web.lookout import Lookout, glimpse
from raptorctl.web.paint import painted
from raptorctl.web.survey import Survey
from raptorctl.web.work import Works

T = TypeVar("T")

BODY_SECONDS: Final = 10.0
"""That a form may take to arrive."""
STATUS: Final = ((MissingError, 404), (InputError, 400), (RefusedError, 409), (WaitError, 504))


@dataclass
class Site:
    """One server.

    Args:
        make: opens a session for an account.
        cookie: its name, which differs for each port: browsers do not tell ports apart.
        secure: whether it is reached by TLS alone.
        about: asks what a tenant may know of themselves; None where nobody tells.
    """

    make: Callable[[str], Session]
    cookie: str = "raptorctl"
    secure: bool = False
    door: Door = field(default_factory=Door)
    about: Callable[[], About] | None = None

    @cached_property
    def session(self) -> Session:
        """What only reads, for everybody who is let in."""
        return self.make("")

    @cached_property
    def admin(self) -> bool:
        """Whether those who come in may change the host."""
        return self.session.is_root and not self.session.caller.tenant

    @cached_property
    def lookout(self) -> Lookout:
        """The one look for all tabs."""
        return Lookout(lambda: glimpse(self.session))

    @cached_property
    def survey(self) -> Survey:
        """What is dear to read."""
        return Survey(self.session)

    @cached_property
    def works(self) -> Works:
        """What was asked for, and goes on."""
        loop = asyncio.get_running_loop()

        def changed() -> None:
            with suppress(RuntimeError):  # the server has ended, and with it the loop
                loop.call_soon_threadsafe(self.stir)

        return Works(changed)

    def stir(self) -> None:
        """Have all tabs look at what is at work; anew at the host, once it is done."""
        if not self.works.at_work:
            self.lookout.forget()
            self.survey.forget()
        self.lookout.stir()

    def visit(self, connection: HTTPConnection) -> Visit | None:
        """Who is at the other end, by their cookie."""
        return self.door.visit(connection.cookies.get(self.cookie, ""))


@dataclass(frozen=True)
class Ask:
    """One request of somebody who came in.

    Args:
        site: where.
        request: what Starlette makes of it.
        visit: who.
        form: what was filled in.
    """

    site: Site
    request: Request
    visit: Visit
    form: dict[str, str] = field(default_factory=dict)

    @cached_property
    def session(self) -> Session:
        """A session of its own, in their name."""
        return self.site.make(self.visit.who)

    @property
    def machine(self) -> MachineName:
        """The one that the address names.

        Raises:
            HTTPException: no machine can be called so.
        """
        return machine_named(self.request)

    @property
    def verb(self) -> str:
        """What the address says is to be done."""
        return str(self.request.path_params["verb"])

    def said(self, key: str) -> str:
        """What was filled in, without spaces around it; "" for nothing."""
        return self.form.get(key, "").strip()

    async def aside(self, act: Callable[[], T]) -> T:
        """Ask the host in a thread."""
        return await run_in_threadpool(act)

    def refuse_strangers(self) -> None:
        """Let only admins go on.

        Raises:
            HTTPException: for a tenant, there is no such page.
            RefusedError: they may not change the host.
        """
        if not self.site.admin:
            raise HTTPException(404)
        self.session.require_root()

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """Answer with a page."""
        return painted(self.site, self.visit, template, status, **values)


Handler = Callable[[Ask], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def machine_named(connection: HTTPConnection) -> MachineName:
    """Read the machine's name in an address.

    Raises:
        HTTPException: no machine can be called so.
    """
    try:
        return parse_words([str(connection.path_params["name"])])
    except InputError as error:
        raise HTTPException(404) from error


def inside(handler: Handler) -> Endpoint:
    """Make an endpoint of a page that only those see who came in, and of a form that is theirs."""

    async def endpoint(request: Request) -> Response:
        site: Site = request.app.state.site
        visit = site.visit(request)
        if visit is None:
            return painted(site, None, "outside.html", 401)
        form = await form_of(request) if request.method == "POST" else {}
        if request.method == "POST" and not _is_theirs(form, visit):
            raise HTTPException(403, "the form is not of this login; go back and load it again")
        try:
            return await handler(Ask(site, request, visit, form))
        except RaptorError as error:
            status = next((status for kind, status in STATUS if isinstance(error, kind)), 502)
            return painted(site, visit, "trouble.html", status, error=error)

    return endpoint


async def form_of(request: Request) -> dict[str, str]:
    """Read a form (URL standard, application/x-www-form-urlencoded); of each field the last value.

    Raises:
        HTTPException: it is too large, takes too long, or is no form.
    """
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(request)
    except TimeoutError as error:
        raise HTTPException(408) from error
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=50, keep_blank_values=True)
    except ValueError as error:
        raise HTTPException(400, "that is no form") from error
    return {key: values[-1] for key, values in found.items()}


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise HTTPException(413)
    return body


def _is_theirs(form: dict[str, str], visit: Visit) -> bool:
    return hmac.compare_digest(form.get("csrf", "").encode(), visit.csrf.encode())
