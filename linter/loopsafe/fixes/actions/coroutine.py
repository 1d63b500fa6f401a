"""`create_task(c())` and `ensure_future(c(), loop=l)` become `asyncio.run_coroutine_threadsafe(c(), loop)`.

Where the result is needed, a thread waits for it with `.result()` and a coroutine through `asyncio.wrap_future`.
"""

from __future__ import annotations

from loopsafe.fixes.actions.passing import row_break
from loopsafe.fixes.calls import Argument, CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change
from loopsafe.sources import NEWLINE

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
    if only.comma is not None:
        return [Change(last.end(), last.end(), f"{indent}{text},{last.group()}")]
    return [Change(only.end, only.end, ","), Change(last.end(), last.end(), f"{indent}{text}{last.group()}")]
