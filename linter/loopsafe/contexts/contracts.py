"""What methods do that any thread may call, as it seems: where they would be wrong if each were a thread's start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.contexts.analysis import Violation
from loopsafe.locations import Span
from loopsafe.program.claims import Claim

OfCode = tuple[str, Violation]
"""A violation and the code of the rule that found it."""


class Broken(NamedTuple):
    """A claim, what says so, and what the method itself does that it must not do then."""

    claim: Claim
    says: tuple[str, ...]
    violations: tuple[OfCode, ...]


def broken(found: Iterable[Claim], trial: Iterable[OfCode], usual: Iterable[OfCode]) -> Iterator[Broken]:
    """The claims that are not kept. `trial` is what is wrong if all claims are true, `usual` what is wrong anyway."""
    known = {_place(violation) for _, violation in usual}
    by_start: dict[tuple[int, int], list[OfCode]] = {}
    for code, violation in trial:
        start = violation.witness[0]
        if start.kind == "starts" and violation.module is start.module and _place(violation) not in known:
            by_start.setdefault((start.module.index, start.packed_span), []).append((code, violation))
    for claim in found:
        started = by_start.get((claim.module.index, claim.scope.packed_span), ())
        own = {_place(one[1]): one for one in started if claim.scope.span.contains(one[1].span)}
        violations = tuple(sorted(own.values(), key=lambda one: one[1].span))
        says = (*claim.says, *dict.fromkeys(word for _, one in violations for word in _of_one(claim, one)))
        if violations and says:
            yield Broken(claim, says, violations)


def _of_one(claim: Claim, violation: Violation) -> Iterator[str]:
    """What is said of this one thing that it does."""
    owner, _, rest = violation.operation.partition(".")
    name = rest.partition(".")[0]
    if owner == "self" and name in claim.of_attributes:
        yield f"of `self.{name}`: {claim.of_attributes[name]}"
    for lock, first, last in claim.locked:
        if first <= violation.span.row <= last:
            yield f"it holds `self.{lock}` there, a lock for threads"


def _place(violation: Violation) -> tuple[int, Span]:
    return violation.module.index, violation.span
