"""`if not f.done(): f.set_result(x)` handed over whole: the question is asked where it is done.

Where it leads to a `return` before the call, or decides on more than that, it stays there, and is asked once more.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Container, Iterable, Iterator, Sequence
from textwrap import dedent
from typing import NamedTuple

from loopsafe.fixes.blocks import parameter_for
from loopsafe.fixes.rows import width_of
from loopsafe.fixes.text import CannotFix, Change, SourceText


def unless(text: SourceText, way: Sequence[ast.AST], crossing: str) -> list[Change]:
    """The `if` statement on the way to a call, or the call behind one, becomes one callback for `crossing`.

    Raises:
        CannotFix: there is more to the statement than a question to the call's object and the call.
    """
    around = next((node for node in reversed(way) if isinstance(node, ast.If)), None)
    parts = _parts(around) if around is not None else None
    statement: ast.stmt | None = around
    if parts is None:
        statement = next((node for node in reversed(way) if isinstance(node, ast.stmt)), None)
        parts = next(_further(way, statement), None) if statement is not None else None
    if statement is None or parts is None:
        raise CannotFix("the question before it is asked in another form")
    call, question, target = parts
    asked = text.code(question).removeprefix(text.code(target))
    return _as_callback(text, statement, crossing, _Asked(call, asked))


def unless_refused(text: SourceText, way: Sequence[ast.AST], crossing: str, question: str) -> list[Change]:
    """The `try` or `with` statement around a call becomes one callback, which asks what the exception told.

    Raises:
        CannotFix: there is more to the statement than the call and what a clause does where it fails.
    """
    around = next((node for node in reversed(way) if isinstance(node, ast.Try | ast.With)), None)
    call = _only_call(around.body) if around is not None else None
    if around is None or call is None or not isinstance(call.func, ast.Attribute) or call.keywords:
        raise CannotFix("there is more in the block than the call")
    clause = around.handlers[0].body if isinstance(around, ast.Try) else []
    failed = _only_call(clause)
    if any(isinstance(arg, ast.Starred) for arg in call.args):
        raise CannotFix("what the call is given is not written out")
    return _as_callback(text, around, crossing, _Asked(call, f".{question}()", failed))


def _only_call(body: list[ast.stmt]) -> ast.Call | None:
    statement = body[0] if len(body) == 1 else None
    return statement.value if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None


_Parts = tuple[ast.Call, ast.Call, ast.expr]
"""A call, the question before it, and the object of both."""


class _Asked(NamedTuple):
    """A question to the object of `call`, as it stands after the object, and what is called where the answer is yes."""

    call: ast.Call
    question: str
    otherwise: ast.Call | None = None


def _as_callback(text: SourceText, statement: ast.stmt, crossing: str, parts: _Asked) -> list[Change]:
    """Put a callback in the place of a statement: the call, unless the object says yes.

    The object and what it is given are bound now: by the time the callback runs, the names may stand for others.
    Comments in the statement come before it.
    """
    row, column = text.begin(statement)
    indent = text.line(row)[: column - 1]
    if indent.strip() or text.code(statement).startswith("elif"):
        raise CannotFix(f"line {row} has more than the question")
    call, asked, failed = parts
    assert isinstance(call.func, ast.Attribute)
    target = call.func.value
    it = parameter_for(target)
    bound = {it: text.code(target)}
    arguments = _bound_now(text, call, bound)
    otherwise = "None" if failed is None else f"{text.code(failed.func)}({_bound_now(text, failed, bound)})"
    given = ", ".join(f"{name}={value}" for name, value in bound.items())
    done = text.code(call.func).removeprefix(text.code(target))
    callback = f"lambda {given}: {otherwise} if {it}{asked} else {it}{done}({arguments})"
    start, end = text.offset(*text.begin(statement)), text.offset(*text.end(statement))
    newline = text.newline(row) + indent
    notes = "".join(comment + newline for comment in _comments(dedent(indent + text.source[start:end])))
    return [Change(start, end, notes + _fitted(text, crossing, callback, indent, newline))]


def _bound_now(text: SourceText, call: ast.Call, bound: dict[str, str]) -> str:
    """The arguments of a call in the callback; what they are now is noted in `bound`."""
    arguments = []
    for keyword, argument in [("", a) for a in call.args] + [(f"{k.arg}=", k.value) for k in call.keywords]:
        name = next((n for n, code in bound.items() if code == text.code(argument)), "") or _name(argument, bound)
        arguments.append(keyword + (name or text.code(argument)))
        if name:
            bound[name] = text.code(argument)
    return ", ".join(arguments)


def _parts(statement: ast.If) -> _Parts | None:
    """The call of an `if` statement that has only that, the question before it, and the object of both."""
    test, body = statement.test, statement.body
    question = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else None
    done = body[0] if len(body) == 1 and not statement.orelse else None
    return _of_one(question, done)


def _further(way: Sequence[ast.AST], call: ast.stmt) -> Iterator[_Parts]:
    """The same where the question stands before the call and leaves, or decides on more, the nearest first."""
    inner: ast.AST = call
    for node in reversed(way):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.While):
            yield from _early(way, inner, call) if isinstance(inner, ast.stmt) else ()
            return
        if isinstance(node, ast.stmt):
            if isinstance(node, ast.If) and inner in node.body:
                yield from _of_any(_denied(node.test), call)
            yield from _early(way, node, call)
            inner = node


def _early(way: Sequence[ast.AST], statement: ast.stmt, call: ast.stmt) -> Iterator[_Parts]:
    bodies = (body for node in reversed(way) if isinstance(body := getattr(node, "body", None), list))
    before = next((body[: body.index(statement)] for body in bodies if statement in body), [])
    for other in reversed(before):
        if isinstance(other, ast.If) and isinstance(other.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
            yield from _of_any([other.test], call)


def _denied(test: ast.expr) -> Iterator[ast.expr]:
    """What has been answered with no where a test holds."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            yield from _denied(value)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield test.operand


def _of_any(questions: Iterable[ast.expr], call: ast.stmt) -> Iterator[_Parts]:
    found = (_of_one(question, call) for question in questions)
    yield from (parts for parts in found if parts is not None)


def _of_one(question: ast.expr | None, statement: ast.stmt | None) -> _Parts | None:
    """The call in a statement, a question, and the object, if both are about the same one."""
    done = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(question, ast.Call) or not isinstance(done, ast.Call):
        return None
    asked, func = question.func, done.func
    if not isinstance(asked, ast.Attribute) or not isinstance(func, ast.Attribute) or done.keywords or question.args:
        return None
    same = ast.dump(asked.value) == ast.dump(func.value) and not any(isinstance(a, ast.Starred) for a in done.args)
    return (done, question, func.value) if same else None


def _name(argument: ast.expr, taken: Container[str]) -> str:
    """The parameter that an argument is bound to; empty for a constant, which stays as it is."""
    if isinstance(argument, ast.Constant):
        return ""
    name = parameter_for(argument) if isinstance(argument, ast.Name | ast.Attribute) else "value"
    while name in taken:
        name += "_"
    return name


def _comments(code: str) -> Iterator[str]:
    tokens = tokenize.generate_tokens(io.StringIO(code, None).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)


def _fitted(text: SourceText, crossing: str, callback: str, indent: str, newline: str) -> str:
    """The statement in one row, or in three where that would be longer than the rows of the file."""
    width = width_of(text)
    if width is None or len(f"{indent}{crossing}({callback})") <= width:
        return f"{crossing}({callback})"
    return f"{crossing}({newline}{'    '}{callback}{newline})"
