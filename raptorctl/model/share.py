"""Shares: what one tenant lets another do with one machine, until when.

polkit's rule reads them as data: an exact list, by which account, domain name and UUID are compared
whole. The UUID is that of the one machine that was meant: another of its name has another.
"""

import enum
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from raptorctl.errors import InputError, SettingsError
from raptorctl.model.codec import ShapeError, decode, encode
from raptorctl.model.expiry import NEVER, day_of, parse_expiry
from raptorctl.model.look import later, parse_span
from raptorctl.model.names import TENANT, MachineName, shown, split_domain

SHARES: Final = "/etc/polkit-1/rules.d/12-raptorctl-shares.rules"
"""After `10-raptorctl.rules` by name, which empties the list whenever polkit reads its rules."""


class Grant(enum.Enum):
    """What of a machine is shared."""

    CONSOLE = "console"
    OPERATE = "operate"


@dataclass(frozen=True)
class Share:
    """What a tenant may do with another's machine.

    Args:
        machine: the domain's name, which says whose it is.
        uuid: the domain's.
        tenant: with whom it is shared.
        grant: what they may do.
        until: the first moment at which they may not any more, UTC, ISO 8601; "" for never.
        job: the job that shared it.
        created: when, likewise.
        created_by: the account that asked for it.
    """

    machine: str
    uuid: str
    tenant: str
    grant: Grant
    until: str
    job: str
    created: str
    created_by: str

    @property
    def name(self) -> MachineName:
        """The machine."""
        tenant, _, machine = self.machine.partition("-")
        return MachineName(tenant, machine)

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one share of: the machine, by both its names, and the tenant."""
        return self.machine, self.uuid, self.tenant

    def encode(self) -> dict[str, str]:
        """Return the shape that `tenant shares -o json` documents."""
        return {
            "machine": self.machine,
            "tenant": self.tenant,
            "grant": self.grant.value,
            "until": self.until,
            "uuid": self.uuid,
            "created": self.created,
            "created_by": self.created_by,
            "job": self.job,
        }

    @property
    def timer(self) -> str:
        """What the timer is called that ends it on time; of the job that shared it."""
        return f"raptorctl-share-{self.job}"

    @property
    def day(self) -> str:
        """Until when, as a day where it is one's beginning; "" for never."""
        return self.until.removesuffix(MIDNIGHT)

    @property
    def told(self) -> str:
        """Until when, in words."""
        return f"until {self.day}" if self.until else "for ever"

    def is_over(self, at: str) -> bool:
        """Whether it grants nothing any more.

        Args:
            at: UTC, ISO 8601.
        """
        return bool(self.until) and self.until <= at

    def same(self, other: "Share | None") -> bool:
        """Whether another grants the same, whoever made it."""
        return other is not None and self == replace(
            other, job=self.job, created=self.created, created_by=self.created_by
        )


@dataclass(frozen=True)
class Shares:
    """All shares of a host, as far as they can be read.

    Args:
        all: in the order of machines and tenants.
        problem: why they cannot be read, or ""; then none of them counts for us.
    """

    all: tuple[Share, ...] = ()
    problem: str = ""

    def find(self, machine: str, uuid: str, tenant: str) -> Share | None:
        """What of one machine is shared with one tenant."""
        return next((one for one in self.all if one.key == (machine, uuid, tenant)), None)

    def of_machine(self, machine: str) -> tuple[Share, ...]:
        """What is shared of all domains that have, or had, a name."""
        return tuple(one for one in self.all if one.machine == machine)

    def of_tenant(self, tenant: str) -> tuple[Share, ...]:
        """What a tenant shares, and what is shared with them."""
        return tuple(one for one in self.all if tenant in {one.tenant, one.name.tenant})

    def at(self, at: str) -> tuple[Share, ...]:
        """Those that are not over; see `Share.is_over`."""
        return tuple(one for one in self.all if not one.is_over(at))


def parse_until(text: str) -> str:
    """Check `2027-01-31`, `12h`, `90d`, `12w` or `never`, and return it.

    Raises:
        InputError: it is none of these.
    """
    try:
        if text.endswith("h"):
            parse_span(text)
        else:
            parse_expiry(text)
    except InputError as error:
        raise InputError(
            f"{shown(text)} is no end", resolution="write 2027-01-31, 12h, 90d, 12w, or never"
        ) from error
    return text


def until_of(text: str, at: str) -> str:
    """Return the moment at which a share is over; "" for never.

    Args:
        text: as `parse_until` takes it; days are those of UTC.
        at: now, UTC, ISO 8601.
    """
    if text.endswith("h"):
        return later(at, parse_span(text))
    day = day_of(text or NEVER, at[:10])
    return f"{day}{MIDNIGHT}" if day else ""


def shares_text(shares: Iterable[Share]) -> str:
    """What stands in the file: an assignment of a JSON list, which is ECMAScript (ECMA-262)."""
    ordered = sorted(shares, key=lambda one: one.key)
    return HEAD + ",\n".join(json.dumps(encode(one)) for one in ordered) + TAIL


def parse_shares(text: str) -> tuple[Share, ...]:
    """Read the file, which must be as we wrote it.

    Raises:
        SettingsError: it is not.
    """
    body = text.removeprefix(HEAD).removesuffix(TAIL)
    try:
        shares = decode(tuple[Share, ...], json.loads(f"[{body}]"))
    except ShapeError as error:
        raise SettingsError(SHARES, error.key, error.problem) from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(SHARES, "", "was edited by hand") from error
    for one in shares:
        _refuse_odd(one)
    if shares_text(shares) != text or len({one.key for one in shares}) != len(shares):
        raise SettingsError(SHARES, "", "was edited by hand")
    return shares


def _refuse_odd(share: Share) -> None:
    owner = split_domain(share.machine)
    good = (
        owner is not None
        and owner.tenant != share.tenant
        and TENANT.fullmatch(share.tenant)
        and _UUID.fullmatch(share.uuid)
        and (not share.until or _MOMENT.fullmatch(share.until))
    )
    if not good:
        raise SettingsError(SHARES, "", f"the share of {shown(share.machine)} is none")


MIDNIGHT: Final = "T00:00:00Z"
HEAD: Final = """\
// Written by raptorctl, whole; read by 10-raptorctl.rules. Which machines tenants share: data only.
raptorctlShares = [
"""
TAIL: Final = "\n];\n"
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
