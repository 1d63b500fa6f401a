"""Facts as bytes and back, many times faster than from the text.

Expressions compare by identity, and one may stand in several places, which encoders of plain data do not keep. So they
have numbers: each is written once, after those that it refers to, and refers to them by number. Those of one kind that
are equally far from the leaves stand together.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from loopsafe.facts import schema
from loopsafe.facts.schema import Const, FileFacts
from loopsafe.reading.columns import Large, Plain, Records, Tables, Texts, Value, record

_NODE: Any = schema.Name.__base__
_CLASSES = [thing for thing in vars(schema).values() if isinstance(thing, type) and thing.__base__ is _NODE]
_FILE = record(FileFacts, _NODE)
# Columns by class, and those of constants by what their value is.
_KINDS: dict[Any, Records] = {
    **{kind: record(kind, _NODE) for kind in _CLASSES if kind is not Const},
    **{kind: record(Const, _NODE, {"value": kind()}) for kind in (Texts, Plain, Large)},
}
_ORDER = {kind: at for at, kind in enumerate(_KINDS)}
_GROUPS: dict[Any, Any] = {
    kind: msgspec.defstruct(
        kind.__name__, [("count", int), ("columns", columns.wire)], tag=_ORDER[kind], array_like=True
    )
    for kind, columns in _KINDS.items()
}
_COLUMNS = {group: _KINDS[kind] for kind, group in _GROUPS.items()}
_Whole: Any = msgspec.defstruct(
    "_Whole",
    [
        ("texts", list[str]),
        # An escape may stand for half a character, which is no text that could be encoded.
        ("halves", dict[int, bytes]),
        ("groups", list[reduce(or_, _COLUMNS)]),  # type: ignore[misc]
        ("file", _FILE.wire),
    ],
    array_like=True,
)
_DECODER = msgspec.msgpack.Decoder(_Whole)


def pack(facts: FileFacts) -> bytes | None:
    """Facts as bytes; None where they nest too deeply for that."""
    levels = _Levels()
    try:
        levels.add(_FILE.things([facts]))
    except RecursionError:
        return None
    tables, groups = Tables(), []
    numbers = tables.thing_numbers
    for kind, nodes in levels.groups():
        groups.append(_GROUPS[kind](len(nodes), _KINDS[kind].pack(nodes, tables)))
        numbers.update(zip(map(id, nodes), range(len(numbers), len(numbers) + len(nodes)), strict=True))
    packed = _FILE.pack([facts], tables)
    texts = [text or "" for text in tables.texts]
    try:
        return msgspec.msgpack.encode(_Whole(texts, {}, groups, packed))
    except UnicodeEncodeError:
        halves = {at: text.encode("utf-8", "surrogatepass") for at, text in enumerate(texts) if not _whole(text)}
        texts = ["" if at in halves else text for at, text in enumerate(texts)]
        return msgspec.msgpack.encode(_Whole(texts, halves, groups, packed))


def unpack(packed: bytes | None) -> FileFacts | None:
    """The facts; None where there are no bytes, or they are not facts."""
    if packed is None:
        return None
    try:
        whole = _DECODER.decode(packed)
        # Names are compared all the time, which is faster where they are the same object.
        tables = Tables(texts=list(map(sys.intern, whole.texts)))
        for at, text in whole.halves.items():
            tables.texts[at] = text.decode("utf-8", "surrogatepass")
        tables.texts[0] = None
        for group in whole.groups:
            tables.things += _COLUMNS[type(group)].unpack(group.columns, tables, group.count)
        facts: FileFacts
        [facts] = _FILE.unpack(whole.file, tables, 1)
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError, OverflowError, MemoryError):
        return None
    return facts


def _whole(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


class _Levels:
    """Nodes by how far they are from the leaves, and by their kind."""

    def __init__(self) -> None:
        self._heights = {id(None): -1}
        # Three in five nodes are leaves.
        self._leaves: dict[Value, list[Value]] = {kind: [] for kind, columns in _KINDS.items() if not columns.refers}
        self._found: dict[tuple[int, int], list[Value]] = defaultdict(list)

    def add(self, nodes: Iterable[Value]) -> int:
        """Put in all that are new; the height of the highest."""
        highest, heights, leaves = -1, self._heights, self._leaves
        for node in nodes:
            height = heights.get(id(node))
            if height is None:
                kind = type(node) if type(node) is not Const else _kind_of_constant(node)
                if kind in leaves:
                    leaves[kind].append(node)
                    height = 0
                else:
                    height = 1 + self._add_inner(kind, node)
                heights[id(node)] = height
            if height > highest:  # noqa: PLR1730 (a call takes as long as all else here)
                highest = height
        return highest

    def _add_inner(self, kind: Value, node: Value) -> int:
        """Put in a node with all that it refers to; the height of these."""
        columns = _KINDS[kind]
        height = self.add([get(node) for get in columns.single])
        for get, column in columns.several:
            if value := get(node):
                height = max(height, self.add(column.things((value,))))
        self._found[height + 1, _ORDER[kind]].append(node)
        return height

    def groups(self) -> list[tuple[Value, list[Value]]]:
        """Kinds and their nodes; each refers to earlier ones only."""
        kinds = list(_KINDS)
        inner = [(kinds[order], self._found[height, order]) for height, order in sorted(self._found)]
        return [(kind, nodes) for kind, nodes in self._leaves.items() if nodes] + inner


def _kind_of_constant(node: Const) -> Value:
    if isinstance(node.value, str):
        return Texts
    return Plain if node.value is None or -(1 << 63) <= node.value < 1 << 63 else Large
