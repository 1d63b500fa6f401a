"""What stands in an expression, or in what a scope lists, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from loopsafe.facts.schema import (
    Annotation,
    Attr,
    Await,
    Block,
    Call,
    Choice,
    Collection,
    Compare,
    Const,
    Enter,
    Expr,
    Implicit,
    Import,
    Item,
    Name,
    Not,
    Read,
    Ref,
    Rest,
    Slice,
    Star,
    Store,
    Subscript,
    Yielded,
)

# One part, or several in tuples. Whole programs are gone through with it: it asks no expression for its fields.
_INNER: dict[type, Callable[[Any], object]] = {
    Attr: attrgetter("base"),
    Collection: attrgetter("keys", "items"),
    Star: attrgetter("value"),
    Item: attrgetter("base", "index"),
    Subscript: attrgetter("base", "index"),
    Slice: attrgetter("base"),
    Rest: attrgetter("base"),
    Choice: attrgetter("options", "test"),
    Compare: attrgetter("left", "right"),
    Not: attrgetter("value"),
    Await: attrgetter("value"),
    Enter: attrgetter("value"),
    Yielded: attrgetter("value"),
    Annotation: attrgetter("type"),
    Call: attrgetter("func", "args", "keywords"),
    Store: attrgetter("base", "index", "value"),
    Read: attrgetter("attr"),
    Block: attrgetter("value"),
    Implicit: attrgetter("value"),
}
_LEAVES = frozenset({Name, Const, Ref, Import})
_LISTED = frozenset({Store, Read, Block, Implicit})


def expressions_in(*things: object) -> Iterator[Expr]:
    """Every expression in these, each that is no leaf once. They may be in tuples, lists and the like."""
    pending, seen = [*things], set[int]()
    while pending:
        part = pending.pop()
        kind = type(part)
        if kind is tuple or kind is list:
            pending += part  # type: ignore[arg-type]
        elif kind in _LEAVES:
            yield part  # type: ignore[misc]
        elif kind in _INNER and id(part) not in seen:
            seen.add(id(part))
            if kind not in _LISTED:
                yield part  # type: ignore[misc]
            pending.append(_INNER[kind](part))
