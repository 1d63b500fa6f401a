"""What is reported of objects touched on a loop that is not theirs: witness, confidence and the plan of a fix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loopsafe.contexts.owners.boundaries import Boundaries
from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.owners.private import makes_its_own
from loopsafe.contexts.places.flow import Flow, Reached
from loopsafe.contexts.places.place import Hop, State
from loopsafe.contexts.places.together import SecondLoops
from loopsafe.contexts.remedies.moves import settle
from loopsafe.contexts.remedies.references import Crossings
from loopsafe.contexts.remedies.remedies import Remedies
from loopsafe.contexts.remedies.waiting import ForeignRemedies
from loopsafe.contexts.spread.guards import Guards
from loopsafe.contexts.verdicts.foreign_loops import ForeignLoops, ForeignUse
from loopsafe.contexts.verdicts.foreign_paths import ForeignPaths
from loopsafe.findings import FixPlan
from loopsafe.program.program import Program


@dataclass(frozen=True, slots=True, eq=False)
class ReportedUse:
    """A use on a foreign loop, as it is told. The last of `hops` is the place to report."""

    operation: str
    remedy: str
    hops: tuple[Hop, ...]
    sure: bool
    fix: FixPlan


class ForeignUses:
    """Finds them where more loops than one run in a program."""

    def __init__(self, program: Program, flow: Flow, guards: Guards, seconds: SecondLoops, owners: Owners) -> None:
        self._program, self._flow, self._boundaries = program, flow, Boundaries(program.classes)
        self._found: list[ForeignUse] = []
        if seconds.all:
            self._loops = ForeignLoops(program, flow, guards, seconds, owners)
            self._found = self._loops.found()
        if self._found:
            self._paths = ForeignPaths(program, flow, guards, self._loops.which)

    def reported(self, remedies: Remedies, crossings: Crossings) -> Iterator[ReportedUse]:
        """Each of them that a path leads to, at the boundary of the class that does it."""
        placed = list(self._placed())
        if not placed:
            return
        remedy = ForeignRemedies(remedies, crossings, self._loops.which)
        remedy.prepare(foreign.use for foreign, _ in placed)
        plans = {foreign.use.what: remedy.plan(foreign.use) for foreign, _ in placed}
        settled = settle([what for what in plans if isinstance(what, Reached)], plans.__getitem__)
        for foreign, arrived in placed:
            use = foreign.use
            fix = settled[use.what] if isinstance(use.what, Reached) else plans[use.what]
            hops = (*arrived, Hop("reaches", use.what.state.frame.module, use.place))
            sure = foreign.sure and all(hop.certain for hop in hops) and use.what.state.place.kind != "caller"
            yield ReportedUse(use.operation, remedy.text(use), hops, sure, fix)

    def _placed(self) -> Iterator[tuple[ForeignUse, tuple[Hop, ...]]]:
        for foreign in self._found:
            way = self._paths.to(foreign.use.what.state, foreign.second)
            if way is not None and not self._paths.is_doubtful(*way):
                placed = self._at_boundary(foreign, *way)
                # What it has to do with the other loop is inside of what this loop has made for itself.
                if placed[0] is foreign or not makes_its_own(placed[0].use.what, self._program):
                    yield placed

    def _at_boundary(
        self, foreign: ForeignUse, hops: tuple[Hop, ...], states: tuple[State, ...]
    ) -> tuple[ForeignUse, tuple[Hop, ...]]:
        """Where to report it: where code of that loop calls into the class that does it, else at itself."""
        what, start = foreign.use.what, len(hops) - len(states)
        boundary = self._boundaries.of(what, states, hops[start:]) if isinstance(what, Reached) else None
        if boundary is None or boundary.reached.call.role == "awaited":
            return foreign, hops
        use = replace(foreign.use, what=boundary.reached)
        return replace(foreign, use=use), (*hops[:start], *boundary.hops)
