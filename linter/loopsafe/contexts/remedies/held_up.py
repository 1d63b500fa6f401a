"""Loops that stand still while a thread does an operation: what a coroutine does next comes before what is handed over.

Done at once, it was there by then: the coroutine had waited for the thread, though not as coroutines wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.leads import Leads
from loopsafe.facts.schema import Attr, Call, Const, Import, Name, Scope
from loopsafe.facts.spelling import spell
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module

# As statements: a coroutine that means to wait has `await` before them.
_WAITS = ("join", "wait", "acquire", "shutdown")
_POOLS = "PoolExecutor"


def held_up(reached: Reached, leads: Leads) -> Iterator[str]:
    """What holds the loop up, in the coroutines that start threads, until the thread has done the operation."""
    for hop in leads.hops(reached):
        for scope in hop.module.facts.scopes:
            row = _holds_up(hop.module, scope, hop.packed_span) if scope.is_async else 0
            if row:
                yield f"line {row} holds the loop up, which may see before its next turn that it is not done"


def _holds_up(module: Module, scope: Scope, start: int) -> int:
    """The row of a call by which a coroutine waits for a thread; 0 where there is none."""
    started = next((call for call in scope.calls if call.packed_span == start), None)
    for call in scope.calls:
        after = started is None or call.packed_span > start
        if after and (_is_wait(module, call) or (started is not None and _is_result(scope, started, call))):
            return call.span.row
    # A coroutine that waits for the job as coroutines do finds it done at the end of the block.
    for block in () if scope.awaits else scope.blocks:
        made = block.value if isinstance(block.value, Call) else None
        if made is not None and not block.is_async and last_name(made.func).endswith(_POOLS):
            return made.span.row
    return 0


def _is_wait(module: Module, call: Call) -> bool:
    name = last_name(call.func)
    if name == "sleep":
        return call.role != "awaited" and _is_times(module, call)
    if name not in _WAITS or not isinstance(call.func, Attr) or call.role not in ("statement", "value"):
        return False
    # `",".join(parts)` and `os.path.join(a, b)` wait for nobody.
    given = (*call.args, *(value for _, value in call.keywords))
    plain = all(isinstance(value, Const) and not isinstance(value.value, str) for value in given)
    return plain and (call.role == "statement" or name == "join")


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
