"""How a use on a foreign loop is put right: the object's own loop does it, and this one waits if it must."""

from __future__ import annotations

from collections.abc import Iterable

from loopsafe.contexts.places.flow import Reached, Waited
from loopsafe.contexts.places.loops import LoopsOf
from loopsafe.contexts.places.place import LOOP
from loopsafe.contexts.remedies.references import Crossings
from loopsafe.contexts.remedies.remedies import Avoid, Remedies
from loopsafe.contexts.verdicts.foreign_loops import Use
from loopsafe.facts.schema import Call
from loopsafe.findings import FixPlan, Rewrite

_OF_ASYNCIO = ("asyncio.", "aiohttp.", "asyncpg.")


class ForeignRemedies:
    """Decides the remedy; the loop to cross to is never the one that runs there."""

    def __init__(self, remedies: Remedies, crossings: Crossings, which: LoopsOf) -> None:
        self._remedies, self._crossings, self._which = remedies, crossings, which

    def prepare(self, uses: Iterable[Use]) -> None:
        """Ask for what the decisions will need, and solve, until it is known."""
        operations = []
        for use in uses:
            self._crossings.prepare(use.what.state.frame)
            if isinstance(use.what, Reached):
                operations.append(use.what)
        self._remedies.prepare(operations)

    def text(self, use: Use) -> str:
        """The remedy in words, for the message."""
        what = use.what
        if isinstance(what, Waited):
            crosses = isinstance(what.expr, Call) and what.name.startswith(_OF_ASYNCIO)
            return "use `asyncio.run_coroutine_threadsafe`" if crosses else "do it on that loop"
        return "do it on that loop" if what.row.crossing else self._remedies.text(what, self._avoid(use))

    def plan(self, use: Use) -> FixPlan:
        """What to rewrite, or why nothing is."""
        what = use.what
        if isinstance(what, Waited):
            return self._plan_wait(use, what)
        if what.row.crossing:
            return FixPlan("declined", "its library has no way across from another loop")
        return self._remedies.plan(what, self._avoid(use))

    def _plan_wait(self, use: Use, what: Waited) -> FixPlan:
        call = what.expr
        if not isinstance(call, Call):
            return FixPlan("declined", "all of it must run on the object's own loop")
        if not what.name.startswith(_OF_ASYNCIO):
            return FixPlan("declined", "its library has no way across from another loop")
        loop = self._crossings.loop_in_scope(what.state.frame, LOOP, self._avoid(use))
        if not loop:
            return FixPlan("declined", "no loop is in scope here")
        if use.runner is not None:
            return _plan_run(use.runner, loop)
        if call.role != "awaited":
            return FixPlan("declined", "it is not awaited on the spot")
        rewrites = [Rewrite(call.span, "bridge", loop)]
        if self._crossings.is_optional(what.state.frame, loop):
            rewrites.insert(0, Rewrite(call.span, "assert", loop))
        return FixPlan("unsafe", "this loop waits for the other one", tuple(rewrites), ("asyncio",))

    def _avoid(self, use: Use) -> Avoid:
        return lambda loop: self._which.meet(self._which.of(loop), use.loops)


def _plan_run(runner: Call, loop: str) -> FixPlan:
    """`asyncio.run(queue.put(x))`."""
    if len(runner.args) != 1 or runner.keywords:
        return FixPlan("declined", "no single coroutine is given")
    return FixPlan("unsafe", "this thread waits for the loop", (Rewrite(runner.span, "wait", loop),), ("asyncio",))
