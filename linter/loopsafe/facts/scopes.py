"""A scope while it is being read, and what its readers share."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loopsafe.facts.schema import (
    Attr,
    Block,
    Call,
    Expr,
    Guard,
    Handler,
    Implicit,
    Import,
    Name,
    Parameter,
    Read,
    Scope,
    Store,
    pack_span,
)
from loopsafe.project.sources import NEWLINE

# Most scopes have nothing under most headings, and nobody changes facts: that is one for all.
_NONE: dict[str, Any] = {}
_INNER_BYTE = re.compile(rb"[\x80-\xbf]")


@dataclass(slots=True)
class ScopeBuilder:
    """The lists that become a Scope. `guard` and `handler` are the innermost ones at the statement being read."""

    index: int
    kind: str
    name: str
    qualname: str
    parent: int
    packed_span: int
    is_async: bool = False
    is_old_coroutine: bool = False
    parameters: tuple[Parameter, ...] = ()
    decorators: tuple[Expr, ...] = ()
    bases: tuple[Expr, ...] = ()
    returns_annotation: Expr = None
    guard: int = -1
    handler: int = -1
    bindings: dict[str, list[Expr]] = field(default_factory=dict)
    bound_under: dict[str, list[int]] = field(default_factory=dict)
    annotations: dict[str, Expr] = field(default_factory=dict)
    outer_names: dict[str, str] = field(default_factory=dict)
    star_imports: list[Import] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    implicit: list[Implicit] = field(default_factory=list)
    awaits: list[Expr] = field(default_factory=list)
    raises: list[int] = field(default_factory=list)
    returns: list[Expr] = field(default_factory=list)
    returned_under: list[int] = field(default_factory=list)
    yields: list[Expr] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    guard_depths: list[int] = field(default_factory=list)
    handlers: list[Handler] = field(default_factory=list)
    loop_spans: list[int] = field(default_factory=list)
    final_spans: list[int] = field(default_factory=list)

    def bind(self, name: str, value: Expr) -> None:
        """Note one more thing that `name` may be bound to here."""
        self.bindings.setdefault(name, []).append(value)
        self.bound_under.setdefault(name, []).append(self.guard)

    def give(self, value: Expr) -> None:
        """Note one more thing that a call may return."""
        self.returns.append(value)
        self.returned_under.append(self.guard)

    def freeze(self) -> Scope:
        """The scope as plain data."""
        return Scope(
            index=self.index,
            kind=self.kind,
            name=self.name,
            qualname=self.qualname,
            parent=self.parent,
            packed_span=self.packed_span,
            is_async=self.is_async,
            is_generator=bool(self.yields) and not self.is_old_coroutine,
            parameters=self.parameters,
            decorators=self.decorators,
            bases=self.bases,
            returns_annotation=self.returns_annotation,
            bindings={name: tuple(values) for name, values in self.bindings.items()} or _NONE,
            bound_under={n: tuple(under) for n, under in self.bound_under.items() if max(under) >= 0} or _NONE,
            annotations=self.annotations or _NONE,
            outer_names=self.outer_names or _NONE,
            star_imports=tuple(self.star_imports),
            stores=tuple(self.stores),
            calls=tuple(self.calls),
            reads=tuple(self.reads),
            blocks=tuple(self.blocks),
            implicit=tuple(self.implicit),
            awaits=tuple(self.awaits),
            raises=tuple(self.raises),
            returns=tuple(self.returns),
            returned_under=tuple(self.returned_under),
            yields=tuple(self.yields),
            guards=tuple(self.guards),
            handlers=tuple(self.handlers),
            loop_spans=tuple(self.loop_spans),
            final_spans=tuple(self.final_spans),
        )


def is_coroutine_mark(decorator: Expr, bindings: Mapping[str, Sequence[Expr]]) -> bool:
    """Whether a decorator says that a generator is a coroutine, as was written before there was `async def`."""
    if isinstance(decorator, Attr) and isinstance(decorator.base, Name):
        return decorator.name == "coroutine" and decorator.base.id in ("asyncio", "types")
    bound = bindings.get(decorator.id, ()) if isinstance(decorator, Name) else ()
    return any(isinstance(b, Import) and b.name == "coroutine" and b.module in ("asyncio", "types") for b in bound)


class Positions:
    """Turns the byte offsets of the `ast` into character columns."""

    def __init__(self, source: str) -> None:
        # The `ast` counts UTF-8 bytes; in ASCII text these are the columns already.
        self._rows = None if source.isascii() else NEWLINE.split(source)
        self._inner: dict[int, array[int]] = {}

    def span(self, node: ast.expr | ast.stmt) -> int:
        """The packed span of a node."""
        end_row, end_offset = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        if self._rows is None:
            return pack_span(node.lineno, node.col_offset + 1, end_row, end_offset + 1)
        return pack_span(
            node.lineno, self._column(node.lineno, node.col_offset), end_row, self._column(end_row, end_offset)
        )

    def _column(self, row: int, offset: int) -> int:
        inner = self._inner.get(row)
        if inner is None:
            inner = self._inner[row] = self._inner_bytes(row)
        return offset - bisect_left(inner, offset) + 1

    def _inner_bytes(self, row: int) -> array[int]:
        """Where in a row the bytes are that begin no character: nothing is decoded anew for each column asked for."""
        assert self._rows is not None
        text = self._rows[row - 1] if row <= len(self._rows) else ""
        encoded = b"" if text.isascii() else text.encode("utf-8", "surrogatepass")
        return array("I", (found.start() for found in _INNER_BYTE.finditer(encoded)))


class Walk(ABC):
    """The walk over one file: the open scope, and what the readers of parts ask of the whole."""

    scope: ScopeBuilder
    positions: Positions

    @abstractmethod
    def assign(self, target: ast.expr, value: Expr) -> None:
        """Bind a target to a value."""

    @abstractmethod
    def add_lambda(self, node: ast.Lambda) -> Expr:
        """A lambda's scope, read at once."""

    @abstractmethod
    def note_implicit(self, kind: str, value: Expr, node: ast.expr) -> None:
        """A statement calls something of `value`, written as `node`, without a call in the text."""

    @abstractmethod
    def holds(self, test: ast.expr, value: bool) -> None:
        """From here on `test` is known to be true or false."""

    @abstractmethod
    def pure(self, node: ast.expr) -> Expr:
        """The meaning of an expression already read: nothing is noted again."""
