"""Expressions of the `ast` -> expressions of the schema. Every call, read and nested scope is noted on the way."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from loopsafe.facts.schema import (
    Attr,
    Await,
    Call,
    Choice,
    Collection,
    Compare,
    Const,
    Expr,
    Implicit,
    Item,
    Name,
    Not,
    Read,
    Slice,
    Star,
    Subscript,
    Yielded,
)
from loopsafe.facts.scopes import ScopeBuilder, Walk
from loopsafe.facts.spelling import spell

_Reader = Callable[[ast.expr], Expr]
# The Python from which on the analysed code is looked at.
_OLDEST = (3, 10)
# The methods that operators call, without the underscores.
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.MatMult: "matmul", ast.Div: "truediv", ast.Mod: "mod",
    ast.FloorDiv: "floordiv", ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or",
    ast.BitXor: "xor", ast.BitAnd: "and",
}  # fmt: skip
# Others are mostly arithmetic, which holds nothing.
_FOLLOWED = (ast.LShift, ast.RShift, ast.MatMult)
_LONGEST_CHAIN = 8
_UNARY = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
_NAMED = (Name, Attr, Call, Subscript)
_COMPARISONS = {ast.Is: "is", ast.IsNot: "is not", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in"}


class ExpressionReader:
    """Reads expressions in the scope that is open in `file`."""

    def __init__(self, file: Walk) -> None:
        self._file = file
        self._is_quoted = False

    @property
    def _scope(self) -> ScopeBuilder:
        return self._file.scope

    def read(self, node: ast.expr | None) -> Expr:
        """The expression's meaning as data; None where it has none that the analysis can use."""
        if node is None:
            return None
        reader = _READERS.get(type(node))
        if reader is not None:
            return reader(self, node)
        # Of anything else only the calls and reads inside it matter.
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.read(child)
        return None

    def drop(self, node: ast.expr) -> Expr:
        """The meaning of an expression whose value nobody uses: a statement, or what one consists of."""
        if isinstance(node, ast.Call):
            return self.call(node, "statement")
        if isinstance(node, ast.IfExp):
            return self._if(node, self.drop)
        if isinstance(node, ast.BoolOp):
            return self._bool(node, self.drop)
        if isinstance(node, ast.ListComp):
            return self._comprehension(node, self.drop)
        return self.read(node)

    def annotation(self, node: ast.expr | None) -> Expr:
        """An annotation; quoted ones are parsed. Calls inside are not the program's, but for those in `Annotated`."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            quoted, self._is_quoted = self._is_quoted, True
            try:
                return self.annotation(ast.parse(node.value, mode="eval").body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None
            finally:
                self._is_quoted = quoted
        if isinstance(node, ast.Name):
            return Name(node.id)
        if isinstance(node, ast.Attribute):
            return Attr(self.annotation(node.value), node.attr)
        if isinstance(node, ast.Subscript):
            base = self.annotation(node.value)
            if isinstance(base, (Name, Attr)) and spell(base).endswith("Annotated"):
                self._metadata(node.slice)
            return Subscript(base, self.annotation(node.slice))
        # The arguments of `dict[str, int]`, the parameters of `Callable[[int], str]`.
        if isinstance(node, (ast.Tuple, ast.List)):
            return Collection("tuple", (), tuple(self.annotation(e) for e in node.elts))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return Choice((self.annotation(node.left), self.annotation(node.right)))
        if isinstance(node, ast.Constant):
            return self._constant(node)
        return None

    def _metadata(self, node: ast.expr) -> None:
        """What frameworks find beside a type, and may call: `Annotated[str, Depends(f)]`."""
        for said in node.elts[1:] if isinstance(node, ast.Tuple) else ():
            # In what was quoted, rows are others.
            if isinstance(said, ast.Call) and not self._is_quoted:
                self.read(said)

    def call(self, node: ast.Call, role: str) -> Call:
        """A call with what becomes of its result; noted in the open scope."""
        func = node.func
        # A callee is not noted as an attribute read: a method is far more common there than a property.
        target = Attr(self.read(func.value), func.attr) if isinstance(func, ast.Attribute) else self.read(func)
        args = tuple(self.read(a) for a in node.args)
        keywords = tuple((k.arg, self.read(k.value)) for k in node.keywords)
        scope = self._scope
        call = Call(target, args, keywords, self._file.positions.span(node), scope.guard, scope.handler, role)
        scope.calls.append(call)
        return call

    def pure(self, node: ast.expr) -> Expr:
        """What read() gives, for an expression already read: nothing is noted again."""
        scope = self._scope
        noted: tuple[list[Any], ...] = (scope.calls, scope.reads, scope.awaits, scope.yields, scope.implicit)
        lengths = [len(items) for items in noted]
        value = self.read(node)
        # Reading noted everything once more: take that off again.
        for items, length in zip(noted, lengths, strict=True):
            del items[length:]
        return value

    def _name(self, node: ast.Name) -> Expr:
        return Name(node.id)

    def _constant(self, node: ast.Constant) -> Expr:
        value = node.value
        return Const(value) if value is None or isinstance(value, (str, int)) else None

    def _attribute(self, node: ast.Attribute) -> Expr:
        attr = Attr(self.read(node.value), node.attr)
        self._scope.reads.append(Read(attr, self._file.positions.span(node), self._scope.guard))
        return attr

    def _call(self, node: ast.Call) -> Expr:
        return self.call(node, "value")

    def _lambda(self, node: ast.Lambda) -> Expr:
        return self._file.add_lambda(node)

    def _if(self, node: ast.IfExp, read: _Reader | None = None) -> Expr:
        read = read or self.read
        self.read(node.test)
        start = self._scope.guard
        self._file.holds(node.test, True)
        body = read(node.body)
        self._scope.guard = start
        self._file.holds(node.test, False)
        other = read(node.orelse)
        self._scope.guard = start
        return Choice((body, other), self.pure(node.test))

    def _bool(self, node: ast.BoolOp, read: _Reader | None = None) -> Expr:
        holds = isinstance(node.op, ast.And)
        options: list[Expr] = []
        start = self._scope.guard
        for value in node.values:
            # All but the last decide whether the next is evaluated.
            options.append(read(value) if read and value is node.values[-1] else self.read(value))
            self._file.holds(value, holds)
        self._scope.guard = start
        return Choice(tuple(options))

    def _binary(self, node: ast.BinOp) -> Expr:
        chain: list[ast.BinOp] = []
        # A long chain of `+` leans left: walk it in a loop, so that its length does not count as depth.
        at: ast.expr = node
        while isinstance(at, ast.BinOp):
            chain.append(at)
            at = at.left
        chain.reverse()
        read = [self.read(at), *(self.read(part.right) for part in chain)]
        result = read[0]
        for part, right in zip(chain[:_LONGEST_CHAIN], read[1:], strict=False):
            result = self.operator(part.op, result, right, part)
        if isinstance(node.op, (ast.Add, ast.BitOr)):
            return Choice(tuple(read), joined=True)
        return result if len(chain) <= _LONGEST_CHAIN else None

    def operator(self, op: ast.operator, base: Expr, given: Expr, node: ast.expr | ast.stmt, prefix: str = "") -> Expr:
        """Note the method that an operator may call, and give its call where what it gives is worth following."""
        is_followed = isinstance(op, _FOLLOWED)
        if isinstance(given, Const) and (not is_followed or isinstance(given.value, int)):
            return None
        call = self.special(f"__{prefix}{OPERATORS[type(op)]}__", base, (given,), node)
        return call if is_followed else None

    def special(self, method: str, base: Expr, given: tuple[Expr, ...], node: ast.expr | ast.stmt) -> Expr:
        """Note a method that is called without a call in the text, where what it is called on has a name."""
        if not isinstance(base, _NAMED):
            return None
        scope, span = self._scope, self._file.positions.span(node)
        call = Call(Attr(base, method), given, (), span, scope.guard, scope.handler, "value")
        scope.implicit.append(Implicit("operator", call, span, scope.guard))
        return call

    def _text(self, node: ast.JoinedStr) -> Expr:
        """An f-string: how it begins, where that may be a name."""
        for part in node.values:
            self.read(part)
        first = node.values[0] if len(node.values) > 1 else None
        begins = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        return Choice((Const(begins), None), joined=True) if begins.isidentifier() else None

    def _unary(self, node: ast.UnaryOp) -> Expr:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.Not):
            return Not(operand)
        if isinstance(node.op, ast.USub) and isinstance(operand, Const) and isinstance(operand.value, int):
            return Const(-operand.value)
        self.special(_UNARY[type(node.op)], operand, (), node)
        return None

    def _compare(self, node: ast.Compare) -> Expr:
        left, right = self.read(node.left), [self.read(c) for c in node.comparators]
        operator = _COMPARISONS.get(type(node.ops[0]))
        if operator is None and isinstance(left, Attr) and spell(left) == "sys.version_info" and len(right) == 1:
            return _of_version(type(node.ops[0]), right[0])
        return Compare(operator, left, right[0]) if operator and len(right) == 1 else None

    def _walrus(self, node: ast.NamedExpr) -> Expr:
        value = self.read(node.value)
        # In a comprehension it binds outside, which here is the same scope.
        self._scope.bind(node.target.id, value)
        return value

    def _await(self, node: ast.Await | ast.YieldFrom) -> Expr:
        inner = node.value
        value = self.call(inner, "awaited") if isinstance(inner, ast.Call) else self.read(inner)
        self._scope.awaits.append(value)
        return Await(value)

    def _yield(self, node: ast.Yield) -> Expr:
        # What `send` puts in is not followed, so the expression itself has no value.
        self._scope.yields.append(self.read(node.value))
        return None

    def _yield_from(self, node: ast.YieldFrom) -> Expr:
        # Generator-based coroutines await with it.
        if self._scope.is_async:
            return self._await(node)
        value = self.read(node.value)
        self._scope.yields.append(Yielded(value))
        return Await(value)

    def _starred(self, node: ast.Starred) -> Expr:
        return Star(self.read(node.value))

    def _subscript(self, node: ast.Subscript) -> Expr:
        base, index = self.read(node.value), self.read(node.slice)
        if isinstance(node.slice, ast.Slice):
            return _slice(base, node.slice)
        item = Subscript(base, index)
        if isinstance(base, _NAMED):
            self._file.note_implicit("item", item, node)
        return item

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Expr:
        return Collection(type(node).__name__.lower(), (), tuple(self.read(e) for e in node.elts))

    def _dict(self, node: ast.Dict) -> Expr:
        keys = tuple(self.read(k) for k in node.keys)
        values = zip(node.keys, node.values, strict=True)
        items = (self.read(v) if k is not None else Star(self.read(v)) for k, v in values)
        return Collection("dict", keys, tuple(items))

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, read: _Reader | None = None
    ) -> Expr:
        start = self._scope.guard
        for generator in node.generators:
            iterable = self.read(generator.iter)
            self._file.note_implicit("aiter" if generator.is_async else "iter", iterable, generator.iter)
            self._file.assign(generator.target, Item(iterable, None))
            for test in generator.ifs:
                self.read(test)
                self._file.holds(test, True)
        if isinstance(node, ast.DictComp):
            result = Collection("dict", (self.read(node.key),), (self.read(node.value),))
        else:
            kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(type(node), "generator")
            result = Collection(kind, (None,), ((read or self.read)(node.elt),))
        self._scope.guard = start
        return result


# Unbound: a table of bound methods would keep every file's reader alive until the collector runs.
_READERS: dict[type[ast.AST], Callable[[ExpressionReader, Any], Expr]] = {
    ast.Name: ExpressionReader._name,
    ast.Constant: ExpressionReader._constant,
    ast.Attribute: ExpressionReader._attribute,
    ast.Call: ExpressionReader._call,
    ast.Lambda: ExpressionReader._lambda,
    ast.IfExp: ExpressionReader._if,
    ast.BoolOp: ExpressionReader._bool,
    ast.BinOp: ExpressionReader._binary,
    ast.JoinedStr: ExpressionReader._text,
    ast.NamedExpr: ExpressionReader._walrus,
    ast.Await: ExpressionReader._await,
    ast.Yield: ExpressionReader._yield,
    ast.YieldFrom: ExpressionReader._yield_from,
    ast.Starred: ExpressionReader._starred,
    ast.Subscript: ExpressionReader._subscript,
    ast.List: ExpressionReader._display,
    ast.Tuple: ExpressionReader._display,
    ast.Set: ExpressionReader._display,
    ast.Dict: ExpressionReader._dict,
    ast.ListComp: ExpressionReader._comprehension,
    ast.SetComp: ExpressionReader._comprehension,
    ast.GeneratorExp: ExpressionReader._comprehension,
    ast.DictComp: ExpressionReader._comprehension,
    ast.UnaryOp: ExpressionReader._unary,
    ast.Compare: ExpressionReader._compare,
}


def _slice(base: Expr, node: ast.Slice) -> Expr:
    """A cut of a sequence; a step other than 1, or a computed or negative start, leaves no position known."""
    start = 0 if node.lower is None else getattr(node.lower, "value", None)
    known = node.step is None and isinstance(start, int)
    return Slice(base, start if known else None)


def _of_version(operator: type[ast.cmpop], version: Expr) -> Expr:
    """What a test of Python's version gives, where it is the same for all that are supported."""
    items = version.items if isinstance(version, Collection) else ()
    wanted = tuple(item.value for item in items if isinstance(item, Const) and isinstance(item.value, int))
    if not wanted or len(wanted) != len(items) or wanted > _OLDEST:
        return None
    if operator is ast.GtE:
        return Const(True)
    return Const(False) if operator is ast.Lt else None
