"""How an off-loop operation is put right: the loop to cross to, the plan of the fix, and how safe it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from loopsafe.contexts.owners.owner import Owners
from loopsafe.contexts.places.flow import HANDED, Flow, Reached
from loopsafe.contexts.places.place import LOOP, State
from loopsafe.contexts.remedies.captures import Capture, Captures, coroutine_around
from loopsafe.contexts.remedies.doubts import Doubts
from loopsafe.contexts.remedies.held_loops import HeldLoops
from loopsafe.contexts.remedies.kept_tasks import KeptTasks
from loopsafe.contexts.remedies.leads import gives_its_result
from loopsafe.contexts.remedies.moves import crowded
from loopsafe.contexts.remedies.partners import with_partners
from loopsafe.contexts.remedies.references import Crossings, holders_of
from loopsafe.facts.schema import Attr, Await, Call, Import, Name, Scope
from loopsafe.facts.spelling import is_exact, spell
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.program.program import Program
from loopsafe.program.values import Coroutine, Frame, Object, Value, same_making

Avoid = Callable[[Value], bool]


class Loop(NamedTuple):
    """The text of the loop to cross to, empty where there is none; then `doubt` says why, else what is unsafe about it.

    `captures` are the rewrites that make the loop known under that name.
    """

    text: str
    doubt: str = ""
    captures: tuple[Rewrite, ...] = ()


class Remedies:
    """Decides the remedy of an operation; `fixes` only carries it out."""

    def __init__(self, program: Program, flow: Flow, crossings: Crossings, owners: Owners) -> None:
        self._program, self._crossings, self._owners = program, crossings, owners
        self._captures, self._doubts = Captures(program, flow, crossings), Doubts(program, flow, owners)
        self._held = HeldLoops(program, flow, self._captures, self._doubts.calls, owners)
        self._kept_tasks = KeptTasks(program)
        self._chosen: dict[Reached, Loop] = {}
        self._told: dict[tuple[State, Value | None, str, str], Loop] = {}
        self._captured: dict[tuple[State, Value | None, str], Capture | str] = {}

    def prepare(self, operations: Collection[Reached]) -> None:
        """Ask for what the decisions will need, and solve, until it is known.

        First for what is in scope; where a fix may come of it, for what else there is to know; for how the loops that
        are in scope came there; then step by step for whoever runs the functions.
        """
        solver, too_many = self._program.solver, crowded(operations)
        for reached in operations:
            self._crossings.prepare(reached.state.frame)
        planned = [reached for reached in operations if reached.state.frame.scope not in too_many]
        for reached in planned:
            base = reached.call.func.base if isinstance(reached.call.func, Attr) else None
            for part in (*reached.call.args[:1], *holders_of(base)):
                self._program.evaluate(reached.state.frame, part)
            self._doubts.prepare(reached)
        solver.run()
        for reached in planned:
            wanted = reached.row.loop_class or LOOP
            found = list(self._crossings.loops_in_scope(reached.state.frame, wanted))
            for _, held in found:
                self._held.prepare(held, reached)
            if not found:
                base = reached.call.func.base if isinstance(reached.call.func, Attr) else None
                self._crossings.prepare_further(reached.state.frame, base)
        solver.run()
        while self._doubts.calls.follow():
            solver.run()

    def text(self, reached: Reached, avoid: Avoid | None = None) -> str:
        """The remedy in words, for the message. The loop to cross to must not be one to `avoid`."""
        row = reached.row
        if row.crossing:
            return f"use `{row.crossing}`" if self._captures.leads_back(reached, row.crossing) else "do it on its loop"
        if row.fix == "rename":
            return f"use `{_renamed(reached)}`"
        if row.fix == "coroutine" and (self._is_used(reached) or len(reached.call.args) != 1):
            return "use `asyncio.run_coroutine_threadsafe`"
        if row.category == "lookup":
            return "bring the loop along"
        loop = self._handed_loop(reached) if reached.started is not None else self._told_loop(reached, avoid)
        method = row.crossing_method or "call_soon_threadsafe"
        # A name that is not there, or that only the fix would make, says nothing.
        is_there = bool(loop.text) and all(rewrite.action != "capture" for rewrite in loop.captures)
        return f"use `{loop.text}.{method}`" if is_there else f"keep its loop, use `{method}`"

    def plan(self, reached: Reached, avoid: Avoid | None = None) -> FixPlan:
        """What to rewrite, or why nothing is. The loop to cross to must not be one to `avoid`."""
        row, call = reached.row, reached.call
        if reached.started is not None:
            return self._handed_plan(reached)
        if call.role == HANDED:
            return FixPlan("declined", "it is not called here, but given to something that calls it")
        if row.fix == "none":
            return FixPlan("declined", _NO_FIX.get(row.category, "the result is needed on this thread"))
        if row.fix == "rename":
            if not _has_plain_name(reached):
                return FixPlan("declined", "which function is called here is chosen elsewhere")
            if lacking := next((keyword for keyword, _ in call.keywords if keyword in row.lacks), None):
                return FixPlan("declined", f"`{row.twin}` takes no `{lacking}`")
            # The twin of a loop's method is for every thread.
            doubts = [row.doubt] if row.category == "loop-call" else list(self._doubts.of_place(reached))
            doubts += self._doubts.of_waiting(reached) if row.blocks else ()
            base = call.func.base if isinstance(call.func, Attr) else None
            doubts.append(self._without(reached, Loop(spell(base)), row.twin) if base is not None else "")
            return _plan(doubts, (Rewrite(call.span, "rename", row.twin),), ())
        if row.crossing:
            return self._crossing_plan(reached)
        if (row.answers or _is_entered(reached)) and self._is_used(reached):
            return FixPlan("declined", "what it returns is needed on this thread")
        loop = self._loop(reached, avoid)
        if not loop.text:
            return FixPlan("declined", loop.doubt)
        if row.fix == "coroutine":
            return self._coroutine_plan(reached, loop)
        rewrite = Rewrite(call.span, "pass", f"{loop.text}.{row.crossing_method or 'call_soon_threadsafe'}")
        # Control leaves the function with None, as before, not with what the crossing gives.
        leave = (Rewrite(call.span, "leave"),) if _is_given_back(reached) else ()
        return _plan([loop.doubt, *self._why_not(reached)], (*loop.captures, *leave, rewrite), ())

    def is_on_threads(self, scope: Scope) -> bool:
        """Whether a function is seen on threads, and on no loop."""
        return scope in self._doubts.leads.on_threads

    def with_partners(self, plans: dict[Reached, FixPlan]) -> dict[Reached, FixPlan]:
        """The plans of all operations, none of them safe beside one that may stay."""
        return with_partners(plans, self._doubts.leads)

    def _why_not(self, reached: Reached) -> Iterator[str]:
        """Why handing the operation over may change what the program does."""
        none = _is_given_back(reached) and reached.name.startswith("asyncio.")
        if self._is_used(reached) and not none and reached.row.fix != "coroutine" and reached.started is None:
            yield "the result of the call is used"
        kind = reached.state.place.kind
        if kind in ("exit", "finalizer") or (kind == "signal" and not _asks_whether_closed(reached)):
            yield "the loop may be closed by then"
        yield from self._doubts.of(reached)

    def _is_used(self, reached: Reached) -> bool:
        """Whether something becomes of what the operation gives back."""
        role = reached.call.role
        if role != "returned" or reached.state.frame.scope.kind != "lambda":
            return role in ("value", "returned")
        # A thread object drops what its function gives; whoever else calls a lambda may want it.
        leads = self._doubts.leads
        starts = leads.starts(reached)
        called = [call for state, call in leads.ways(reached)[1:] if leads.enters(state, call, reached.state)]
        if called:
            return any(call.role != "statement" for call in called)
        return not starts or any(gives_its_result(call) for _, call in starts)

    def _handed_plan(self, reached: Reached) -> FixPlan:
        """The operation itself is what the thread runs: let that run the crossing."""
        row, call = reached.row, reached.call
        name = reached.name.rpartition(".")[2]
        given = [e for e in (*call.args, *(v for _, v in call.keywords)) if isinstance(e, Attr) and e.name == name]
        if row.fix != "pass" or row.crossing or len(given) != 1 or not is_exact(given[0]):
            return FixPlan("declined", "the operation is handed to the thread as a whole")
        if reached.named:
            return FixPlan("declined", "the operation is given keyword arguments")
        if row.answers and call.role == "value":
            return FixPlan("declined", "what it returns is needed on this thread")
        if _is_kept(reached.state.frame.scope, call):
            return FixPlan("declined", "what it returns is used")
        loop = self._handed_loop(reached)
        if not loop.text:
            return FixPlan("declined", loop.doubt)
        taken = gives_its_result(call) and call.role not in ("awaited", "statement")
        used = "what the job gives back may be looked at" if taken else ""
        crossing = f"{loop.text}.{row.crossing_method or 'call_soon_threadsafe'}"
        bind = Rewrite(call.span, "bind", f"{crossing}({spell(given[0])})")
        return _plan([loop.doubt, used, *self._why_not(reached)], (bind,), ("asyncio",))

    def _handed_loop(self, reached: Reached) -> Loop:
        """The loop to cross to from an operation that is handed over here, on the loop maybe."""
        wanted, frame = reached.row.loop_class or LOOP, reached.state.frame
        found = list(self._crossings.loops_in_scope(frame, wanted))
        if found:
            text, held = found[0]
            late = self._captures.starts_before(reached, held)
            early = f"`{text}` is not set yet when the thread starts" if late else ""
            return Loop(text, _doubt_between(found) or early or self._held.doubt(reached, text, held))
        if not frame.scope.is_async or wanted != LOOP:
            return Loop("", "no loop is in scope here")
        loops = self._owners.loops
        apart = loops.apart(self._owners.of(reached.receiver), loops.running(frame.scope))
        return Loop("asyncio.get_running_loop()", "the loop around is another than the object's" if apart else "")

    def _crossing_plan(self, reached: Reached) -> FixPlan:
        """Cross by a function of the library that knows the way back from its own threads."""
        crossing = reached.row.crossing
        if not self._captures.leads_back(reached, crossing):
            return FixPlan("declined", f"`{crossing}` works on threads of its own library only")
        rewrite = Rewrite(reached.call.span, "pass", crossing)
        asked = (self._doubts.of_answers, self._doubts.of_place, self._doubts.of_waiting)
        doubts = [doubt for of in asked for doubt in of(reached)]
        return _plan(doubts, (rewrite,), (crossing.rpartition(".")[0],))

    def _coroutine_plan(self, reached: Reached, loop: Loop) -> FixPlan:
        call = reached.call
        if len(call.args) != 1 or not self._is_coroutine(reached):
            return FixPlan("declined", "it is not certain that a coroutine is given")
        if not self._is_used(reached):
            # The task stays a task: its failure is told of, and its name and context are kept.
            own = not is_exact(call.func) or any(name == "loop" for name, _ in call.keywords)
            rewrite = Rewrite(call.span, "task" if own else "pass", f"{loop.text}.call_soon_threadsafe")
            return _plan([loop.doubt, *self._why_not(reached)], (*loop.captures, rewrite), ())
        if any(name not in ("coro", "loop") for name, _ in call.keywords):
            return FixPlan("declined", "the task's name or context would be lost")
        if need := self._kept_tasks.need(reached.state.frame, call):
            return FixPlan("declined", need)
        used = "the task is used, and becomes a concurrent future"
        rewrite = Rewrite(call.span, "coroutine", loop.text)
        return _plan([loop.doubt, used, *self._why_not(reached)], (*loop.captures, rewrite), ("asyncio",))

    def _is_coroutine(self, reached: Reached) -> bool:
        """Whether a coroutine is given: anything else `create_task` refuses, but `ensure_future` takes."""
        if not reached.row.harmless_with:
            return True
        given = self._program.evaluate(reached.state.frame, reached.call.args[0]).values
        return bool(given) and all(isinstance(value, Coroutine) for value in given)

    def _loop(self, reached: Reached, avoid: Avoid | None) -> Loop:
        """The loop to cross to, which must not be one to `avoid`."""
        if avoid is not None:
            return self._asserted(reached, self._choose(reached, avoid))
        # Asked twice: for the message and for the plan.
        if reached not in self._chosen:
            self._chosen[reached] = self._asserted(reached, self._choose(reached, None))
        return self._chosen[reached]

    def _asserted(self, reached: Reached, loop: Loop) -> Loop:
        """The loop with an assertion before the operation where it is declared that it may be None."""
        if not loop.doubt:
            method = reached.row.crossing_method or "call_soon_threadsafe"
            loop = loop._replace(doubt=self._without(reached, loop, method))
        if not self._crossings.is_optional(reached.state.frame, loop.text):
            return loop
        return loop._replace(captures=(*loop.captures, Rewrite(reached.call.span, "assert", loop.text)))

    def _without(self, reached: Reached, loop: Loop, method: str) -> str:
        """Why what stands for a loop may have no such method: a project's own that only looks like one."""
        func = reached.call.func
        base = func.base if isinstance(func, Attr) else None
        kind = self._crossings.without(reached.state.frame, loop.text, base, method) if loop.text else ""
        return f"`{loop.text}` may be a `{kind}`, which has no `{method}`" if kind else ""

    def _told_loop(self, reached: Reached, avoid: Avoid | None) -> Loop:
        """The loop for the message. Operations without a plan are many: those that are alike are asked for once."""
        if avoid is not None or reached in self._chosen or reached.call.keywords:
            return self._loop(reached, avoid)
        key = reached.state, reached.receiver, reached.row.loop_class, spell(reached.call.func)
        if key not in self._told:
            self._told[key] = self._choose(reached, None)
        return self._told[key]

    def _choose(self, reached: Reached, avoid: Avoid | None) -> Loop:
        """The object itself, a loop in scope, the object's own, one by its name, one that can be captured."""
        receiver, func, wanted = reached.receiver, reached.call.func, reached.row.loop_class or LOOP
        given = dict(reached.call.keywords).get("loop") if reached.row.fix == "coroutine" else None
        if is_exact(given):
            return Loop(spell(given))
        base = func.base if isinstance(func, Attr) else None
        if isinstance(receiver, Object) and wanted in self._program.knowledge.lineage(receiver.type):
            return Loop(spell(base)) if is_exact(base) else Loop("", "the loop is no plain name here")
        frame = reached.state.frame
        found = list(self._crossings.loops_in_scope(frame, wanted, avoid or self._elsewhere(reached)))
        doubt = _doubt_between(found) if found else ""
        if found and not doubt:
            text, held = found[0]
            late = self._captures.starts_before(reached, held)
            if late:
                return Loop(text, f"`{text}` is not set yet when the thread starts")
            of_other = self._crossings.of_other(frame, base, text, held)
            if of_other and not is_exact(base):
                return Loop(text, f"the object's loop is `{of_other}`")
            text = of_other or text
            return Loop(text, self._held.doubt(reached, text, held))
        accessor = next(
            (a for t in self._program.classes.library_types(receiver) if (a := self._program.knowledge.own_loop(t))), ""
        )
        if accessor and is_exact(base) and wanted == LOOP:
            return Loop(accessor.format(spell(base)))
        if found:
            return Loop(found[0][0], doubt)
        if text := "" if avoid else self._crossings.loop_in_scope(frame, wanted):
            return Loop(text, f"`{text}` is run by a thread, and must be the object's loop")
        if another := self._crossings.loop_of_another(frame, wanted, avoid or self._elsewhere(reached)):
            text, held = another
            if text.rpartition(".")[0] in map(spell, holders_of(base)):
                return Loop(text, self._held.doubt(reached, text, held))
            return Loop(text, f"`{text}` is kept by another, and must be the object's loop")
        if wanted != LOOP or avoid is not None:
            return Loop("", "no loop is in scope here")
        return self._guess(reached)

    def _guess(self, reached: Reached) -> Loop:
        """A loop that may be the object's, but is not known to be."""
        if name := self._crossings.named_loop(reached.state.frame):
            return Loop(name, f"that `{name}` is the loop is known by its name only")
        # Asked once for all operations of a function on the same object.
        key = reached.state, reached.receiver, spell(reached.call.func)
        if key not in self._captured:
            self._captured[key] = self._captures.capture(reached)
        captured = self._captured[key]
        if isinstance(captured, str):
            return Loop("", captured)
        doubt = f"`{captured.text}` is captured, and must be the object's loop"
        return Loop(captured.text, "" if self._are_made_together(reached) else doubt, captured.rewrites)

    def _are_made_together(self, reached: Reached) -> bool:
        """Whether one coroutine makes the object and the closure that touches it, both for its own loop."""
        receiver, around = reached.receiver, coroutine_around(reached.state.frame)
        if around is None or not isinstance(receiver, Object) or receiver.frame is None:
            return False
        loops = self._owners.loops
        return receiver.frame.scope is around and not loops.apart(self._owners.of(receiver), loops.running(around))

    def _elsewhere(self, reached: Reached) -> Avoid:
        """Which loops are those of threads that have nothing to do with the object."""
        owner = self._owners.thread_of(reached)
        others = [thread.loop for thread in self._owners.threads.values() if thread is not owner]
        return lambda loop: any(same_making(loop, other) for other in others)


