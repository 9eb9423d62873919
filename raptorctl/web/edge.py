"""What every request passes: which host and page it is for, how long it is, what may be shown.

A layer of ASGI and no middleware of Starlette's, whose base class lets WebSockets by.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from raptorctl.model.web import LOOPBACK_NAMES

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY: Final = 64 * 1024
"""Bytes: the largest form has a few keys of ssh in it."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'{inline}; img-src 'self'{images}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Edge:
    """Refuses what no page of ours asks, and says to browsers what ours may do.

    Args:
        app: what is behind it.
        hosts: names that this server goes by. A page of another name that leads to our address
            (DNS rebinding) is not ours.
        secure: whether browsers reach it by TLS, which ends before us.
    """

    def __init__(
        self, app: App, hosts: frozenset[str] = LOOPBACK_NAMES, *, secure: bool = False
    ) -> None:
        self._app, self._hosts = app, hosts
        self._scheme = "https" if secure else "http"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope, self._hosts, self._scheme)
        if scope["type"] == "websocket":
            if refusal:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})
                return
            await self._app(scope, receive, send)
            return
        outwards = _guarded(scope["path"], send)
        if refusal:
            await PlainTextResponse(f"{refusal[1]}\n", refusal[0])(scope, receive, outwards)
            return
        await self._app(scope, receive, outwards)


def _refusal(scope: Scope, hosts: frozenset[str], scheme: str) -> tuple[int, str] | None:
    """Return the status and the sentence with which a request is refused."""
    headers = Headers(scope=scope)
    said = headers.getlist("host")
    if len(said) != 1 or _name(said[0]) not in hosts:
        return 421, "this server does not go by that name"
    if scope["type"] == "http":
        if scope["method"] not in {"GET", "HEAD", "POST"}:
            return 405, "only GET, HEAD and POST are known"
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdecimal() or int(length) > LARGEST_BODY:
            return 413, f"a request has at most {LARGEST_BODY} bytes"
        if scope["method"] != "POST":
            return None
    # A browser says it with each WebSocket and each POST (RFC 6455 10.2; Fetch 3.2).
    if headers.getlist("origin") != [f"{scheme}://{said[0]}"]:
        return 403, "that comes from another page"
    return None


def _name(host: str) -> str:
    name, _, port = host.lower().rpartition(":")
    return name if name and port.isdecimal() else host.lower()


def _guarded(path: str, send: Send) -> Send:
    # xterm.js lays its glyphs out by a style element of its own, which nothing else may.
    inline = " 'unsafe-inline'" if path.endswith("/console") else ""
    # noVNC paints pieces of a screen that come as JPEG, and the guest's cursor.
    images = " data:" if path.endswith("/screen") else ""
    policy = POLICY.format(inline=inline, images=images)

    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers["content-security-policy"] = policy
            headers.setdefault("referrer-policy", "same-origin")
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return guarded
