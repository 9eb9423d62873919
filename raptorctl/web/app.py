"""Which address is which page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from raptorctl.model.web import LOOPBACK_NAMES
from raptorctl.web import pages, screen, sockets, tenant
from raptorctl.web.edge import App, Edge
from raptorctl.web.paint import files, painted, part
from raptorctl.web.site import Ask, Handler, Site, inside

GUESSES: Final = 8
"""Wrong links that wait for their answer at a time; more are turned away at once."""
GUESS_SECONDS: Final = 1.0
ANOTHER_PAGE: Final = (
    "another page sent you here, and none may choose your login; "
    "a link that you asked for yourself goes where addresses are typed"
)
SWEEP: Final = 60.0  # seconds between two looks for visits that nobody uses


def build(site: Site, hosts: frozenset[str] = LOOPBACK_NAMES) -> App:
    """Make the whole server of a site.

    Args:
        site: what its pages share.
        hosts: names that it goes by.
    """
    app = Starlette(
        routes=list(_routes()),
        lifespan=_lifespan,
        exception_handlers={HTTPException: _http_trouble, Exception: _unforeseen},
    )
    app.state.site = site
    app.state.guesses = asyncio.Semaphore(GUESSES)
    return Edge(app, hosts, secure=site.secure)


def _routes() -> tuple[BaseRoute, ...]:
    def get(path: str, handler: Handler) -> Route:
        return Route(path, inside(handler), methods=["GET"])

    def post(path: str, handler: Handler) -> Route:
        return Route(path, inside(handler), methods=["POST"])

    return (
        Route("/static/{name:path}", static, methods=["GET"]),
        Route("/enter/{token}", enter, methods=["GET"]),
        post("/leave", leave),
        get("/", pages.host),
        get("/room", pages.room),
        get("/me", tenant.me),
        get("/doctor", pages.doctor),
        post("/doctor", pages.doctor),
        get("/audit", pages.audit),
        get("/jobs", pages.jobs),
        get("/jobs/{job}", pages.job),
        get("/new", acting("new")),
        post("/new", acting("create")),
        get("/work/{work}", acting("work")),
        post("/work/{work}/stop", acting("stop")),
        get("/m/{name}", pages.machine),
        get("/m/{name}/boot", pages.boot),
        get("/m/{name}/log", pages.log),
        get("/m/{name}/steps", pages.steps),
        get("/m/{name}/console", pages.console),
        get("/m/{name}/screen", screen.screen),
        post("/m/{name}/power/{verb}", acting("switch")),
        get("/m/{name}/change/{verb}", acting("fill_in")),
        post("/m/{name}/change/{verb}", acting("alter")),
        WebSocketRoute("/live", sockets.live_host),
        WebSocketRoute("/work/{work}/live", sockets.live_work),
        WebSocketRoute("/m/{name}/live", sockets.live_machine),
        WebSocketRoute("/m/{name}/console/socket", sockets.console),
        WebSocketRoute("/m/{name}/screen/socket", screen.carried),
    )


def acting(name: str) -> Handler:
    """Have an action imported when it is first asked for: planners are a third of the start."""

    async def act(ask: Ask) -> Response:
        found = await asyncio.to_thread(import_module, "raptorctl.web.actions")
        handler: Handler = getattr(found, name)
        return await handler(ask)

    return act


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    site: Site = app.state.site
    watch = asyncio.create_task(site.lookout.run())
    sweep = asyncio.create_task(_swept(site))
    site.works  # noqa: B018 - made in the loop's thread
    yield
    watch.cancel()
    sweep.cancel()
    await asyncio.to_thread(site.works.close)


async def _swept(site: Site) -> None:
    while True:
        await asyncio.sleep(SWEEP)
        site.door.sweep()


async def enter(request: Request) -> Response:
    """Use a link up. Its page leads on by itself: a redirect would not carry a strict cookie."""
    site: Site = request.app.state.site
    if request.method == "HEAD" or "sec-purpose" in request.headers:
        raise HTTPException(405, "a link is for people: who looks ahead uses none up")
    if request.headers.get("sec-fetch-site", "none") != "none":  # Fetch Metadata
        raise HTTPException(403, ANOTHER_PAGE)
    token, browser = str(request.path_params["token"]), request.headers.get("user-agent", "")
    cookie = site.door.enter(token, browser)
    if cookie is None:
        return await _wrong_link(request)
    answer = HTMLResponse(part(site, None, "enter.html"))
    answer.headers["referrer-policy"] = "no-referrer"
    answer.set_cookie(
        site.cookie, cookie, httponly=True, samesite="strict", secure=site.secure, path="/"
    )
    return answer


async def _wrong_link(request: Request) -> Response:
    """Let who guesses wait; the right link is not kept waiting by that."""
    guesses: asyncio.Semaphore = request.app.state.guesses
    if guesses.locked():
        return painted(request.app.state.site, None, "outside.html", 429)
    async with guesses:
        await asyncio.sleep(GUESS_SECONDS)
    return painted(request.app.state.site, None, "outside.html", 401)


async def leave(ask: Ask) -> Response:
    """Log out, and end all that is open for the login."""
    ask.site.door.end(lambda visit: visit is ask.visit)
    answer = RedirectResponse("/", 303)
    # Without Secure a browser heeds nothing that is said of a __Host- cookie (RFC 6265bis, 4.1.3).
    answer.delete_cookie(
        ask.site.cookie, path="/", secure=ask.site.secure, httponly=True, samesite="strict"
    )
    return answer


async def static(request: Request) -> Response:
    """A file of ours; its address changes with it, so it may be kept."""
    name = str(request.path_params["name"])
    if name not in files():
        raise HTTPException(404)
    content, kind = files()[name]
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=kind, headers=kept)


async def _http_trouble(request: Request, error: Exception) -> Response:
    site: Site = request.app.state.site
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    visit = site.visit(request)
    if visit is None and status == 404:
        return painted(site, None, "outside.html", 401)
    return painted(site, visit, "status.html", status, number=status, detail=detail)


async def _unforeseen(request: Request, error: Exception) -> Response:
    """Say that something is wrong with us, and leave what it is to the log."""
    return painted(request.app.state.site, None, "status.html", 500, number=500, detail="")
