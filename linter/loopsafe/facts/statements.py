"""Statements of the `ast` -> scopes of the schema."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from loopsafe.facts.conditions import Conditions, leaves
from loopsafe.facts.expressions import ExpressionReader
from loopsafe.facts.named_tuples import named_fields
from loopsafe.facts.schema import (
    Annotation,
    Attr,
    Block,
    Choice,
    Const,
    Enter,
    Expr,
    Handler,
    Implicit,
    Import,
    Item,
    Name,
    Parameter,
    Ref,
    Rest,
    Scope,
    Store,
)
from loopsafe.facts.scopes import Positions, ScopeBuilder, Walk, is_coroutine_mark
from loopsafe.facts.tried import exception_names, is_brief, is_expression, suppressed

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class FileBuilder(Walk):
    """Walks one module's tree, one scope at a time; `scope` is the open one."""

    def __init__(self, positions: Positions) -> None:
        self.positions = positions
        self.expressions = ExpressionReader(self)
        self.conditions = Conditions(self)
        self._scopes: list[ScopeBuilder] = []
        self.scope = self._open("module", "<module>", 0)

    def build(self, tree: ast.Module) -> tuple[Scope, ...]:
        """All scopes of the module; the module itself is the first."""
        self._body(tree.body)
        scopes = tuple(scope.freeze() for scope in self._scopes)
        # The builder and its readers know each other: only the collector of cycles finds them. What is big goes now.
        self._scopes.clear()
        del self.scope
        return scopes

    def add_lambda(self, node: ast.Lambda) -> Expr:
        """A lambda's scope, read at once."""
        read = self.expressions.read
        # Defaults and annotations are read in the scope around, before the new one is opened.
        parameters = self._parameters(node.args)
        around, self.scope = self.scope, self._open("lambda", "<lambda>", self.positions.span(node))
        self.scope.parameters = parameters
        body = node.body
        value = self.expressions.call(body, "returned") if isinstance(body, ast.Call) else read(body)
        self.scope.give(value)
        index, self.scope = self.scope.index, around
        return Ref(index)

    def assign(self, target: ast.expr, value: Expr) -> None:
        """Bind a target to a value."""
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value)
        elif isinstance(target, ast.Attribute):
            base = self.expressions.read(target.value)
            self._store(target, base, target.attr, None, value)
        elif isinstance(target, ast.Subscript):
            base, index = self.expressions.read(target.value), self.expressions.read(target.slice)
            self._store(target, base, None, index, value)

    def note_implicit(self, kind: str, value: Expr, node: ast.expr) -> None:
        """A statement calls something of `value`, written as `node`, without a call in the text."""
        self.scope.implicit.append(Implicit(kind, value, self.positions.span(node), self.scope.guard))

    def holds(self, test: ast.expr, value: bool) -> None:
        """From here on `test` is known to be true or false."""
        self.conditions.push(test, value)

    def pure(self, node: ast.expr) -> Expr:
        """The meaning of an expression already read: nothing is noted again."""
        return self.expressions.pure(node)

    def _unpack(self, targets: list[ast.expr], value: Expr) -> None:
        starred = False
        # What stands after a star is counted from the end.
        for position, target in enumerate(targets):
            if isinstance(target, ast.Starred):
                starred = True
                self.assign(target.value, Rest(value))
            else:
                self.assign(target, Item(value, Const(position - len(targets) if starred else position)))

    def _store(self, node: ast.expr, base: Expr, name: str | None, index: Expr, value: Expr) -> None:
        scope = self.scope
        scope.stores.append(Store(base, name, index, value, self.positions.span(node), scope.guard))

    def _open(self, kind: str, name: str, span: int) -> ScopeBuilder:
        around = self.scope if self._scopes else None
        qualname = name if around is None or around.kind == "module" else f"{around.qualname}.{name}"
        scope = ScopeBuilder(
            len(self._scopes), kind, name, "" if around is None else qualname, around.index if around else -1, span
        )
        self._scopes.append(scope)
        return scope

    def _body(self, body: list[ast.stmt]) -> None:
        """A block. What an early exit rules out holds for the rest of it."""
        start = self.scope.guard
        for statement in body:
            reader = _READERS.get(type(statement))
            if reader is not None:
                reader(self, statement)
            else:
                self._other(statement)
        self.scope.guard = start

    def _other(self, node: ast.stmt) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expressions.read(child)

    def _expression(self, node: ast.Expr) -> None:
        value = node.value
        if isinstance(value, ast.Call):
            self.conditions.after_call(self.expressions.call(value, "statement"))
        else:
            self.expressions.drop(value)

    def _return(self, node: ast.Return) -> None:
        value = node.value
        read = self.expressions.call(value, "returned") if isinstance(value, ast.Call) else self.expressions.read(value)
        self.scope.give(read)

    def _assign(self, node: ast.Assign) -> None:
        value = self._named_tuple(node.value) or self.expressions.read(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        annotation = self.expressions.annotation(node.annotation)
        value = self.expressions.read(node.value)
        target = node.target
        if isinstance(target, ast.Name):
            self.scope.annotations[target.id] = annotation
            if node.value is not None:
                self.scope.bind(target.id, value)
        else:
            # The declared type counts beside the value, which may say less (`self.x: Queue | None = None`).
            self.assign(target, Annotation(annotation))
            if node.value is not None:
                self.assign(target, value)

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.expressions.read(node.value)
        if not isinstance(value, Const):
            self.expressions.operator(node.op, self.expressions.pure(node.target), value, node, "i")
        # `items += [f]`, `hooks |= {...}` add to what is there.
        if isinstance(node.op, (ast.Add, ast.BitOr)):
            self.assign(node.target, value)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        iterable = self.expressions.read(node.iter)
        self.scope.loop_spans.append(self.positions.span(node))
        is_async = isinstance(node, ast.AsyncFor)
        if is_async:
            self.scope.awaits.append(iterable)
        self.note_implicit("aiter" if is_async else "iter", iterable, node.iter)
        self.assign(node.target, Item(iterable, None))
        with self.conditions.under(count, True) if (count := _count(node.iter)) else nullcontext():
            self._body(node.body)
        self._body(node.orelse)

    def _while(self, node: ast.While) -> None:
        self.expressions.read(node.test)
        self.scope.loop_spans.append(self.positions.span(node))
        with self.conditions.under(node.test, True):
            self._body(node.body)
        self.conditions.ended(node)
        self._body(node.orelse)

    def _if(self, node: ast.If) -> None:
        start = self.scope.guard
        exits: list[tuple[ast.expr, bool]] = []
        # A chain of `elif` nests in its `orelse`: walk it in a loop, so that its length does not count as depth.
        while True:
            self.expressions.read(node.test)
            with self.conditions.under(node.test, True):
                self._body(node.body)
            exits.append((node.test, leaves(node.body)))
            self.conditions.push(node.test, False)
            if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
                node = node.orelse[0]
            else:
                break
        self._body(node.orelse)
        self.scope.guard = start
        if node.orelse and leaves(node.orelse) and len(exits) == 1 and not exits[0][1]:
            self.conditions.push(exits[0][0], True)
        for test, left in exits:
            if not left:
                break
            self.conditions.push(test, False)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        outer_handler = self.scope.handler
        for item in node.items:
            value = self.expressions.read(item.context_expr)
            span = self.positions.span(item.context_expr)
            self.scope.blocks.append(Block(value, is_async, span, self.scope.guard))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, Enter(value, is_async))
            self._suppressed(item.context_expr, len(node.items) == 1 and is_expression(node.body))
        if self.scope.handler != outer_handler:
            self._try_body(node.body)
        else:
            # A block under `with` always runs: what holds at its end holds after it.
            for statement in node.body:
                self._statement(statement)
        self.scope.handler = outer_handler

    def _suppressed(self, manager: ast.expr, is_brief: bool) -> None:
        """`with contextlib.suppress(...)` handles exceptions as a `try` does, and so does a test that expects them."""
        found = suppressed(manager, is_brief)
        if found is not None:
            self.scope.handlers.append(Handler(found.names, self.scope.handler, found.is_brief))
            self.scope.handler = len(self.scope.handlers) - 1

    def _statement(self, statement: ast.stmt) -> None:
        _READERS.get(type(statement), FileBuilder._other)(self, statement)

    def _try(self, node: ast.Try) -> None:
        scope = self.scope
        outer_handler, start = scope.handler, scope.guard
        own_handler = len(scope.handlers)
        if node.handlers:
            names = tuple(name for handler in node.handlers for name in exception_names(handler.type))
            scope.handlers.append(Handler(names, outer_handler, is_brief(node)))
            scope.handler = own_handler
        self._try_body(node.body)
        # A failure in `else` or in a handler is not caught by these handlers.
        scope.handler = outer_handler
        self.conditions.tried(node.body, raised=False)
        self._body(node.orelse)
        scope.guard = start
        for handler in node.handlers:
            self.expressions.read(handler.type)
            if handler.name:
                scope.bind(handler.name, None)
            self.conditions.tried(node.body, raised=True)
            self.conditions.caught(own_handler, handler.type)
            self._body(handler.body)
            scope.guard = start
        scope.final_spans += map(self.positions.span, node.finalbody)
        self._body(node.finalbody)
        self._after_try(node)

    def _try_body(self, body: list[ast.stmt]) -> None:
        """In the body, everything after the first statement runs only if that went through."""
        start = self.scope.guard
        for position, statement in enumerate(body):
            self._statement(statement)
            if position == 0:
                self.conditions.tried(body, raised=False)
        self.scope.guard = start

    def _after_try(self, node: ast.Try) -> None:
        if node.handlers and all(leaves(handler.body) for handler in node.handlers):
            self.conditions.tried(node.body, raised=False)
        elif leaves(node.orelse) or leaves(node.body):
            self.conditions.tried(node.body, raised=True)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.scope.bind(alias.asname, Import(alias.name))
            else:
                top = alias.name.split(".", 1)[0]
                self.scope.bind(top, Import(top))
                if top != alias.name:
                    # Loads the submodule too: it becomes an attribute of its package.
                    self.scope.bind(f"import {alias.name}", Import(alias.name))

    def _import_from(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.scope.star_imports.append(Import(node.module or "", None, node.level))
            else:
                self.scope.bind(alias.asname or alias.name, Import(node.module or "", alias.name, node.level))

    def _outer(self, node: ast.Global | ast.Nonlocal) -> None:
        kind = "global" if isinstance(node, ast.Global) else "nonlocal"
        for name in node.names:
            self.scope.outer_names[name] = kind

    def _assert(self, node: ast.Assert) -> None:
        self.expressions.read(node.test)
        self.scope.raises.append(self.conditions.failing(node.test))
        self.conditions.push(node.test, True)
        self.expressions.read(node.msg)

    def _raise(self, node: ast.Raise) -> None:
        self.scope.raises.append(self.scope.guard)
        raised = self.expressions.read(node.exc)
        if node.exc is not None and isinstance(raised, (Name, Attr)):
            self.note_implicit("raise", raised, node.exc)
        self.expressions.read(node.cause)

    def _match(self, node: ast.Match) -> None:
        subject = self.expressions.read(node.subject)
        for case in node.cases:
            self._pattern(case.pattern, subject)
            self.expressions.read(case.guard)
            with self.conditions.unknown():
                self._body(case.body)

    def _pattern(self, pattern: ast.pattern, subject: Expr) -> None:
        if isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                self._pattern(pattern.pattern, subject)
            if pattern.name:
                # `case Cls() as name` says what the subject is.
                bound = Annotation(_class_name(self, pattern.pattern)) if pattern.pattern else None
                self.scope.bind(pattern.name, Choice((subject, bound)) if bound else subject)
        elif isinstance(pattern, ast.MatchSequence):
            for position, part in enumerate(pattern.patterns):
                self._pattern(part, Item(subject, Const(position)))
        elif isinstance(pattern, ast.MatchStar) and pattern.name:
            self.scope.bind(pattern.name, Rest(subject))
        elif isinstance(pattern, ast.MatchClass):
            matched = Annotation(_class_name(self, pattern))
            # Positions mean something else in every class.
            for position, part in enumerate(pattern.patterns):
                self._pattern(part, Item(matched, Const(position)))
            for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self._pattern(part, Attr(Choice((subject, matched)), name))
        else:
            for inner in ast.iter_child_nodes(pattern):
                if isinstance(inner, ast.pattern):
                    self._pattern(inner, None)

    def _function(self, node: _Function) -> None:
        read, annotation = self.expressions.read, self.expressions.annotation
        decorators = tuple(read(d) for d in node.decorator_list)
        parameters = self._parameters(node.args)
        around = self.scope
        scope = self._open("function", node.name, self.positions.span(node))
        scope.is_old_coroutine = any(is_coroutine_mark(d, self._scopes[0].bindings) for d in decorators)
        scope.is_async = scope.is_old_coroutine or isinstance(node, ast.AsyncFunctionDef)
        scope.parameters, scope.decorators = parameters, decorators
        scope.returns_annotation = annotation(node.returns)
        around.bind(node.name, Ref(scope.index))
        self.scope = scope
        self._body(node.body)
        self.scope = around

    def _parameters(self, args: ast.arguments) -> tuple[Parameter, ...]:
        read, annotation = self.expressions.read, self.expressions.annotation
        positional = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
        found = [
            Parameter(a.arg, "positional", annotation(a.annotation), read(d))
            for a, d in zip(positional, defaults, strict=True)
        ]
        if args.vararg:
            found.append(Parameter(args.vararg.arg, "args", annotation(args.vararg.annotation), None))
        for a, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            found.append(Parameter(a.arg, "keyword", annotation(a.annotation), read(default)))
        if args.kwarg:
            found.append(Parameter(args.kwarg.arg, "kwargs", annotation(args.kwarg.annotation), None))
        return tuple(found)

    def _class(self, node: ast.ClassDef) -> None:
        read = self.expressions.read
        decorators = tuple(read(d) for d in node.decorator_list)
        bases = tuple(self._named_tuple(b) or read(b) for b in node.bases)
        # `metaclass=...` and the like: of use only for the calls inside.
        for keyword in node.keywords:
            read(keyword.value)
        around = self.scope
        scope = self._open("class", node.name, self.positions.span(node))
        scope.decorators, scope.bases = decorators, bases
        around.bind(node.name, Ref(scope.index))
        self.scope = scope
        self._body(node.body)
        self.scope = around

    def _delete(self, node: ast.Delete) -> None:
        """What is deleted is as good as None from then on."""
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scope.bind(target.id, Const(None))
            elif isinstance(target, ast.Attribute):
                base = self.expressions.read(target.value)
                place = self.positions.span(target)
                self.scope.stores.append(Store(base, target.attr, None, Const(None), place, self.scope.guard))
            elif isinstance(target, ast.Subscript):
                base, index = self.expressions.read(target.value), self.expressions.read(target.slice)
                self.expressions.special("__delitem__", base, (index,), target)
            else:
                self.expressions.read(target)

    def _named_tuple(self, node: ast.expr) -> Ref | None:
        """The class that a call of `namedtuple` makes."""
        fields = named_fields(node)
        if not fields:
            return None
        scope = self._open("class", "", self.positions.span(node))
        scope.bases = (Import("typing", "NamedTuple"),)
        scope.annotations.update((name, self.expressions.annotation(kind)) for name, kind in fields)
        return Ref(scope.index)


_READERS: dict[type[ast.AST], Callable[[FileBuilder, Any], None]] = {
    ast.FunctionDef: FileBuilder._function,
    ast.AsyncFunctionDef: FileBuilder._function,
    ast.ClassDef: FileBuilder._class,
    ast.Return: FileBuilder._return,
    ast.Assign: FileBuilder._assign,
    ast.AnnAssign: FileBuilder._annotated,
    ast.AugAssign: FileBuilder._augmented,
    ast.For: FileBuilder._for,
    ast.AsyncFor: FileBuilder._for,
    ast.While: FileBuilder._while,
    ast.If: FileBuilder._if,
    ast.With: FileBuilder._with,
    ast.AsyncWith: FileBuilder._with,
    ast.Try: FileBuilder._try,
    ast.Import: FileBuilder._import,
    ast.ImportFrom: FileBuilder._import_from,
    ast.Global: FileBuilder._outer,
    ast.Nonlocal: FileBuilder._outer,
    ast.Expr: FileBuilder._expression,
    ast.Assert: FileBuilder._assert,
    ast.Raise: FileBuilder._raise,
    ast.Match: FileBuilder._match,
    ast.Delete: FileBuilder._delete,
}
if hasattr(ast, "TryStar"):
    _READERS[ast.TryStar] = FileBuilder._try


def _count(iterable: ast.expr) -> ast.expr | None:
    """The number of rounds of `for ... in range(n)`: nothing happens where it is 0."""
    if not isinstance(iterable, ast.Call) or not isinstance(iterable.func, ast.Name) or iterable.func.id != "range":
        return None
    alone = len(iterable.args) == 1 and not iterable.keywords and isinstance(iterable.args[0], ast.Name)
    return iterable.args[0] if alone else None


def _class_name(file: FileBuilder, pattern: ast.pattern | None) -> Expr:
    return file.expressions.annotation(pattern.cls) if isinstance(pattern, ast.MatchClass) else None
