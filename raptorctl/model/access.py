"""Who may do what with libvirt: the table, what each command needs of it, and whom it is for.

What stands here is what `polkit/10-raptorctl.rules` decides, in words that can be shown. That the
two agree is tested, and polkit itself has the last word: see `raptorctl access test`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from raptorctl.errors import InputError
from raptorctl.model.names import TENANT, VOLUME_PREFIX, shown
from raptorctl.model.readable import LOOKS, VOLUME, owns_volume
from raptorctl.model.share import Grant, Share
from raptorctl.model.tenant import GROUP

RULES: Final = "/etc/polkit-1/rules.d/10-raptorctl.rules"
"""First by its name: the first answer of any file counts (polkit(8))."""

VENDOR_RULES: Final = "/usr/share/polkit-1/rules.d/10-raptorctl.rules"
"""The same from a package; of two files with one name, polkit reads that in /etc first."""

PROBE_TENANT: Final = "raptorprobe"
"""A tenant for as long as it takes to try new rules, where there is no other."""

OUTSIDER: Final = "nobody"
"""An account that every Linux has, and that is in no group."""

PREFIX: Final = "org.libvirt."
CONNECT: Final = frozenset({"getattr", "search-domains"})
DOMAIN: Final = frozenset(
    "getattr read start stop reset init-control open-device screenshot send-input suspend".split()
)
SHARED: Final[Mapping[Grant, frozenset[str]]] = {
    Grant.CONSOLE: frozenset({"getattr", "read", "open-device"}),
    Grant.OPERATE: DOMAIN,
}
"""What another tenant may do with a machine, by what of it is shared with them."""

SOCKETS: Final = frozenset({"unix.manage", "unix.monitor"})

_SEE: Final = ("connect.getattr", "domain.getattr", "domain.read")
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "list": ("connect.getattr", "connect.search-domains", "domain.getattr", "domain.read"),
    "show": _SEE,
    "console": (*_SEE, "domain.open-device"),
    "start": (*_SEE, "domain.start"),
    "stop": (*_SEE, "domain.init-control"),
    "reboot": (*_SEE, "domain.init-control"),
    "destroy": (*_SEE, "domain.stop"),
    "reset": (*_SEE, "domain.reset"),
    "suspend": (*_SEE, "domain.suspend"),
    "resume": (*_SEE, "domain.suspend"),
    "screenshot": (*_SEE, "domain.screenshot"),
    "send-key": (*_SEE, "domain.send-input"),
    "vnc": (*_SEE, "domain.open-graphics"),
    "dominfo": (*_SEE, "connect.read"),
    "edit": (*_SEE, "domain.read-secure", "domain.write", "domain.save"),
    "undefine": (*_SEE, "domain.delete"),
    "snapshot": (*_SEE, "domain.snapshot"),
    "save": (*_SEE, "domain.hibernate"),
    "migrate": (*_SEE, "domain.migrate"),
    "dump": (*_SEE, "domain.core-dump"),
}
"""What a command asks libvirt for, traced by polkit's own questions."""


@dataclass(frozen=True)
class Daemon:
    """A daemon of libvirt's that answers on this host.

    Args:
        name: `libvirtd`, `virtqemud`, ...
        file: its settings.
        polkit: whether it asks polkit about calls.
        anonymous: how many connections that said nothing keep others out; 0: any number is fine.
    """

    name: str
    file: str
    polkit: bool
    anonymous: int


@dataclass(frozen=True)
class Question:
    """What libvirt asks polkit.

    Args:
        permission: without its prefix: `domain.start`, `unix.manage`.
        domain: whose name polkit is told, "" where the object is another.
        driver: libvirt's, as polkit is told; compared without case.
        uuid: the domain's, or "".
        volume: whose name polkit is told, or "".
    """

    permission: str
    domain: str = ""
    driver: str = "QEMU"
    uuid: str = ""
    volume: str = ""

    @property
    def action(self) -> str:
        """Polkit's identifier of it."""
        middle = "" if self.permission.startswith("unix.") else "api."
        return f"{PREFIX}{middle}{self.permission}"

    @property
    def details(self) -> Mapping[str, str]:
        """What polkit is told beside it (https://libvirt.org/aclpolkit.html)."""
        domain = {"domain_name": self.domain} if self.domain else {}
        uuid = {"domain_uuid": self.uuid} if self.uuid else {}
        volume = {"vol_name": self.volume} if self.volume else {}
        return {"connect_driver": self.driver, **domain, **uuid, **volume}


@dataclass(frozen=True)
class Person:
    """An account that asks.

    Args:
        name: its login.
        groups: all it is in.
        uid: its number.
    """

    name: str
    groups: frozenset[str] = field(default_factory=frozenset)
    uid: int = 1

    @property
    def is_tenant(self) -> bool:
        """In our group, with a name that splits a domain's."""
        return GROUP in self.groups and TENANT.fullmatch(self.name) is not None

    def owns(self, domain: str) -> bool:
        """Whether a domain carries its name."""
        return domain.startswith(f"{self.name}-")


