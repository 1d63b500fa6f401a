"""Operations that a thread does to one object in several functions keep their order, or none is safe to move."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.places.place import State
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.facts.spelling import spell
from loopsafe.findings import FixPlan
from loopsafe.program.values import Value


def with_partners(plans: dict[Reached, FixPlan], leads: Leads) -> dict[Reached, FixPlan]:
    """The same plans, but none is safe beside one that may leave its operation where it is."""
    by_object: dict[Value, list[Reached]] = defaultdict(list)
    for reached in plans:
        if reached.receiver is not None:
            by_object[reached.receiver].append(reached)
    changed = dict(plans)
    for group in by_object.values():
        kinds = {plans[reached].applicability for reached in group}
        if "safe" in kinds and len(kinds) > 1:
            changed |= _doubted(group, plans, leads)
    return changed


def _doubted(group: list[Reached], plans: dict[Reached, FixPlan], leads: Leads) -> dict[Reached, FixPlan]:
    """The safe plans of operations that a thread does beside another that is not safe."""
    staying: dict[State, Reached] = {}
    group = sorted(group, key=lambda reached: (reached.state.frame.order, reached.call.packed_span))
    for reached in group:
        if plans[reached].applicability != "safe":
            staying |= dict.fromkeys(leads.roots(reached), reached)
    changed = {}
    for reached in group:
        plan = plans[reached]
        roots = sorted((root for root in leads.roots(reached) if root in staying), key=lambda root: root.frame.order)
        beside = next((staying[root] for root in roots), None)
        elsewhere = beside is not None and beside.state.frame.scope is not reached.state.frame.scope
        if plan.applicability == "safe" and beside is not None and elsewhere:
            place = f"`{spell(beside.call.func)}` in line {beside.call.span.row}"
            changed[reached] = replace(plan, applicability="unsafe", reason=f"{place} may not move with it")
    return changed
