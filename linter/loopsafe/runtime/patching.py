"""Puts a row in front of functions, so that it runs first whoever calls them and under whatever name.

A Python function gets new code: its own, compiled again with the row before it, in the same place of the same file. So
it stays the same object, adds no frame to a stack and costs no call. What has no source, or is of C, is wrapped.
The classes of `_asyncio` refuse new methods; their dictionary takes them, and `PyType_Modified` makes Python look.
"""

from __future__ import annotations

import ast
import functools
import gc
import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

Undo = Callable[[], None]
_FUTURE_FLAGS = 0x1FE0000
_LATER = ast.FunctionDef | ast.AsyncFunctionDef


def in_front(owner: Any, name: str, row: str, values: Mapping[str, object], wraps: bool = False) -> Undo:
    """Have `owner.name` run a row first, in which `self` is its first argument; what takes it away again.

    The row may use the names of `values`, and `ARGUMENTS`: the other arguments, positional ones and those by name.
    """
    function = vars(owner)[name]
    code = None if wraps or not isinstance(function, FunctionType) else _new_code(function, row, values)
    if code is None:
        return replaced(owner, name, _wrapped(function, row, values))
    old, function.__code__ = function.__code__, code
    return lambda: setattr(function, "__code__", old)


def around(function: FunctionType, wrapper: Callable[..., Any]) -> Undo:
    """Have the function be `wrapper(original, *arguments)`."""
    original = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__)
    original.__kwdefaults__ = function.__kwdefaults__
    code = _new_code(function, "return WRAPPER(ORIGINAL, self, *ARGUMENTS)", {"WRAPPER": wrapper, "ORIGINAL": original})
    if code is None:
        return replaced(sys.modules[function.__module__], function.__name__, functools.partial(wrapper, original))
    old, function.__code__ = function.__code__, code
    return lambda: setattr(function, "__code__", old)


def replaced(owner: Any, name: str, value: object) -> Undo:
    """Set an attribute of a module or class, also of a class that refuses; what sets it back."""
    old = vars(owner)[name]
    _put(owner, name, value)
    return lambda: _put(owner, name, old)


def marked(owner: type, name: str) -> Undo:
    """Give a class an attribute that is None."""
    setattr(owner, name, None)
    return lambda: delattr(owner, name)


def _put(owner: Any, name: str, value: object) -> None:
    try:
        setattr(owner, name, value)
    except TypeError:
        import ctypes

        (entries,) = gc.get_referents(owner.__dict__)
        entries[name] = value
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))


def _wrapped(function: Any, row: str, values: Mapping[str, object]) -> Any:
    """A function that runs the row and then the original."""
    waits, result = ("async ", "await ") if inspect.iscoroutinefunction(function) else ("", "")
    name = "" if isinstance(function, FunctionType) else getattr(function, "__name__", "")
    given, arguments, calls = _SIGNATURES.get(name, _ANY)
    text = (
        f"{waits}def wrapper(self, {given}):\n    {row.replace('ARGUMENTS', arguments)}\n    return {result}{calls}\n"
    )
    names = {**values, "ORIGINAL": function, "__name__": __name__}
    exec(compile(text, __file__, "exec"), names)
    return functools.update_wrapper(names["wrapper"], function)


# Parameters, how they are handed over, and the call. With exactly its arguments it takes half the time.
_ANY = "*args, **kwargs", "(args, kwargs)", "ORIGINAL(self, *args, **kwargs)"
_TIMED = (
    "when, callback, *args, context=None",
    "((when, callback, *args), {'context': context})",
    "ORIGINAL(self, when, callback, *args, context=context)",
)
_SIGNATURES = {
    "set_result": ("result, /", "((result,), {})", "ORIGINAL(self, result)"),
    "set_exception": ("exception, /", "((exception,), {})", "ORIGINAL(self, exception)"),
    "cancel": ("msg=None", "((msg,), {})", "ORIGINAL(self, msg)"),
    "add_done_callback": (
        "fn, /, **kwargs",
        "((fn,), kwargs)",
        "ORIGINAL(self, fn, **kwargs) if kwargs else ORIGINAL(self, fn)",
    ),
    "call_soon": (
        "callback, *args, context=None",
        "((callback, *args), {'context': context})",
        "ORIGINAL(self, callback, *args, context=context) if args else ORIGINAL(self, callback, context=context)",
    ),
    "call_later": _TIMED,
    "call_at": _TIMED,
    "create_task": (
        "coro, *, name=None, **kwargs",
        "((coro,), {'name': name, **kwargs})",
        "ORIGINAL(self, coro, name=name, **kwargs) if kwargs else ORIGINAL(self, coro, name=name)",
    ),
}


