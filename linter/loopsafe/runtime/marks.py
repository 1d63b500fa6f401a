"""Classes and functions of the project that are marked `loop-bound` or `runs-on=loop`, see docs/annotations.md."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from inspect import iscoroutinefunction
from types import FunctionType, ModuleType
from typing import Any

from loopsafe.runtime.patching import Undo, in_front
from loopsafe.runtime.places import either, is_of_python
from loopsafe.runtime.rows import Operation, Owner, Watched
from loopsafe.runtime.watching import Judge, watch_class

_MARK = re.compile(r"#\s*loopsafe:[^#]*\b(?:loop-bound|runs-on=loop)\b")


def watch_marked(module: ModuleType, judge: Judge) -> Iterator[Undo]:
    """Watch what is marked in a module that has just been loaded; mostly nothing."""
    path = getattr(module, "__file__", None) or ""
    if not path.endswith(".py") or is_of_python(path) or "site-packages" in path:
        return
    rows = {row for row, line in enumerate(linecache.getlines(path), 1) if _MARK.search(line)}
    if rows:
        yield from _watch(vars(module), module.__name__, rows, judge)


def _watch(names: Any, module: str, rows: set[int], judge: Judge) -> Iterator[Undo]:
    for name, found in tuple(names.items()):
        if getattr(found, "__module__", None) != module:
            continue
        if isinstance(found, type):
            if _is_marked(found, rows):
                yield from watch_class(found, _row(found), judge)
            else:
                yield from _watch_methods(found, rows, judge)
        elif isinstance(found, FunctionType) and _is_marked(found, rows):
            operation = Operation("LSF108", module.rpartition(".")[2], name, "none", "", "any")
            values = {"HERE": either, "CHECK": judge.check, "ROW": operation}
            yield in_front(_Namespace(names), name, "if HERE() is None: CHECK(None, ROW)", values)


class _Namespace:
    """The names of a module, as `in_front` looks at them."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.__dict__ = names


def _watch_methods(cls: type, rows: set[int], judge: Judge) -> Iterator[Undo]:
    names = [name for name, one in vars(cls).items() if isinstance(one, FunctionType) and _is_marked(one, rows)]
    if names:
        yield from watch_class(
            cls, Watched("", cls.__qualname__, "LSF108", tuple(names), (), "none", side="any"), judge
        )


def _row(cls: type) -> Watched:
    """All of its public methods that are no coroutine functions."""
    functions = [name for name, one in vars(cls).items() if isinstance(one, FunctionType) and name[0] != "_"]
    waits = tuple(name for name in functions if iscoroutinefunction(vars(cls)[name]))
    operations = tuple(name for name in functions if name not in waits)
    # Where nothing is done when one is made, nothing can be kept of its loop: it must be that of the thread.
    owner: Owner = "waits" if "__init__" in vars(cls) else "none"
    return Watched("", cls.__qualname__, "LSF108", operations, waits if owner == "waits" else (), owner, side="any")


def _is_marked(what: Any, rows: set[int]) -> bool:
    """Whether the comment stands on its signature, or alone above it."""
    first, last = _signature(what)
    return any(first - 1 <= row <= last for row in rows)


def _signature(what: Any) -> tuple[int, int]:
    if isinstance(what, FunctionType):
        first = what.__code__.co_firstlineno
        body = min((row for _, _, row in what.__code__.co_lines() if row and row > first), default=first + 1)
        return first, body - 1
    import inspect

    try:
        _, row = inspect.getsourcelines(what)
    except (OSError, TypeError):
        return 0, -1
    return row, row
