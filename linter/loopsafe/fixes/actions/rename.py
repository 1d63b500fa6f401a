"""`a.f(x)` becomes `a.g(x)`, and `f(x)` becomes `g(x)`."""

from __future__ import annotations

import libcst as cst

from loopsafe.fixes.calls import CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change


def rename(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Put `text` in the place of the last name of the call's function."""
    match call.node.func:
        case cst.Name(value=name):
            return [Change(call.start, call.function_end, spell.twin(name, text))]
        case cst.Attribute(attr=cst.Name(value=name), rpar=closings):
            end = call.function_end - sum(len(cst.Module([]).code_for_node(closing)) for closing in closings)
            return [Change(end - len(name), end, text)]
    raise CannotFix("what is called has no name that could be replaced")
