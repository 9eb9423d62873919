"""Pages as HTML. Whatever is put into one is escaped, and cannot move a cursor or turn a line."""

import hashlib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from raptorctl.model.text import harmless, plain

if TYPE_CHECKING:
    from raptorctl.web.door import Visit
    from raptorctl.web.site import Site

HERE: Final = Path(__file__).parent
TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def files() -> Mapping[str, tuple[bytes, str]]:
    """All files that pages ask for, by name, with their type: what is not here is not served."""
    found = [path for path in sorted((HERE / "static").rglob("*")) if path.suffix in TYPES]
    return {_called(path): (path.read_bytes(), TYPES[path.suffix]) for path in found}


def _called(path: Path) -> str:
    """A file's own name; of noVNC's modules, which name each other so, with their folders."""
    below = path.relative_to(HERE / "static")
    return "/".join(below.parts[1:]) if len(below.parts) > 2 else path.name


def text(said: str) -> Markup:
    """Make several lines of a guest's fit for a page."""
    return escape(harmless(said.replace("\r\n", "\n")))


def whole(said: str) -> Markup:
    """Have a form send a text back as it came: what turns a line or the like is written in ASCII.

    https://html.spec.whatwg.org/multipage/syntax.html#character-references
    """
    acts = (unicodedata.category(c).startswith("C") for c in said)
    return Markup("").join(
        Markup("&#{};").format(ord(c)) if act else c for c, act in zip(said, acts, strict=True)
    )


def painted(
    site: "Site", visit: "Visit | None", template: str, status: int = 200, **values: object
) -> Response:
    """Answer with a page."""
    return HTMLResponse(part(site, visit, template, **values), status)


def part(site: "Site", visit: "Visit | None", template: str, **values: object) -> str:
    """Paint a page, or a part of one."""
    known = {"admin": site.admin, "visit": visit, "csrf": visit.csrf if visit else ""}
    return _environment().get_template(template).render({**known, **values})


def outside() -> str:
    """Paint what a tenant sees who is not logged in, where no agent is there to paint it."""
    known = {"admin": False, "visit": None, "csrf": ""}
    return _environment().get_template("outside.html").render(known)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["file"] = _address
    made.filters["lines"] = text
    made.filters["whole"] = whole
    return made


def _harmless(value: Any) -> Any:
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _address(name: str) -> str:
    """Where a file is: another version of it has another address, so browsers may keep it."""
    return f"/static/{name}?{hashlib.sha256(files()[name][0]).hexdigest()[:12]}"
