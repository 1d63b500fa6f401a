"""Values of one type, those of many files together, as lists of numbers and texts and back.

A table of records is a column for each field, so that packing and unpacking are a few long loops that Python itself
runs, not a call for each value. Which columns a type has is read off its declaration.
"""

from __future__ import annotations

import types
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, chain, islice, repeat
from operator import attrgetter, itemgetter, lshift, or_
from typing import Any, TypeAlias, Union, get_args, get_origin

import msgspec

# Of whichever type a column is for, and of that which it is written as.
Value: TypeAlias = Any
Wire: TypeAlias = Any

_SPAN = "packed_span"
_SPANS = ("loop_spans", "final_spans")
_LOW_BITS = 32
_EMPTY: dict[str, Value] = {}


@dataclass(slots=True)
class Tables:
    """What columns refer to by number: texts, and things that may stand in several places. Number 0 is None."""

    texts: list[str | None] = field(default_factory=lambda: [None])
    things: list[Value] = field(default_factory=lambda: [None])
    text_numbers: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    thing_numbers: dict[int, int] = field(default_factory=lambda: {id(None): 0})
    text: Callable[[int], str | None] = field(init=False)
    thing: Callable[[int], Value] = field(init=False)

    def __post_init__(self) -> None:
        self.text, self.thing = self.texts.__getitem__, self.things.__getitem__


class Column(ABC):
    """How the values of one type are written. `wire` is the type of what is written."""

    wire: Wire
    refers = False
    """Whether there may be things in the values."""

    @abstractmethod
    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """The values as plain data."""

    @abstractmethod
    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The values again, one after the other; `count` of them."""

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """All that is referred to by number in the values, themselves or inside."""
        return iter(())


class Plain(Column):
    """Numbers of 64 bits, True, False, None."""

    wire = list[Union[int, bool, None]]  # noqa: UP007

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """Themselves."""
        return values

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """Themselves."""
        values: list[Value] = packed
        return values


class Large(Column):
    """Numbers of any size."""

    wire = list[str]

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """In hexadecimal: decimal takes a time that grows with the square of the digits, and Python refuses it."""
        return list(map(hex, values))

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The numbers."""
        return map(int, packed, repeat(16))


class Spans(Column):
    """Packed spans, of 96 bits each."""

    wire = tuple[bytes, bytes]

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """All upper parts, and all lower parts, as this machine has numbers in memory."""
        low = (1 << _LOW_BITS) - 1
        return (
            array("Q", [value >> _LOW_BITS for value in values]).tobytes(),
            array("I", [value & low for value in values]).tobytes(),
        )

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The numbers."""
        high, low = packed
        return map(or_, map(lshift, memoryview(high).cast("Q"), repeat(_LOW_BITS)), memoryview(low).cast("I"))


class Texts(Column):
    """Texts, or None, by their number in the table."""

    wire = list[int]

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """Their numbers."""
        numbers = tables.text_numbers
        for value in values:
            if value not in numbers:
                numbers[value] = len(tables.texts)
                tables.texts.append(value)
        return list(map(numbers.__getitem__, values))

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The texts."""
        return map(tables.text, packed)


class Things(Column):
    """What may stand in several places, or None, by its number in the table."""

    wire = list[int]
    refers = True

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """Their numbers."""
        return list(map(tables.thing_numbers.__getitem__, map(id, values)))

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The things."""
        return map(tables.thing, packed)

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """Themselves."""
        return iter(values)


class Tuples(Column):
    """Tuples of any length: their lengths, and all their items in one column."""

    def __init__(self, items: Column) -> None:
        self._items = items
        self.wire, self.refers = _tuple_of(list[int], items.wire), items.refers

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """Lengths, or none where all are empty, and items."""
        return list(map(len, values)) if any(map(len, values)) else [], self._items.pack(
            list(chain.from_iterable(values)), tables
        )

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The tuples."""
        lengths, items = packed
        if not lengths:
            return repeat((), count)
        # Slices of one long tuple are made faster than tuples one by one.
        whole = tuple(self._items.unpack(items, tables, sum(lengths)))
        return map(whole.__getitem__, map(slice, accumulate(lengths, initial=0), accumulate(lengths)))

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """Those of the items."""
        return self._items.things(chain.from_iterable(values))