_NO_FIX = {"lookup": "the loop must be taken elsewhere", "task-creation": "no single coroutine is given"}


def _asks_whether_closed(reached: Reached) -> bool:
    """Whether the operation itself raises where the loop is closed, as the crossing does."""
    row = reached.row
    return row.category == "task-creation" or (row.category == "loop-call" and row.answers)


def _is_given_back(reached: Reached) -> bool:
    """Whether a function returns what the operation gives, and that is None."""
    call = reached.call
    return call.role == "returned" and reached.state.frame.scope.kind == "function" and not reached.row.answers


def _is_kept(scope: Scope, call: Call) -> bool:
    """Whether something becomes of what an awaited call gives."""
    used = [v for values in scope.bindings.values() for v in values]
    used += [*(store.value for store in scope.stores), *scope.returns, *scope.yields]
    used += [value for other in scope.calls for value in (*other.args, *(v for _, v in other.keywords))]
    return any(isinstance(value, Await) and value.value is call for value in used)


def _plan(doubts: list[str], rewrites: tuple[Rewrite, ...], imports: tuple[str, ...]) -> FixPlan:
    reason = "; ".join(dict.fromkeys(doubt for doubt in doubts if doubt))
    return FixPlan("unsafe" if reason else "safe", reason, rewrites, imports)


