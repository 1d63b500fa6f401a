"""`start(a.f)` becomes `start(functools.partial(b.g, a.f))`: what is run calls `b.g(a.f)`."""

from __future__ import annotations

from loopsafe.fixes.calls import CallSite, measure
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change


def bind(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Bind the one argument that `text`, the call to be made, is given."""
    wanted = measure(text, 0, text)
    bound = text[wanted.arguments[0].value : wanted.arguments[0].end]
    found = [a for a in call.arguments if call.source[a.value : a.end] == bound]
    if len(found) != 1:
        raise CannotFix(f"`{bound}` is not one of the arguments")
    opening = f"{spell('functools.partial')}({wanted.function}, "
    return [Change(found[0].value, found[0].value, opening), Change(found[0].end, found[0].end, ")")]
