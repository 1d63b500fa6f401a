"""FileFacts: what one file says, as plain data. No library is known here and no syntax tree leaves this stage.

An expression that the analysis cannot use (arithmetic, f-strings, ...) is `None`; the calls inside it are still listed
in their scope. Expressions compare by identity: each one stands for a place in the text.
"""

from __future__ import annotations

import msgspec

from loopsafe.locations import Span

FACTS_VERSION = 10

# One integer, not four: every call and read of a program carries one.
_BITS = 24
_MASK = (1 << _BITS) - 1


def pack_span(row: int, column: int, end_row: int, end_column: int) -> int:
    """A span as one integer: four fields of 24 bits. Rows and columns count from 1."""
    return ((row << _BITS | column) << _BITS | end_row) << _BITS | end_column


def unpack_span(packed: int) -> Span:
    """The inverse of pack_span."""
    return Span(packed >> 3 * _BITS, packed >> 2 * _BITS & _MASK, packed >> _BITS & _MASK, packed & _MASK)


def end_of_span(packed: int) -> int:
    """Where a packed span ends, as one integer that compares with other ends."""
    return packed & (1 << 2 * _BITS) - 1


# gc=False: facts hold no cycles, and there are too many of them for the collector to visit.
class _Node(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True, tag=True, tag_field="node"):
    pass


class Name(_Node, frozen=True):
    """A plain name, looked up by Python's scoping rules."""

    id: str


class Attr(_Node, frozen=True):
    """`base.name`, read."""

    base: Expr
    name: str


class Const(_Node, frozen=True):
    """A constant that can be a key, an index or a name for getattr."""

    value: str | int | bool | None


class Ref(_Node, frozen=True):
    """The function, lambda or class that the scope with this index defines."""

    scope: int


class Import(_Node, frozen=True):
    """What an import binds: `module` itself, or its `name`. `level` counts the dots of a relative import."""

    module: str
    name: str | None = None
    level: int = 0


class Collection(_Node, frozen=True):
    """A display or comprehension: `kind` is list, tuple, set, dict or generator.

    `keys` is empty where the items stand in order; else there is one for each item, None where it is not known.
    """

    kind: str
    keys: tuple[Expr, ...]
    items: tuple[Expr, ...]


class Star(_Node, frozen=True):
    """`*value` in a call or display."""

    value: Expr


class Item(_Node, frozen=True):
    """`base[index]`; unpacking reads positions, `for` reads any element (`index` is None)."""

    base: Expr
    index: Expr


class Subscript(_Node, frozen=True):
    """`base[index]` written as such: an element of a container, or a generic class with arguments."""

    base: Expr
    index: Expr


class Slice(_Node, frozen=True):
    """`base[start:]`, cut off anywhere. `start` is 0 where it is left out, None where it is not known."""

    base: Expr
    start: int | None


class Rest(_Node, frozen=True):
    """What `*rest` takes in an unpacking of `base`."""

    base: Expr


class Choice(_Node, frozen=True):
    """One of several: `a or b`, `a if t else b` (where `test` is what chooses), or all of them `joined`: `a + b`,
    an f-string by its beginning."""

    options: tuple[Expr, ...]
    test: Expr = None
    joined: bool = False


class Compare(_Node, frozen=True):
    """`left operator right` with one of is, is not, ==, !=, in, not in."""

    operator: str
    left: Expr
    right: Expr


class Not(_Node, frozen=True):
    """`not value`."""

    value: Expr


class Await(_Node, frozen=True):
    """`await value`."""

    value: Expr


class Enter(_Node, frozen=True):
    """What `with value as ...` binds."""

    value: Expr
    is_async: bool


class Yielded(_Node, frozen=True):
    """The value of `yield from value`."""

    value: Expr


class Annotation(_Node, frozen=True):
    """A value known by its declared type only."""

    type: Expr


class Call(_Node, frozen=True):
    """A call. `keywords` pairs names with values (`None` for `**`).

    `guard` is the index of the innermost guard it stands under in its scope, -1 for none; `handler` likewise the index
    of the innermost `try` whose body holds it. `role` is what becomes of the result: `statement` (dropped), `awaited`,
    `returned` (a lambda's or function's result), or `value`.
    """

    func: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str | None, Expr], ...]
    packed_span: int
    guard: int
    handler: int
    role: str

    @property
    def span(self) -> Span:
        """Where the call stands."""
        return unpack_span(self.packed_span)


Expr = (
    Name | Attr | Const | Ref | Import | Collection | Star | Item | Subscript | Slice | Rest | Choice | Await | Enter
    | Yielded | Annotation | Compare | Not | Call | None
)  # fmt: skip