def _doubt_between(found: list[tuple[str, list[Object]]]) -> str:
    """Whether it may be another of the loops in scope: one that is made elsewhere."""
    (text, held), *others = found
    made = {v.site for v in held} - {None}
    for other, values in others:
        sites = {v.site for v in values} - {None}
        if made and sites and not made & sites:
            return f"`{other}` may be the object's loop as well as `{text}`"
    return ""


def _renamed(reached: Reached) -> str:
    """The call's function with the twin in the place of its last name."""
    func = reached.call.func
    return f"{spell(func.base)}.{reached.row.twin}" if isinstance(func, Attr) else reached.row.twin


def _has_plain_name(reached: Reached) -> bool:
    """Whether what is called is a method, or a function by the name it is imported under."""
    func, frame = reached.call.func, reached.state.frame
    if not isinstance(func, Name):
        return isinstance(func, Attr)
    at: Frame | None = frame
    while at is not None:
        if any(p.name == func.id for p in at.scope.parameters):
            return False
        if func.id in at.scope.bindings and (at is frame or at.scope.kind != "class"):
            return all(isinstance(value, Import) for value in at.scope.bindings[func.id])
        at = at.parent
    return True


def _is_entered(reached: Reached) -> bool:
    """Whether `with` enters what the call gives."""
    return any(block.value is reached.call for block in reached.state.frame.scope.blocks)
