"""cloud-init's last words: an admin's and ours in one message, as the sign of its end is there.

How cloud-init fills it in is `cloudinit/templater.py`, read at 22.4 and 26.2. A message that it
cannot fill in is not written at all, and a sign in it would be lost too.
"""

import re
from typing import Final

from raptorctl.model.seed import SEED_DONE
from raptorctl.render.yaml_text import PlainText

_WORDS: Final = "version timestamp datasource uptime".split()
NAMES: Final = frozenset([*_WORDS, *map(str.upper, _WORDS)])
"""What cc_final_message has to fill in."""

_TYPE: Final = re.compile(r"##\s*template:(.*)", re.IGNORECASE)
_BASIC: Final = re.compile(r"\$\{([A-Za-z0-9_.]+)\}|\$([A-Za-z0-9_.]+)")
_JINJA: Final = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}", re.ASCII)
_OURS: Final = (
    "Cloud-init v. {version} finished at {timestamp}."
    " Datasource {datasource}. Up {uptime} seconds\n" + SEED_DONE
)
FINAL: Final = _OURS.format(**{word: f"${{{word}}}" for word in _WORDS})
"""Ours alone. Without braces, a full stop would belong to the name."""
_FINAL_JINJA: Final = _OURS.format(**{word: f"{{{{ {word} }}}}" for word in _WORDS})


def both(theirs: object) -> str:
    """Put our last words below an admin's; ours alone where `problem` has something to say.

    Args:
        theirs: what their cloud-config has for `final_message`.
    """
    text = _text(theirs)
    if not text or problem(theirs):
        return FINAL
    return f"{text}\n{_FINAL_JINJA if _kind(text) == 'jinja' else FINAL}"


def problem(theirs: object) -> str:
    """Say why an admin's message cannot be taken, or "".

    Args:
        theirs: what their cloud-config has for `final_message`.
    """
    text = _text(theirs)
    if text is None:
        return "it is not text"
    kind = _kind(text)
    if kind == "jinja":
        rest = _JINJA.sub("", text)
        held = any(begin in rest for begin in ("{{", "{%", "{#"))
        return "it has more of jinja than names, which cannot be checked" if held else ""
    if kind != "basic":
        return "cloud-init has no templates of that kind, and would write none of it"
    unknown = (one or two for one, two in _BASIC.findall(text))
    wrong = next((name for name in unknown if name not in NAMES), "")
    return (
        f"cloud-init has nothing to put for ${wrong}, and would write none of it" if wrong else ""
    )


def _text(theirs: object) -> str | None:
    said = theirs.text if isinstance(theirs, PlainText) else theirs
    return said.strip() if isinstance(said, str) else None


def _kind(text: str) -> str:
    found = _TYPE.match(text.split("\n", 1)[0])
    return found[1].lower().strip() if found else "basic"