class Dicts(Column):
    """Dictionaries by text: how many keys each has, and all keys and values in two columns."""

    def __init__(self, values: Column) -> None:
        self._keys, self._values = Texts(), values
        self.wire, self.refers = _tuple_of(list[int], self._keys.wire, values.wire), values.refers

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """Sizes, keys and values."""
        held = list(chain.from_iterable(value.values() for value in values))
        keys = self._keys.pack(list(chain.from_iterable(values)), tables)
        return list(map(len, values)), keys, self._values.pack(held, tables)

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The dictionaries."""
        sizes, keys, values = packed
        total = len(keys)
        pairs = zip(self._keys.unpack(keys, tables, total), self._values.unpack(values, tables, total), strict=True)
        # Most are empty, and nobody changes facts: those are one.
        return (dict(islice(pairs, size)) if size else _EMPTY for size in sizes)

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """Those of the values."""
        return self._values.things(chain.from_iterable(value.values() for value in values))


class Optional(Column):
    """Another column's values, or None, as tuples of one or none."""

    def __init__(self, values: Column) -> None:
        self._values = Tuples(values)
        self.wire, self.refers = self._values.wire, values.refers

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """The tuples."""
        return self._values.pack([() if value is None else (value,) for value in values], tables)

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The values."""
        return (held[0] if held else None for held in self._values.unpack(packed, tables, count))

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """Those of all that are not None."""
        return self._values.things((value,) for value in values if value is not None)


class Records(Column):
    """Values that are made from a column for each of their fields. `make` takes these in order."""

    def __init__(self, make: Callable[..., Value], fields: Sequence[tuple[Callable[[Value], Value], Column]]) -> None:
        self._make, self._fields = make, fields
        self._unpack = [(type(column), column.unpack) for _, column in fields]
        self.wire = _tuple_of(*(column.wire for _, column in fields))
        # Most values have no things, or a single one, in most fields; to look for them would take most of the time.
        self.single = [get for get, column in fields if isinstance(column, Things)]
        self.several = [(get, column) for get, column in fields if column.refers and not isinstance(column, Things)]
        self.refers = bool(self.single or self.several)

    def pack(self, values: Sequence[Value], tables: Tables) -> Wire:
        """A column for each field."""
        return [column.pack(list(map(get, values)), tables) for get, column in self._fields]

    def unpack(self, packed: Wire, tables: Tables, count: int) -> Iterable[Value]:
        """The records."""
        if not count:
            return ()
        columns: list[Iterable[Value]] = []
        # A file has two hundred columns, most of them short: the commonest are done without a call for each.
        for (kind, unpack), held in zip(self._unpack, packed, strict=True):
            if kind is Things:
                columns.append(map(tables.thing, held))
            elif kind is Texts:
                columns.append(map(tables.text, held))
            else:
                columns.append(held if kind is Plain else unpack(held, tables, count))
        return map(self._make, *columns)

    def things(self, values: Iterable[Value]) -> Iterator[Value]:
        """Those of all fields."""
        values = list(values)
        several = (column.things(map(get, values)) for get, column in self.several)
        return chain(*(map(get, values) for get in self.single), *several)


def record(kind: type[msgspec.Struct], shared: type, special: dict[str, Column] | None = None) -> Records:
    """The columns of a struct, by its declaration. What is `shared` stands in the tables; `special` ones are given."""
    fields = []
    for declared in msgspec.structs.fields(kind):
        name = declared.name
        spans = Spans() if name == _SPAN else Tuples(Spans()) if name in _SPANS else None
        column = (special or {}).get(name) or spans or column_of(declared.type, shared)
        fields.append((attrgetter(name), column))
    return Records(kind, fields)


@cache
def column_of(kind: Wire, shared: type) -> Column:
    """The column for values of a type.

    Raises:
        TypeError: there is none.
    """
    origin: Value = get_origin(kind)
    parts = get_args(kind)
    if origin is dict and parts[0] is str:
        return Dicts(column_of(parts[1], shared))
    if origin is tuple and parts[1:] == (...,):
        return Tuples(column_of(parts[0], shared))
    if origin is tuple:
        return Records(_together, [(itemgetter(at), column_of(part, shared)) for at, part in enumerate(parts)])
    if origin in (Union, types.UnionType):
        return _column_of_union([part for part in parts if part is not type(None)], shared)
    if kind is str:
        return Texts()
    if kind in (int, bool):
        return Plain()
    if isinstance(kind, type) and issubclass(kind, shared):
        return Things()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return record(kind, shared)
    raise TypeError(f"no column for {kind}")


def _column_of_union(parts: list[Wire], shared: type) -> Column:
    columns = [column_of(part, shared) for part in parts]
    if len({type(column) for column in columns}) != 1:
        raise TypeError(f"no column for one of {parts}")
    return columns[0] if isinstance(columns[0], (Texts, Things, Plain)) else Optional(columns[0])


def _together(*values: Value) -> tuple[Value, ...]:
    return values


def _tuple_of(*parts: Wire) -> Wire:
    return types.GenericAlias(tuple, parts)