class Guard(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """A condition that holds where something stands; `parent` is the next one outwards, -1 for none.

    `holds` says whether the test is known to be true or false. Kinds: `test`; `some` (at least one of several such
    guards is right); `after` (`test` is a statement call that has returned); `try` (`test` is a call, the first thing
    in a `try` body, that has returned, or raised where `holds` is False); `except` (something under the handler with
    the index `test` has raised); `interrupt` (that was Ctrl-C, and nothing else); `other` (what is tested is not
    understood). `outer` is the next one outwards that is not of the kind `after`: those are as many as there are
    statements.
    """

    kind: str
    test: Expr
    holds: bool
    parent: int
    outer: int


class Handler(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """The exception types that the `except` clauses of a `try` name, dotted, as written.

    `parent` is the next one out. `is_brief`: the `try` holds one expression, and its clause one call or nothing.
    """

    exceptions: tuple[str, ...]
    parent: int
    is_brief: bool = False


class Parameter(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """A parameter; `kind` is positional, keyword, args (`*args`) or kwargs (`**kwargs`)."""

    name: str
    kind: str
    annotation: Expr
    default: Expr


class Store(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """`base.name = value`, or an item store `base[index] = value` (then `name` is None)."""

    base: Expr
    name: str | None
    index: Expr
    value: Expr
    packed_span: int
    guard: int


class Read(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """An attribute read that is not a callee: a property may run here."""

    attr: Attr
    packed_span: int
    guard: int


class Block(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """`with value:`; its enter and exit methods run here."""

    value: Expr
    is_async: bool
    packed_span: int
    guard: int


class Implicit(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """What a statement calls without writing a call.

    Kinds: `iter` (`for` and comprehensions: the iterator's methods), `aiter` (the same, async), `raise` (a raised
    class), `item` (`value` is a subscript), `operator` (`value` is the call of a special method that it stands for,
    which is not among the calls of its scope).
    """

    kind: str
    value: Expr
    packed_span: int
    guard: int


# Kinds of what mostly no method is behind.
OPERATING = ("item", "operator")


class Scope(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """A module, class, function or lambda, with what its body does (nested scopes have their own).

    `bindings` lists, for each name, what it may be bound to; `annotations` the declared types. Comprehension variables
    are bound in the scope around them. `loop_spans` are the places of `for` and `while` statements, `final_spans` those
    of the statements under `finally`, both packed. `raises` holds the guard under which each `raise` or `assert` fails,
    and `returned_under` that of each of the `returns`. `bound_under` has the same for bindings, for the names that are
    bound under some guard.
    """

    index: int
    kind: str
    name: str
    qualname: str
    parent: int
    packed_span: int
    is_async: bool
    is_generator: bool
    parameters: tuple[Parameter, ...]
    decorators: tuple[Expr, ...]
    bases: tuple[Expr, ...]
    returns_annotation: Expr
    bindings: dict[str, tuple[Expr, ...]]
    bound_under: dict[str, tuple[int, ...]]
    annotations: dict[str, Expr]
    outer_names: dict[str, str]
    star_imports: tuple[Import, ...]
    stores: tuple[Store, ...]
    calls: tuple[Call, ...]
    reads: tuple[Read, ...]
    blocks: tuple[Block, ...]
    implicit: tuple[Implicit, ...]
    awaits: tuple[Expr, ...]
    raises: tuple[int, ...]
    returns: tuple[Expr, ...]
    returned_under: tuple[int, ...]
    yields: tuple[Expr, ...]
    guards: tuple[Guard, ...]
    handlers: tuple[Handler, ...]
    loop_spans: tuple[int, ...] = ()
    final_spans: tuple[int, ...] = ()

    @property
    def span(self) -> Span:
        """From the `def`, `class` or `lambda` to the end of the body."""
        return unpack_span(self.packed_span)


class Remark(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """A `# loopsafe: key=value` comment, and what it speaks of: a scope (-1 for none), or a parameter of it."""

    row: int
    key: str
    value: str
    scope: int = -1
    parameter: str = ""


class FileFacts(msgspec.Struct, frozen=True, eq=False, gc=False, array_like=True):
    """Everything one file says. `scopes[0]` is the module; a scope's index is its position."""

    scopes: tuple[Scope, ...]
    remarks: tuple[Remark, ...]
    exports: tuple[str, ...] | None


class SyntaxProblem(Exception):
    """The text is not Python of the running version. `row` and `column` count from 1; 0 where unknown."""

    def __init__(self, message: str, row: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.row, self.column = message, row, column
