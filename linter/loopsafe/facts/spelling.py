"""Expressions back to text, as far as they are names, attributes and simple subscripts and calls, and taken apart."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Call, Collection, Const, Expr, Item, Name, Subscript


def spell(expr: Expr) -> str:
    """The text of a dotted expression; what stands in brackets is `...` unless it is a name or constant."""
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        return f"{spell(expr.base)}.{expr.name}"
    if isinstance(expr, Call):
        return f"{spell(expr.func)}({'...' if expr.args or expr.keywords else ''})"
    if isinstance(expr, Subscript):
        return f"{spell(expr.base)}[{spell(expr.index)}]"
    return repr(expr.value) if isinstance(expr, Const) else "..."


def is_none(expr: Expr) -> bool:
    """Whether `None` is written there."""
    return isinstance(expr, Const) and expr.value is None


def is_exact(expr: Expr) -> bool:
    """Whether spell() gives the very meaning: names and attributes only."""
    while isinstance(expr, Attr):
        expr = expr.base
    return isinstance(expr, Name)


def is_same_name(one: Expr, other: Expr) -> bool:
    """Whether both are the same names and attributes."""
    return is_exact(one) and is_exact(other) and spell(one) == spell(other)


def unpacked(value: Expr) -> Expr:
    """What a name gets where several are assigned at once."""
    if isinstance(value, Item) and isinstance(value.base, Collection) and isinstance(value.index, Const):
        at = value.index.value
        if isinstance(at, int) and not value.base.keys and -len(value.base.items) <= at < len(value.base.items):
            return value.base.items[at]
    return value
