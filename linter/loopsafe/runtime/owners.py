"""Whose loop an object is on, and whether an operation on it may be done here."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from loopsafe.runtime.places import HERE, elsewhere, note_thread
from loopsafe.runtime.rows import Operation

LOOPS: weakref.WeakSet[Any] = weakref.WeakSet()
"""The loops that have been run while somebody watched."""

# What cannot be kept with the objects themselves.
_SLOTTED: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()

Foreign = tuple[Any, int]
_ALLOWED: Foreign = (None, 0)


def foreign(it: Any, operation: Operation) -> Foreign:
    """The loop of the object and the thread that runs it, where that is another one than this; else None and 0."""
    if operation.owner == "waits":
        return (_waited if operation.waits else _changed)(it, operation)
    if operation.owner == "none":
        loop = it or next((one for one in tuple(LOOPS) if elsewhere(one)), None)
    else:
        loop = it if operation.owner == "self" else it._loop
    return loop, elsewhere(loop)


def made(here: Callable[[], Any], holder: Any) -> None:
    """Keep which loop ran, or else which thread, where an object, or the first that shares the holder, was made."""
    if _recall(holder, "_loopsafe_owner") is None:
        _remember(holder, "_loopsafe_owner", here() or threading.get_ident())


def waiters_loop(holder: Any) -> Any:
    """The loop on which somebody has waited for the object, or None."""
    return _recall(holder, "_loopsafe_waits") or getattr(holder, "_loop", None)


def _changed(it: Any, operation: Operation) -> Foreign:
    """Judge an operation that is done at once."""
    holder, here = _holder(it, operation), HERE[operation.side]()
    waits = waiters_loop(holder)
    loop = waits or _recall(holder, "_loopsafe_owner")
    if isinstance(loop, int):
        # Made before a loop ran. Its thread's loop is meant, if it runs one by now.
        loop = next((one for one in tuple(LOOPS) if elsewhere(one) == loop), None)
    thread = elsewhere(loop)
    if not thread:
        if here is not None:
            _remember(holder, "_loopsafe_owner", here)
        return _ALLOWED
    # Made on one loop and handed to another, before anybody waits: it may be the other's by now.
    return _ALLOWED if here is not None and waits is None else (loop, thread)


def _waited(it: Any, operation: Operation) -> Foreign:
    """Judge a wait: of two loops that wait for one object while both run, the second is wrong."""
    holder, here = _holder(it, operation), HERE[operation.side]()
    before = waiters_loop(holder)
    if here is None:
        return _ALLOWED
    thread = elsewhere(before) if before is not here else 0
    if thread:
        return before, thread
    _remember(holder, "_loopsafe_waits", here)
    _remember(holder, "_loopsafe_owner", here)
    return _ALLOWED


def _holder(it: Any, operation: Operation) -> Any:
    return getattr(it, operation.holder) if operation.holder else it


def _remember(holder: Any, name: str, loop: Any) -> None:
    if not isinstance(loop, int):
        note_thread(loop)
    try:
        setattr(holder, name, loop)
    except AttributeError:
        _SLOTTED.setdefault(holder, {})[name] = loop


def _recall(holder: Any, name: str) -> Any:
    found = getattr(holder, name, None)
    if found is None and not type(holder).__dictoffset__:
        return _SLOTTED.get(holder, {}).get(name)
    return found