def _new_code(function: FunctionType, row: str, values: Mapping[str, object]) -> CodeType | None:
    """The function's code with the row in front; None where its source is not to be had, or is not that of the code."""
    try:
        lines, first = inspect.getsourcelines(function)
        indented = lines[0][:1].isspace()
        # Within a class, where its name and `super()` mean what they did.
        owner = function.__qualname__.rpartition(".")[0].rpartition(".")[2]
        tree = ast.parse(f"class {owner}:\n{''.join(lines)}" if indented else "".join(lines))
    except (OSError, TypeError, SyntaxError, IndexError):
        return None
    node = tree.body[0].body[0] if indented else tree.body[0]  # type: ignore[attr-defined]
    if not isinstance(node, _LATER) or node.name != function.__code__.co_name:
        return None
    ast.increment_lineno(tree, first - 1 - indented)
    node.decorator_list = []
    markers = {f"\0loopsafe {name}": value for name, value in values.items()}
    _insert(node, row, values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        compiled = compile(
            tree, function.__code__.co_filename, "exec", function.__code__.co_flags & _FUTURE_FLAGS, True
        )
    code = next(found for found in _codes(compiled) if found.co_name == node.name)
    if (code.co_freevars, code.co_argcount) != (function.__code__.co_freevars, function.__code__.co_argcount):
        return None
    return _filled(code, markers)


def _insert(node: ast.FunctionDef | ast.AsyncFunctionDef, row: str, values: Mapping[str, object]) -> None:
    spec = node.args
    names = [one.arg for one in (*spec.posonlyargs, *spec.args)]
    starred = [f"*{spec.vararg.arg}"] if spec.vararg else []
    by_name = [
        *(f"{one.arg!r}: {one.arg}" for one in spec.kwonlyargs),
        *([f"**{spec.kwarg.arg}"] if spec.kwarg else []),
    ]
    positional = f"({', '.join([*names[1:], *starred])}{',' if len(names) + len(starred) == 2 else ''})"
    text = row.replace("*ARGUMENTS", ", ".join([*names[1:], *starred]) or "*()")
    text = text.replace("ARGUMENTS", f"({positional}, {{{', '.join(by_name)}}})")
    (statement,) = _Filler(values, names[0] if names else "").visit(ast.parse(text)).body
    for inner in ast.walk(statement):
        if isinstance(inner, (ast.stmt, ast.expr, ast.keyword)):
            inner.lineno = inner.end_lineno = node.lineno
            inner.col_offset = inner.end_col_offset = node.col_offset
    if isinstance(statement, ast.Return):
        node.body = [statement]
    else:
        node.body.insert(ast.get_docstring(node, clean=False) is not None, statement)


class _Filler(ast.NodeTransformer):
    """Puts marks in the place of names, which become constants of the code: nothing can shadow those."""

    def __init__(self, values: Mapping[str, object], first: str) -> None:
        self._values, self._first = values, first

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A name of the row."""
        if node.id == "self":
            return ast.Name(self._first, node.ctx)
        return ast.Constant(f"\0loopsafe {node.id}") if node.id in self._values else node


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _filled(code: CodeType, markers: Mapping[str, object]) -> CodeType:
    constants = (markers.get(one, one) if isinstance(one, str) else one for one in code.co_consts)
    return code.replace(co_consts=tuple(constants))
