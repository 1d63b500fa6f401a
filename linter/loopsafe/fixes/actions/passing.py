"""`f(a, k=v)` becomes `crossing(f, a)`, or `crossing(functools.partial(f, a, k=v))`."""

from __future__ import annotations

from loopsafe.fixes.calls import CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change
from loopsafe.project.sources import NEWLINE


def pass_on(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand the call's function over to `text`, with its arguments."""
    return _pass(call, call.function, text, spell)


def pass_task(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand `create_task` of the loop that `text` crosses to over to it, with the arguments but for a loop.

    Raises:
        CannotFix: a loop is given among others.
    """
    function = f"{text.rpartition('.')[0]}.create_task"
    loop = next((a for a in call.arguments[1:] if a.keyword == "loop"), None)
    if loop is None:
        return _pass(call, function, text, spell)
    first = call.arguments[0]
    if len(call.arguments) > 2 or first.keyword or "#" in call.source[first.end : loop.end]:
        raise CannotFix("the loop is given among other arguments")
    return [*hand_to(text, call, function), Change(first.end, loop.end, "")]


def _pass(call: CallSite, function: str, text: str, spell: Speller) -> list[Change]:
    if all(argument.keyword in {"", "*"} for argument in call.arguments):
        return hand_to(text, call, function)
    # No crossing takes keywords for the function it runs.
    end = call.closing + 1
    return [*hand_to(f"{text}({spell('functools.partial')}", call, function), Change(end, end, ")")]


def hand_to(receiver: str, call: CallSite, function: str = "") -> list[Change]:
    """Make a function, the call's own where none is given, the first argument of a call of `receiver`."""
    swap = Change(call.start, call.function_end, receiver)
    function = function or call.function
    if not call.arguments:
        return [swap, Change(call.inside, call.inside, function)]
    first, last = call.arguments[0], call.arguments[-1]
    content = f"{function},{row_break(call) or ' '}"
    if first.bare_generator:
        return [swap, Change(first.start, first.start, f"{content}("), Change(first.end, first.end, ")")]
    # An only argument on a row of its own has no comma after it; of two, formatters want one.
    alone = len(call.arguments) == 1 and last.comma is None and row_break(call)
    closes = alone and NEWLINE.search(call.source, last.end, call.closing)
    return [swap, Change(first.start, first.start, content), *([Change(last.end, last.end, ",")] if closes else ())]


def row_break(call: CallSite) -> str:
    """The line end and indentation before the first argument; empty if that stands beside the parenthesis."""
    line_ends = list(NEWLINE.finditer(call.lead))
    return call.lead[line_ends[-1].start() :] if line_ends else ""
