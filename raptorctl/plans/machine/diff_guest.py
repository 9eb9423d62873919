"""What a machine's cloud-init was told, beside what it should have been told."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from raptorctl.model.image import SHORT
from raptorctl.model.made import Made, digest_of
from raptorctl.model.seed import Network
from raptorctl.model.sizes import Size
from raptorctl.model.ssh_key import PublicKey
from raptorctl.plans.machine.difference import Difference, Standing, When
from raptorctl.plans.part import seed
from raptorctl.plans.tenant.common import keys_of


def seeded(wanted: bool, it: Standing) -> Iterator[Difference]:
    """Whether it has a seed: one that it has can be taken away, and comes by a rebuild."""
    has = bool(seed.attached(it.there.domain))
    if has and not wanted:
        yield Difference(
            "seed", "seed", "attached", "none", When.NOW, f"raptorctl seed detach {it.name}"
        )
    if wanted and not has:
        yield Difference("seed", "seed", "none", "one", When.REBUILD, it.rebuild)


def told(key: str, label: str, words: Callable[[Any], str]) -> Callable[..., Iterator[Difference]]:
    """Compare a key that cloud-init is told, by the mark of the job that told it.

    Args:
        key: a field of `MachineSpec`.
        label: the same for people.
        words: a value for people.
    """

    def compare(wanted: Any, it: Standing) -> Iterator[Difference]:
        has = it.made and getattr(it.made.spec, key)
        if it.made and not it.made.spec.seed and not has and not wanted:
            return  # who is told nothing is told none
        if it.wanted.seed is not False and (it.made is None or has != wanted):
            yield _differs(it, key, label, words(has) if has is not None else "", words(wanted))

    return compare


def text(key: str) -> Callable[..., Iterator[Difference]]:
    """Compare a text of the admin's own, of which the mark has the digest."""

    def compare(wanted: str, it: Standing) -> Iterator[Difference]:
        has, digest = getattr(it.made, key) if it.made else None, digest_of(wanted)
        if it.wanted.seed is not False and has != digest:
            yield _differs(it, key, key.replace("_", "-"), _digest(has or ""), _digest(digest))

    return compare


def keys(wanted: tuple[PublicKey, ...], it: Standing) -> Iterator[Difference]:
    """Keys are the tenant's, who gets them now, and the guest's, who got them at its first boot."""
    tenant = it.facts.tenant(it.name.tenant)
    theirs = {key.blob for key in keys_of(tenant)} if tenant else set()
    if tenant and (lacking := [key for key in wanted if key.blob not in theirs]):
        how = f"raptorctl tenant key add {tenant.name} FILE"
        yield Difference("keys", "keys of the tenant", "", _keys(lacking), When.NOW, how)
    untold = it.made and not it.made.spec.seed and (tenant or not it.wanted.tells_guest)
    if it.wanted.seed is False or untold:
        return
    let_in = set(it.made.keys) if it.made else set()
    if missing := [key for key in wanted if key.fingerprint not in let_in]:
        where = "~/.ssh/authorized_keys in the guest takes it"
        again = f"{it.rebuild}, once the tenant has it" if tenant else f"{it.rebuild} --key FILE"
        when, how = When.REBUILD, f"{again}; or {where}"
        if it.made is None:
            when, how = When.UNKNOWN, f"{where}; or {it.rebuild}"
        yield Difference("keys", "keys of the guest", "", _keys(missing), when, how)


def listed(values: Iterable[str]) -> str:
    """Some texts, as people read them."""
    return ", ".join(values) or "none"


def pairs(values: Mapping[str, str | tuple[str, ...]]) -> str:
    """A table, as people read it."""
    texts = {key: v if isinstance(v, str) else " ".join(v) for key, v in values.items()}
    return listed(f"{key}={text}" for key, text in texts.items())


def amount(value: Size) -> str:
    """A size, of which nothing is none."""
    return str(value) if value else "none"


def network(value: Network) -> str:
    """A network, as it is typed."""
    return value.value


def _differs(it: Standing, key: str, label: str, has: str, wanted: str) -> Difference:
    if it.made is None:
        how = f"its mark is from before this was kept; {it.rebuild} tells it anew"
        return Difference(key, label, "", wanted, When.UNKNOWN, how)
    return Difference(key, label, has or _nothing(it.made), wanted, When.REBUILD, it.rebuild)


def _nothing(made: Made) -> str:
    return "none" if made.spec.seed else "never told"


def _digest(digest: str) -> str:
    return f"sha256 {digest[:SHORT]}" if digest else ""


def _keys(keys: Iterable[PublicKey]) -> str:
    return listed(key.comment or key.fingerprint for key in keys)