@dataclass(frozen=True)
class Answer:
    """Yes or no, and by which rule."""

    allowed: bool
    rule: str


def decide(
    person: Person,
    question: Question,
    admin_groups: Iterable[str],
    shares: Iterable[Share] = (),
    readable: Iterable[str] = (),
) -> Answer:
    """Say what the rules answer, and why.

    Args:
        person: who asks.
        question: what.
        admin_groups: whose members may do everything.
        shares: those that are not over.
        readable: what tenants may look at beside machines, of `LOOKS`.
    """
    if person.uid == 0:
        return Answer(True, "root is not asked about")
    if admin := sorted(set(admin_groups) & person.groups):
        return Answer(True, f"in {admin[0]}: an admin may do everything")
    if not person.is_tenant:
        return Answer(False, f"not in {GROUP}: everything is denied")
    return _looked(person, question, readable) or _granted(person, question, shares)


def _looked(tenant: Person, question: Question, readable: Iterable[str]) -> Answer | None:
    for look in (LOOKS[word] for word in readable):
        driver = question.driver.lower() in {"qemu", look.driver}
        if driver and question.permission in look.permissions:
            if question.permission.startswith(VOLUME) and not owns_volume(
                tenant.name, question.volume
            ):
                return Answer(False, f"{shown(question.volume)} is no disk of {tenant.name}'s")
            return Answer(True, "the settings let tenants look at it")
    return None


def _granted(tenant: Person, question: Question, shares: Iterable[Share]) -> Answer:
    if question.permission in SOCKETS:
        return Answer(True, "tenants may connect")
    kind, _, permission = question.permission.partition(".")
    if question.driver.lower() != "qemu":
        return Answer(False, f"driver {question.driver}: only QEMU is a tenant's")
    if kind == "connect":
        allowed = permission in CONNECT
        return Answer(allowed, "tenants may connect" if allowed else "not in the tenants' table")
    if kind != "domain" or permission not in DOMAIN:
        return Answer(False, "not in the tenants' table")
    if tenant.owns(question.domain):
        return Answer(True, "in the tenants' table, and the machine is theirs")
    wanted = (question.domain, question.uuid, tenant.name)
    for share in (one for one in shares if one.key == wanted):
        what = f"its {share.grant.value} is shared with them {share.told}"
        return Answer(permission in SHARED[share.grant], what)
    return Answer(False, f"{shown(question.domain)} is not called {tenant.name}-...")


def questions(actions: Iterable[str], domain: str, uuid: str = "") -> tuple[Question, ...]:
    """What can be asked about one domain, and about all that is none.

    Args:
        actions: polkit's identifiers.
        domain: what questions about domains name.
        uuid: the domain's, or "".
    """
    found = (_permission(action) for action in actions if action.startswith(PREFIX))
    return tuple(about(name, domain, uuid) for name in sorted(found))


def about(permission: str, domain: str, uuid: str = "") -> Question:
    """Ask for a permission; one about domains names the domain, one about volumes its disk."""
    if permission.startswith(VOLUME) and domain:
        return Question(permission, volume=f"{VOLUME_PREFIX}{domain}")
    if not permission.startswith("domain."):
        return Question(permission)
    return Question(permission, domain, uuid=uuid)


def _permission(action: str) -> str:
    return action.removeprefix(PREFIX).removeprefix("api.")


def needs(text: str) -> tuple[str, ...]:
    """What a command, `console`, or a permission, `domain.write`, comes to.

    Raises:
        InputError: neither.
    """
    if text in NEEDS:
        return NEEDS[text]
    name = _permission(text)
    if _NAMED.fullmatch(name):
        return (name,)
    raise InputError(
        f"{shown(text)} is neither a command nor a permission",
        resolution=f"say one of {', '.join(NEEDS)}, or a permission such as domain.write",
    )


def sealed(body: str) -> str:
    """Put a digest above a file of rules, by which an edit by hand is noticed."""
    import hashlib

    digest = hashlib.sha256(body.encode()).hexdigest()
    return f"{_SEAL}{digest}\n{body}"


def is_edited(text: str, shipped: str) -> bool:
    """Whether somebody changed a file of rules since we wrote it.

    Args:
        text: of the file.
        shipped: ours as it comes, which the role lays without a digest.
    """
    first, _, body = text.partition("\n")
    if first.startswith(_SEAL):
        return sealed(body) != text
    return text != shipped


_NAMED: Final = re.compile(r"[a-z-]+\.[a-z-]+", re.ASCII)
_SEAL: Final = "// Written by `raptorctl access install`; sha256 of what follows: "
