"""Methods that an annotation is missing at, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from loopsafe.harmless import printable
from loopsafe.locations import Location
from loopsafe.render.as_json import written
from loopsafe.render.painting import Piece, painter
from loopsafe.suggestions import ANNOTATION, OTHERWISE, Suggestion


def render(suggestions: Sequence[Suggestion], colour: bool = False) -> Iterator[str]:
    """A block for each method, and an empty line between two."""
    paint = painter(colour)
    for position, suggestion in enumerate(suggestions):
        if position:
            yield ""
        yield from (paint(line) for line in _block(suggestion))


def render_json(suggestions: Sequence[Suggestion]) -> Iterator[str]:
    """One JSON list."""
    yield written([_object(suggestion) for suggestion in suggestions])


def _block(suggestion: Suggestion) -> Iterator[list[Piece]]:
    yield [(printable(f"{suggestion.location}: "), "bold"), (printable(suggestion.function), "bold")]
    yield from ([("  says    ", "blue"), (printable(word), "")] for word in suggestion.says)
    for touched in suggestion.touches:
        place, source = printable(str(touched.location)), printable(touched.source)
        yield [("  touches ", "blue"), (f"{place}  ", "dim"), (source, ""), (f"  {touched.code}", "red")]
    yield [("  add     ", "blue"), (ANNOTATION, "green"), (f"  (or {OTHERWISE}, if it is not so)", "dim")]


def _object(suggestion: Suggestion) -> dict[str, Any]:
    return {
        "function": suggestion.function,
        **_place(suggestion.location),
        "says": list(suggestion.says),
        "touches": [{**_place(t.location), "source": t.source, "code": t.code} for t in suggestion.touches],
        "annotation": ANNOTATION,
        "otherwise": OTHERWISE,
    }


def _place(location: Location) -> dict[str, Any]:
    return {"filename": location.path, "location": {"row": location.span.row, "column": location.span.column}}
