"""`call_soon_threadsafe(f(x))` becomes `call_soon_threadsafe(f, x)`: the function is passed, not its result."""

from __future__ import annotations

import libcst as cst

from loopsafe.fixes.actions.passing import hand_to
from loopsafe.fixes.actions.spread import spread
from loopsafe.fixes.calls import Argument, CallSite, measure
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change

# What parameters for callbacks are called in the standard library.
_CALLBACK_KEYWORDS = {"target", "function", "func", "fn", "callback"}
# These take the callback's arguments as `args`; others take them after the callback, or not at all.
_TAKE_ARGS = {"Thread", "Timer", "Process"}


def uncall(call: CallSite, text: str, spell: Speller) -> list[Change]:
    """Pass the function that is called in an argument.

    `text` names that argument by its position (from 0) or keyword. Where it is empty, the argument must be plain to
    see: one with a callback's usual keyword, or the only positional one that is a call.
    """
    outer = _callback(call, text)
    inner = measure(call.source, outer.value, call.source[outer.value : outer.end])
    if not isinstance(inner.node.func, cst.Name | cst.Attribute):
        raise CannotFix("what is called in the argument is not a plain function or method")
    if "#" in inner.source[inner.function_end : inner.inside]:
        raise CannotFix("a comment stands where the parenthesis would go")
    takes_args = _name(call) in _TAKE_ARGS
    _check_alone(call, outer, takes_args)
    if not inner.arguments:
        return _without_parentheses(inner)
    if any(argument.keyword not in {"", "*"} for argument in inner.arguments):
        return hand_to(spell("functools.partial"), inner)
    if takes_args:
        return _as_tuple(inner)
    return hand_to(spell("functools.partial"), inner) if outer.keyword else spread(outer, inner)


def _callback(call: CallSite, text: str) -> Argument:
    candidates = [
        (position, argument)
        for position, argument in enumerate(call.arguments)
        if isinstance(argument.node.value, cst.Call) and not argument.node.star
    ]
    chosen = [a for position, a in candidates if text in {str(position), a.keyword}] if text else []
    chosen = chosen or [a for _, a in candidates if a.keyword in _CALLBACK_KEYWORDS]
    chosen = chosen or [a for _, a in candidates if not a.keyword]
    if len(chosen) != 1:
        raise CannotFix("it is not plain which argument is the callback" if chosen else "no argument is a call")
    return chosen[0]


def _without_parentheses(inner: CallSite) -> list[Change]:
    if "#" in inner.source[inner.inside : inner.closing]:
        return [Change(inner.function_end, inner.inside, ""), Change(inner.closing, inner.closing + 1, "")]
    return [Change(inner.function_end, inner.closing + 1, "")]


def _check_alone(call: CallSite, outer: Argument, takes_args: bool) -> None:
    """A call that gives the callback arguments may well mean what it says: the function called returns the callback."""
    later = call.arguments[call.arguments.index(outer) + 1 :]
    keywords = {argument.keyword for argument in call.arguments}
    if any(argument.keyword in {"", "*"} for argument in later) or (takes_args and keywords & {"args", "kwargs"}):
        raise CannotFix("the callback is given arguments already, so what is called may return the callback")


def _name(call: CallSite) -> str:
    func = call.node.func
    name = func.attr if isinstance(func, cst.Attribute) else func
    return name.value if isinstance(name, cst.Name) else ""


def _as_tuple(inner: CallSite) -> list[Change]:
    """`target=f(x)` becomes `target=f, args=(x,)`."""
    first, last = inner.arguments[0], inner.arguments[-1]
    opening, closing = ("((", ")") if first.bare_generator else ("(", "")
    # One value in parentheses is no tuple without a comma.
    comma = "," if first is last and last.comma is None else ""
    return [
        Change(inner.function_end, inner.inside, f", args={opening}"),
        Change(last.end, last.end, closing + comma),
    ]
