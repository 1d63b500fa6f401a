"""What the declared types of installed libraries add to the packs about them: a pack of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from loopsafe.knowledge.load import applicable
from loopsafe.knowledge.schema import Pack, ResultRow
from loopsafe.reading.signatures import Signatures


def declared_pack(
    packs: Iterable[Pack], imported: Collection[str], words: Collection[str], signatures: Signatures
) -> Pack:
    """What calls give by their declared types, for libraries that are `imported` and that packs describe.

    `words` are the names of what is called. What a pack says itself is left to it.
    """
    about = [pack for pack in applicable(packs, set(imported)) if pack.imports]
    tops = {name.partition(".")[0] for pack in about for name in pack.imports}
    rows = [row for pack in about for row in pack.classes]
    classes = {name: row.names[0] for row in rows for name in row.names if name.partition(".")[0] in tops}
    said = {name for pack in about for table in (pack.results, pack.loops) for row in table for name in row.names}
    asked = [name for name in imported if name.partition(".")[0] in tops]
    given = signatures.of(asked, classes, words) if classes else {}
    results = tuple(
        ResultRow(
            names=(name,),
            source="its declared type",
            gives="" if one.awaited else one.cls,
            awaited=one.cls if one.awaited else "",
        )
        for name, one in sorted(given.items())
        if name not in said
    )
    return Pack(library="declared types", version="", results=results)
