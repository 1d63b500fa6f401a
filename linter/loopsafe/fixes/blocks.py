"""Changes of more than one call: a statement at the top of a function, and two statements made one callback."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from itertools import pairwise

from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import CannotFix, Change, SourceText
from loopsafe.locations import Span

_RETURN = re.compile(r"return[ \t]*")
_BETWEEN = re.compile(r"\s*;?\s*")
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Block = ast.Module | ast.stmt | ast.ExceptHandler | ast.match_case


class Blocks:
    """The functions and statements of one file."""

    def __init__(self, text: SourceText, tree: ast.Module) -> None:
        self._text, self._tree = text, tree
        self._asserted: set[tuple[str, ast.stmt]] = set()

    def capture(self, span: Span, name: str, spell: Speller) -> list[Change]:
        """Begin the body of the function at `span` by taking the running loop as `name`.

        Raises:
            CannotFix: there is no such function.
        """
        function = next((f for f in self._functions() if self._text.begin(f) == (span.row, span.column)), None)
        if function is None:
            raise CannotFix(f"no function stands at {span.row}:{span.column}")
        statement = f"{name} = {spell('asyncio.get_running_loop')}()"
        return [self._before(first, statement) for first in self._first(function)]

    def assert_before(self, span: Span, name: str) -> list[Change]:
        """Assert that `name` is not None before the statement that holds `span`, unless the text sees to that.

        A function that is called later, as a lambda is, has no place for it.
        """
        way = self.way_to(span)
        start = max(number for number, node in enumerate(way) if isinstance(node, _Scope))
        inside = [node for node in way[start:] if isinstance(node, _Block)]
        if any(isinstance(node, (ast.Lambda, ast.GeneratorExp)) for node in way[way.index(inside[-1]) :]):
            return []
        before = [one for outer, inner in pairwise(inside) for one in _earlier(outer, inner)]
        around = [node.test for node in inside[:-1] if isinstance(node, (ast.If, ast.While))]
        tests = [*around, *(node.test for node in before if isinstance(node, (ast.Assert, ast.If)))]
        if any(name in ast.unparse(test) for test in tests):
            return []
        # What stands under `elif` is tested with the rest.
        statement = next(
            node
            for node in reversed(inside)
            if isinstance(node, ast.stmt) and not self._text.code(node).startswith("elif")
        )
        if any((name, one) in self._asserted for one in (*before, statement)):
            return []
        self._asserted.add((name, statement))
        return [self._before(statement, f"assert {name} is not None")]

    def leave(self, span: Span) -> list[Change]:
        """Do what `return f(a)` gives back, which is None, as a statement; more of the function may follow it.

        Raises:
            CannotFix: the call at `span` is not all that is given back.
        """
        way = self.way_to(span)
        statement = next(node for node in reversed(way) if isinstance(node, ast.stmt))
        word = _RETURN.match(self._text.source, self._text.offset(*self._text.begin(statement)))
        if not isinstance(statement, ast.Return) or statement.value is not way[-1] or word is None:
            raise CannotFix("it is given back with other things")
        start, end = word.start(), self._text.offset(*self._text.end(statement))
        around = next(node for node in reversed(way) if isinstance(node, _Function))
        if around.body[-1] is statement:
            return [Change(start, word.end(), "")]
        row, column = self._text.begin(statement)
        indent = self._text.line(row)[: column - 1]
        more = "; return" if indent.strip() else f"{self._text.newline(row)}{indent}return"
        return [Change(start, word.end(), ""), Change(end, end, more)]

    def way_to(self, span: Span) -> list[ast.AST]:
        """The nodes around a place, outermost first."""
        way: list[ast.AST] = []
        here: ast.AST | None = self._tree
        while here is not None:
            way.append(here)
            here = next((node for node in ast.iter_child_nodes(here) if self._holds(node, span)), None)
        return way

    def _holds(self, node: ast.AST, span: Span) -> bool:
        if not isinstance(node, (ast.stmt, ast.expr)):
            return any(self._holds(inner, span) for inner in ast.iter_child_nodes(node))
        start, end = self._text.begin(node), self._text.end(node)
        return start <= (span.row, span.column) and (span.end_row, span.end_column) <= end

    def pulse(self, span: Span, crossing: str) -> list[Change]:
        """Hand the two statements that `span` holds to `crossing` as one callback.

        Their object is bound now: by the time the callback runs, the name may stand for another.

        Raises:
            CannotFix: something stands between them, or the object in parentheses.
        """
        first, second = self._pair(span)
        start, end = self._text.offset(span.row, span.column), self._text.offset(span.end_row, span.end_column)
        one, two = self._text.code(first), self._text.code(second)
        between = self._text.source[start + len(one) : end - len(two)]
        if not _BETWEEN.fullmatch(between):
            raise CannotFix(f"something stands between `{one}` and `{two}`, which must become one callback")
        target, did, undid = self._operations(first, second)
        it = parameter_for(target)
        return [Change(start, end, f"{crossing}(lambda {it}={self._text.code(target)}: ({it}{did}, {it}{undid}))")]

    def _operations(self, *statements: ast.stmt) -> tuple[ast.expr, str, str]:
        """The object of two method calls, and what follows it in each."""
        targets = [_target(statement) for statement in statements]
        texts = [self._text.code(target) for target in targets]
        codes = [self._text.code(statement) for statement in statements]
        if any(not code.startswith(texts[0]) for code in codes):
            raise CannotFix(f"`{codes[0]}` and `{codes[1]}` must become one callback, and are spelled too differently")
        did, undid = (code.removeprefix(texts[0]) for code in codes)
        return targets[0], did, undid

    def _pair(self, span: Span) -> tuple[ast.stmt, ast.stmt]:
        for body in self._bodies():
            for first, second in pairwise(body):
                if Span(*self._text.begin(first), *self._text.end(second)) == span:
                    return first, second
        raise CannotFix(f"no two statements stand at {span.row}:{span.column}")

    def _before(self, statement: ast.stmt, new: str) -> Change:
        row, column = self._text.begin(statement)
        offset = self._text.offset(row, column)
        indent = self._text.line(row)[: column - 1]
        if indent.strip():
            # It shares its row with what comes before: a colon or a semicolon.
            return Change(offset, offset, f"{new}; ")
        return Change(offset, offset, f"{new}{self._text.newline(row)}{indent}")

    def _first(self, function: _Function) -> Iterator[ast.stmt]:
        """The first statement after the docstring; that itself where nothing follows."""
        body = function.body
        has_docstring = len(body) > 1 and isinstance(body[0], ast.Expr) and _is_text(body[0].value)
        first = body[1] if has_docstring else body[0]
        if getattr(first, "decorator_list", []):
            raise CannotFix("a decorated definition is the first thing in the function")
        yield first

    def _functions(self) -> Iterator[_Function]:
        return (node for node in ast.walk(self._tree) if isinstance(node, _Function))

    def _bodies(self) -> Iterator[list[ast.stmt]]:
        for node in ast.walk(self._tree):
            for name in ("body", "orelse", "finalbody"):
                body = getattr(node, name, None)
                if isinstance(body, list):
                    yield body


def _earlier(outer: ast.AST, inner: ast.AST) -> list[ast.stmt]:
    """The statements before one in the same block of another."""
    blocks = (getattr(outer, name, []) for name in ("body", "orelse", "finalbody"))
    return next((block[: block.index(inner)] for block in blocks if inner in block), [])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _target(statement: ast.stmt) -> ast.expr:
    """The object whose method the statement calls."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        raise CannotFix(f"no method is called in line {statement.lineno}")
    return call.func.value


def parameter_for(target: ast.expr) -> str:
    """A name for the object in a function of its own."""
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    name = name.lstrip("_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else "it"
