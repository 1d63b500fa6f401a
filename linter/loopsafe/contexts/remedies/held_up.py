"""Loops that stand still while a thread does an operation: what a coroutine does next comes before what is handed over.

Done at once, it was there by then: the coroutine had waited for the thread, though not as coroutines wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.awaited import Awaited
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.facts.enclosing import call_at
from loopsafe.facts.schema import Attr, Call, Const, Expr, Import, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module

# As statements: a coroutine that means to wait has `await` before them.
_WAITS = ("join", "wait", "acquire", "shutdown")
_POOLS = "PoolExecutor"
# What waits for the other end of a socket, a pipe or a process.
_RECEIVES = (
    "recv", "recv_into", "recvfrom", "recv_bytes", "accept", "readline", "communicate", "check_call", "check_output"
)  # fmt: skip
_RECEIVES_OF = (("os", "read"), ("select", "select"), ("subprocess", "run"))
# With these, who started a thread does not wait for its end.
_ABANDONS = ("abandon_on_cancel", "cancellable")


class HeldUp:
    """Asks what keeps a loop from its next turn until the thread has done an operation."""

    def __init__(self, leads: Leads, awaited: Awaited) -> None:
        self._leads, self._awaited = leads, awaited
        self._talking: dict[Module, int] = {}

    def doubts(self, reached: Reached) -> Iterator[str]:
        """What holds the loop up: in coroutines that start threads, and in whatever waits for somebody's answer."""
        hops = self._leads.hops(reached)
        for hop in hops:
            for scope in hop.module.facts.scopes:
                row = self._holds_up(hop.module, scope, hop.packed_span) if scope.is_async else 0
                if row:
                    yield f"line {row} holds the loop up, which may see before its next turn that it is not done"
        for module in dict.fromkeys((reached.state.frame.module, *(hop.module for hop in hops))):
            if module not in self._talking:
                self._talking[module] = min(self._talks(module), default=0)
            if row := self._talking[module]:
                yield f"line {row} holds the loop up, and may wait for what the thread does next"

    def _talks(self, module: Module) -> Iterator[int]:
        """The rows at which coroutines, or what they call, wait for what somebody else sends."""
        coroutines = [scope for scope in module.facts.scopes if scope.is_async]
        called = {last_name(call.func) for scope in coroutines for call in scope.calls}
        for scope in module.facts.scopes:
            if scope.is_async or (scope.name in called and scope not in self._leads.on_threads):
                yield from (
                    call.span.row
                    for call in scope.calls
                    if _receives(call) and not self._awaited.is_coroutine(scope, call)
                )

    def _holds_up(self, module: Module, scope: Scope, start: int) -> int:
        """The row of a call by which a coroutine waits for a thread; 0 where there is none."""
        started = call_at(scope, start)
        for call in scope.calls:
            after = started is None or call.packed_span > start
            waits = _is_wait(module, call) and not self._awaited.is_coroutine(scope, call)
            if after and (waits or (started is not None and _is_result(scope, started, call))):
                return call.span.row
        # A coroutine that waits for the job as coroutines do finds it done at the end of the block.
        for block in () if scope.awaits else scope.blocks:
            made = block.value if isinstance(block.value, Call) else None
            if made is not None and not block.is_async and last_name(made.func).endswith(_POOLS):
                return made.span.row
        return 0


def _receives(call: Call) -> bool:
    """Whether a call waits for what somebody else sends."""
    func, name = call.func, last_name(call.func)
    if name in _RECEIVES:
        return isinstance(func, Attr)
    return isinstance(func, Attr) and (spell(func.base), name) in _RECEIVES_OF


def waits_back(reached: Reached, leads: Leads) -> Iterator[str]:
    """What may wait for the thread while that waits for the loop, or end the loop meanwhile."""
    on_the_way = leads.scopes(reached)
    for hop in leads.hops(reached):
        started = (call for scope in hop.module.facts.scopes for call in scope.calls)
        given = [
            k for call in started if call.packed_span == hop.packed_span for k, value in call.keywords if _is_on(value)
        ]
        if any(keyword in _ABANDONS for keyword in given):
            yield "the thread may outlive the loop, and then nothing can be handed over"
    for module in dict.fromkeys(hop.module for hop in leads.hops(reached)):
        for scope in module.facts.scopes:
            calls = scope.calls if scope.kind == "function" and scope not in on_the_way else ()
            for call in calls:
                if last_name(call.func) in (*_WAITS, "get") and call.role != "awaited" and _is_plain(call):
                    yield f"line {call.span.row} may hold the loop up while the thread waits for it"


def _is_wait(module: Module, call: Call) -> bool:
    name = last_name(call.func)
    if name == "sleep":
        return call.role != "awaited" and _is_times(module, call)
    if name not in _WAITS or not isinstance(call.func, Attr) or call.role not in ("statement", "value"):
        return False
    return _is_plain(call) and (call.role == "statement" or name == "join")


def _is_plain(call: Call) -> bool:
    """Whether it is given a time at most: `",".join(parts)` and `os.path.join(a, b)` wait for nobody."""
    given = (*call.args, *(value for _, value in call.keywords))
    return all(isinstance(value, Const) and not isinstance(value.value, str) for value in given)


def _is_on(value: Expr) -> bool:
    return not isinstance(value, Const) or bool(value.value)


def _is_times(module: Module, call: Call) -> bool:
    """Whether it is `time.sleep`."""
    if isinstance(call.func, Attr):
        return spell(call.func.base) == "time"
    held = module.facts.scopes[0].bindings.get(call.func.id, ()) if isinstance(call.func, Name) else ()
    return any(isinstance(value, Import) and value.module == "time" for value in held)


def _is_result(scope: Scope, started: Call, call: Call) -> bool:
    """Whether it asks the future of a job for its result."""
    if last_name(call.func) not in ("result", "exception") or not isinstance(call.func, Attr):
        return False
    base = call.func.base
    return base is started or (isinstance(base, Name) and started in scope.bindings.get(base.id, ()))
