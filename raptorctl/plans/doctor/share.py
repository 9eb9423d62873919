"""Shares of a machine or an account that is gone, and a list that cannot be trusted."""

from raptorctl.model.facts import HostFacts
from raptorctl.model.share import SHARES, Share
from raptorctl.plans.doctor.fault import Fault, Faults, Scene
from raptorctl.plans.doctor.finding import FAIL
from raptorctl.plans.part.share import taken

CHECK = "shares"


def shares(scene: Scene) -> Faults:
    """Find every share that means nobody, and a list that cannot be trusted."""
    facts = scene.facts
    if problem := facts.shares.problem:
        advice = "look at it, and move it away: then nothing is shared"
        yield Fault(CHECK, SHARES, problem, advice, FAIL)
    for share in facts.shares.all:
        why = _lost(share, facts)
        if why and not scene.in_work(share.machine, share.tenant, share.name.tenant):
            yield Fault(
                CHECK,
                share.machine,
                f"{share.machine} is shared with {share.tenant}, but {why}",
                f"raptorctl tenant unshare {share.machine} {share.tenant}",
                steps=tuple(taken((share,), facts, why)),
            )


def _lost(share: Share, facts: HostFacts) -> str:
    there = facts.domain(share.name)
    if there is None:
        return "there is no such machine"
    if there.uuid != share.uuid:
        return "that was another machine of its name"
    tenant = facts.tenant(share.tenant)
    return "" if tenant and tenant.ours else f"{share.tenant} is no tenant"
