"""What a machine's cloud-init was told, and taking that away."""

from dataclasses import dataclass, replace

from raptorctl.api.change import Change
from raptorctl.api.session import Session
from raptorctl.errors import MissingError
from raptorctl.model.error_code import Code
from raptorctl.model.names import MachineName
from raptorctl.model.seed import PLAIN, FirstBoot, Seed, Taken
from raptorctl.model.session_host import login_key_path
from raptorctl.model.spec import MachineSpec


@dataclass(frozen=True)
class SeedShown:
    """A machine's seed, without what is secret.

    Args:
        path: of its file.
        seed: what it says.
    """

    path: str
    seed: Seed


def show(session: Session, name: MachineName) -> SeedShown:
    """Read a machine's seed; keys and passwords are hidden.

    Raises:
        MissingError: there is no such machine, or it has no seed.
    """
    from raptorctl.plans.part.seed import attached
    from raptorctl.render.seed_iso import LARGEST, read_iso
    from raptorctl.render.seed_mask import masked

    session.require_root()
    path = attached(session.machine(name))
    data = session.host.files.read_bytes(path, LARGEST) if path else None
    if data is None:
        raise MissingError(
            f"{name} has no seed",
            resolution="it was made without, or it is gone",
            code=Code.SEED_NOT_FOUND,
            subject=str(name),
        )
    return SeedShown(path, masked(read_iso(data)))


def detach(name: MachineName) -> Change:
    """Detach and remove a machine's seed, also while it runs; nothing in the guest changes."""
    from raptorctl.plans.machine.seed_detach import plan_detach

    return Change(
        verb="seed-detach",
        name=str(name),
        decide=lambda _settings, facts, identity: plan_detach(name, facts, identity),
    )


def first_boot(session: Session, spec: MachineSpec, name: MachineName) -> FirstBoot | None:
    """Make the keys of a guest that is told anything; None for one that is told nothing."""
    if not spec.tells_guest:
        return None
    from raptorctl.host.guest.host_key import new_host_key, pair_of

    boot = FirstBoot(host_key=new_host_key(str(name)))
    if not session.on_session_host:
        return boot
    kept = session.host.files.read(login_key_path(name, session.settings))
    pair = pair_of(kept) if kept else new_host_key(f"raptorctl-{name}")
    return replace(boot, login_key=pair, is_kept=bool(kept))


def check_text(key: str, text: str, allowed: Taken = PLAIN) -> tuple[str, ...]:
    """Check what an admin has cloud-init told in its own words; returns what is worth knowing.

    Args:
        key: which of a spec's `CLOUD_TEXTS` it is.
        text: the file.
        allowed: what user-data and vendor-data may be that is refused otherwise.

    Raises:
        InputError: it is refused; says why, on which line.
    """
    from raptorctl.host.guest.cloud_init import check_schema
    from raptorctl.render.meta_data import check_meta
    from raptorctl.render.network_file import check_network
    from raptorctl.render.user_data import check

    if key == "meta_data":
        return check_meta(text, allowed)
    if key == "network_config":
        return check_network(text)
    read = check(text, allowed)
    if read.config is not None:
        check_schema(text)
    return read.notes
