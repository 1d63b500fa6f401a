"""Where a violation is told of, and what only looks like one."""

from __future__ import annotations

import ast
import functools
import linecache
import re
from asyncio import futures
from inspect import CO_COROUTINE
from types import CodeType, FrameType
from typing import Any

from loopsafe.runtime.places import is_of_python
from loopsafe.runtime.violations import spot

_INNER = ("LSF103", "LSF104")
_OF_CHANNELS = ("send_nowait", "recv_nowait", "receive_nowait", "close")
_OWN = re.compile(r"self\.(\w+)\.")


def boundary(stack: list[FrameType], code: str) -> tuple[FrameType, str]:
    """The frame to tell of, and the code.

    A class of the project that sets events or completes futures, and has coroutine methods that know them, belongs to
    the loop as they do: it is told of where a thread calls into it.
    """
    at = 0
    if code not in _INNER:
        return stack[0], code
    kept = _OWN.match(spot(stack[0]).source)
    while cls := _shared_class(stack[at], "" if at or kept is None else kept[1]):
        outside = at
        while outside < len(stack) and _class_of(stack[outside]) is cls:
            outside += 1
        if outside == len(stack) or _is_installed(stack[outside]) > _is_installed(stack[0]):
            break
        entered = stack[outside - 1].f_code.co_name
        if f".{entered}" not in spot(stack[outside]).source:
            # Called by another name: as one callback of many, say.
            break
        at = outside
        code = "LSF101" if entered in _OF_CHANNELS else "LSF108"
    return stack[at], code


def is_chained(frame: FrameType) -> bool:
    """Whether asyncio itself ties a concurrent future to one of its own, which it does in a way that is right."""
    return frame.f_back is not None and frame.f_back.f_code is futures._chain_future.__code__  # type: ignore[attr-defined]


def is_finalizer(frame: FrameType) -> bool:
    """Whether Python cleans up after asyncio, on whichever thread that falls."""
    context: Any = frame.f_locals.get("context")
    message = str(context.get("message", "")) if isinstance(context, dict) else ""
    if "never retrieved" in message or "was destroyed" in message:
        return True
    back = frame.f_back
    return back is not None and back.f_code.co_name == "__del__" and is_of_python(back.f_code.co_filename)


def is_handled(frame: FrameType) -> bool:
    """Whether what fails by itself stands in a `try` with handlers: whoever tries reckons with it."""
    back = frame.f_back
    return back is not None and any(
        first <= back.f_lineno <= last for first, last in _tries(back.f_code.co_filename) if back.f_lineno
    )


@functools.lru_cache(maxsize=100)
def _tries(path: str) -> tuple[tuple[int, int], ...]:
    """First and last row of the bodies that handlers stand after."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except (SyntaxError, ValueError):
        return ()
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Try) and node.handlers]
    return tuple((node.body[0].lineno, node.body[-1].end_lineno or 0) for node in nodes)


def _shared_class(frame: FrameType, kept: str) -> type | None:
    """The class whose method this is, if coroutines of it wait, and know this attribute."""
    cls = _class_of(frame)
    return cls if cls is not None and any(_has_coroutines(base, kept) for base in cls.__mro__) else None


def _is_installed(frame: FrameType) -> bool:
    return "site-packages" in frame.f_code.co_filename


def _class_of(frame: FrameType) -> type | None:
    code = frame.f_code
    first = code.co_varnames[0] if code.co_argcount else "self" if "self" in code.co_freevars else ""
    cls = type(frame.f_locals.get(first)) if first in frame.f_locals else None
    if cls is None or is_of_python(code.co_filename):
        return None
    return cls if any(_holds(base, code) for base in cls.__mro__) or "self" in code.co_freevars else None


def _holds(cls: type, code: CodeType) -> bool:
    found: Any = vars(cls).get(code.co_name)
    found = getattr(found, "__func__", found) or getattr(found, "fget", None)
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    return getattr(found, "__code__", None) is code


def _has_coroutines(cls: type, kept: str) -> bool:
    codes = [getattr(one, "__code__", None) for one in vars(cls).values()]
    waiting = [code for code in codes if code is not None and code.co_flags & CO_COROUTINE]
    return any(not kept or kept in code.co_names for code in waiting)
