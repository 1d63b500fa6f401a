"""`f(a, k=v)` becomes `crossing(f, a)`, or `crossing(functools.partial(f, a, k=v))`."""

from __future__ import annotations

from loopsafe.fixes.calls import CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import Change
from loopsafe.project.sources import NEWLINE


def pass_on(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Hand the call's function over to `text`, with its arguments."""
    if all(argument.keyword in {"", "*"} for argument in call.arguments):
        return hand_to(text, call)
    # No crossing takes keywords for the function it runs.
    end = call.closing + 1
    return [*hand_to(f"{text}({spell('functools.partial')}", call), Change(end, end, ")")]


def hand_to(receiver: str, call: CallSite) -> list[Change]:
    """Make the call's function the first argument of a call of `receiver`, in the layout there is."""
    swap = Change(call.start, call.function_end, receiver)
    if not call.arguments:
        return [swap, Change(call.inside, call.inside, call.function)]
    first = call.arguments[0]
    content = f"{call.function},{row_break(call) or ' '}"
    if first.bare_generator:
        return [swap, Change(first.start, first.start, f"{content}("), Change(first.end, first.end, ")")]
    return [swap, Change(first.start, first.start, content)]


def row_break(call: CallSite) -> str:
    """The line end and indentation before the first argument; empty if that stands beside the parenthesis."""
    line_ends = list(NEWLINE.finditer(call.lead))
    return call.lead[line_ends[-1].start() :] if line_ends else ""
