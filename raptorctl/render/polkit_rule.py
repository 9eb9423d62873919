"""polkit's rules: the file that is shipped, with the host's groups of admins in it."""

import json
from collections.abc import Sequence
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.access import sealed

GROUPS_LINE: Final = '    var ADMIN_GROUPS = ["libvirt", "wheel"];'
LOG_LINE: Final = "    var LOG = false;"
READABLE_LINE: Final = "    var READABLE = [];"
"""The only lines that differ between hosts."""


def render_rules(
    shipped: str, admin_groups: Sequence[str], *, log: bool = False, readable: Sequence[str] = ()
) -> str:
    """Write the rules for a host, with a digest of them above.

    Args:
        shipped: `polkit/10-raptorctl.rules`.
        admin_groups: names of groups, their grammar checked.
        log: whether polkit logs each answer.
        readable: what tenants may look at beside machines, of `raptorctl.model.readable.LOOKS`.

    Raises:
        InputError: it is another file.
    """
    if any(shipped.count(line) != 1 for line in (GROUPS_LINE, LOG_LINE, READABLE_LINE)):
        raise InputError("the rules that are shipped do not say who the admins are")
    # A JSON list of such names is the same text in ECMAScript (ECMA-262, JSON superset).
    groups = f"    var ADMIN_GROUPS = {json.dumps(sorted(admin_groups))};"
    looks = f"    var READABLE = {json.dumps(sorted(readable))};"
    text = shipped.replace(GROUPS_LINE, groups).replace(READABLE_LINE, looks)
    return sealed(text.replace(LOG_LINE, "    var LOG = true;") if log else text)
