"""`create_task(c())` and `ensure_future(c(), loop=l)` become `asyncio.run_coroutine_threadsafe(c(), loop)`.

Where the result is needed, a thread waits for it with `.result()` and a coroutine through `asyncio.wrap_future`.
"""

from __future__ import annotations

from loopsafe.fixes.actions.passing import row_break
from loopsafe.fixes.calls import Argument, CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change
from loopsafe.project.sources import NEWLINE

_COROUTINE_NAMES = {"", "coro", "coro_or_future"}


def run_threadsafe(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand the coroutine to the loop `text`."""
    coroutine, loop = _parts(call)
    changes = [Change(call.start, call.function_end, spell("asyncio.run_coroutine_threadsafe"))]
    if coroutine.keyword:
        changes.append(Change(coroutine.start, coroutine.value, ""))
    if loop:
        return [*changes, Change(loop.start, loop.end, text)]
    return changes + _append(call, coroutine, text)


def wait_threadsafe(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand the coroutine to the loop `text`, and wait until it is done."""
    end = call.closing + 1
    return [*run_threadsafe(call, text, spell), Change(end, end, ".result()")]


def call_and_run(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """`l.call_soon_threadsafe(c, x)` becomes `asyncio.run_coroutine_threadsafe(c(x), l)`; `text` is the loop."""
    if any(argument.keyword for argument in call.arguments):
        raise CannotFix("asyncio.run_coroutine_threadsafe has no place for further arguments")
    function, *others = call.arguments
    swap = Change(call.start, call.function_end, spell("asyncio.run_coroutine_threadsafe"))
    if not others:
        return [swap, Change(function.end, function.end, f"(), {text}")]
    assert function.comma is not None
    # What stands beside the function comes to stand beside the parenthesis; rows and comments stay.
    beside = others[0].start if not call.source[function.comma + 1 : others[0].start].strip(" ") else function.comma + 1
    return [swap, Change(function.end, beside, "("), Change(others[-1].end, others[-1].end, f"), {text}")]


def bridge(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand the call itself, which gives a coroutine, to the loop `text`, and wait for it on this one."""
    opening = f"{spell('asyncio.wrap_future')}({spell('asyncio.run_coroutine_threadsafe')}("
    end = call.closing + 1
    return [Change(call.start, call.start, opening), Change(end, end, f", {text}))")]


def _parts(call: CallSite) -> tuple[Argument, Argument | None]:
    """The coroutine and the loop, if one is given. Anything else would be lost: the new call has no place for it."""
    if not call.arguments or call.arguments[0].keyword not in _COROUTINE_NAMES or call.arguments[0].bare_generator:
        raise CannotFix("the first argument is not one coroutine")
    coroutine, *others = call.arguments
    surplus = [argument.keyword or "a second argument" for argument in others if argument.keyword != "loop"]
    if surplus:
        raise CannotFix(f"asyncio.run_coroutine_threadsafe has no place for `{surplus[0]}`")
    return coroutine, others[0] if others else None


def _append(call: CallSite, only: Argument, text: str) -> list[Change]:
    """Add `text` after the only argument: on a row of its own where that has one, else beside it."""
    rows = row_break(call)
    ends = list(NEWLINE.finditer(call.source, only.end if only.comma is None else only.comma, call.closing))
    if not rows or not ends:
        return [Change(only.end, only.end, f",{rows or ' '}{text}")]
    # The comment after the argument, if any, stays with it.
    last = ends[-1]
    indent = NEWLINE.sub("", rows)
    after = Change(last.end(), last.end(), f"{indent}{text},{last.group()}")
    return [after] if only.comma is not None else [Change(only.end, only.end, ","), after]
