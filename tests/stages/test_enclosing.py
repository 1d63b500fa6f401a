"""Which function or class a place is in, also where signatures and lambdas hold others."""

from __future__ import annotations

import random

import pytest

from loopsafe.facts.enclosing import Enclosing
from loopsafe.facts.extract import extract
from loopsafe.locations import Span

SOURCE = """\
@mark(lambda: a)
class C(base(b)):
    x = c

    @mark(d)
    async def f(self, key=lambda: e, *, other=g):
        def inner():
            return h
        return [i for j in self]

    def after(self): k; (lambda: l)()

m
def last():
    if n:
        o
p
"""
NAMES = {
    "a": "<lambda>",
    "b": "C",
    "c": "C",
    "d": "C",
    "e": "C.<lambda>",
    "g": "C.f",
    "h": "C.f.inner",
    "i": "C.f",
    "k": "C.after",
    "l": "C.after.<lambda>",
    "m": "",
    "n": "last",
    "o": "last",
    "p": "",
}


def place_of(word: str) -> Span:
    """Where a name of one letter stands."""
    for row, line in enumerate(SOURCE.splitlines(), 1):
        padded = f" {line} "
        for column in range(1, len(padded) - 1):
            around = padded[column - 1] + padded[column + 1]
            if padded[column] == word and not any(char.isalnum() or char == "_" for char in around):
                return Span(row, column, row, column + 1)
    raise AssertionError(word)


@pytest.mark.parametrize(("word", "name"), NAMES.items())
def test_the_innermost_one(word: str, name: str) -> None:
    assert Enclosing(extract(SOURCE, "a.py")).name(place_of(word)) == name


def test_a_definition_is_in_itself() -> None:
    facts = extract(SOURCE, "a.py")
    enclosing = Enclosing(facts)
    assert [enclosing.name(scope.span) for scope in facts.scopes[1:]] == [scope.qualname for scope in facts.scopes[1:]]


def test_it_is_what_looking_at_all_of_them_gives() -> None:
    facts = extract(SOURCE * 3, "a.py")
    enclosing, rows, chance = Enclosing(facts), (SOURCE * 3).splitlines(), random.Random(7)
    for _ in range(500):
        row = chance.randrange(1, len(rows) + 1)
        column = chance.randrange(1, len(rows[row - 1]) + 2)
        span = Span(row, column, row, column)
        around = [scope for scope in facts.scopes if scope.qualname and scope.span.contains(span)]
        # Of one that ends where another begins, either may be meant.
        if not any((scope.span.end_row, scope.span.end_column) == (row, column) for scope in around):
            best = max(around, key=lambda scope: (scope.span.row, scope.span.column), default=None)
            assert enclosing.name(span) == (best.qualname if best else "")
