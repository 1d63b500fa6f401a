"""What is known by now: the latest results of each project, and what to tell each file of them."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lsprotocol.types import Range

from loopsafe.findings import Finding, Problem
from loopsafe.frontends.server.analyst.layout import RowMap
from loopsafe.frontends.server.analyst.messages import Begun, Broken, Found, Part, Places, Rows, Shifted
from loopsafe.frontends.server.texts import Moved, Text, Units
from loopsafe.locations import Location, Span
from loopsafe.project.choice import preference
from loopsafe.traces import Running


@dataclass(slots=True)
class Result:
    """What was found in a project with these texts, and later where its functions run. `reals` are known real paths."""

    found: Found
    texts: Mapping[str, str]
    places: Places | None = None
    # The texts with which the places were found.
    placed: Mapping[str, str] = field(default_factory=dict)
    reals: dict[str, str] = field(default_factory=dict)
    functions: dict[int, list[tuple[Running, tuple[int, ...]]]] = field(default_factory=dict)

    def real(self, path: str) -> str:
        """The real path of a file by its path as shown."""
        if path not in self.reals:
            self.reals[path] = os.path.realpath(os.path.join(self.found.here, path))
        return self.reals[path]


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and the place at which a file is told of it."""

    finding: Finding
    place: Location
    result: Result

    @property
    def key(self) -> str:
        """What it is found again by: the operation's place, and the code."""
        span = self.finding.location.in_file
        return f"{self.result.real(self.finding.location.path)}:{span.row}:{span.column}:{self.finding.code}"

    @property
    def own(self) -> bool:
        """Whether the file is that of the operation."""
        return self.place == self.finding.location


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a project, by its position among all of them."""

    result: Result
    position: int
    running: Running
    leads: tuple[int, ...]

    @property
    def real(self) -> str:
        """The real path of its file."""
        return self.result.real(self.running.trace.location.path)


class Board:
    """The results of all projects. `units` are those of the editor."""

    def __init__(self) -> None:
        self.results: dict[str, Result] = {}
        self.broken: Mapping[str, Broken] = {}
        self.units = Units()

    def begin(self, begun: Begun) -> None:
        """Forget projects that there are no more."""
        self.results = {root: result for root, result in self.results.items() if root in begun.roots}
        self.broken = begun.broken

    def find(self, found: Found, texts: Mapping[str, str]) -> None:
        """Take up what was found with these texts. Where functions run stays until that is known, too."""
        before = self.results.get(found.root)
        result = self.results[found.root] = Result(found, self._analysed(texts))
        if before is not None and before.found.here == found.here:
            result.places, result.placed, result.functions = before.places, before.placed, before.functions

    def shift(self, shifted: Shifted, texts: Mapping[str, str]) -> None:
        """Take up in which rows stands now what was found. Where functions run is still told by the texts before."""
        result = self.results.get(shifted.root)
        if result is not None:
            result.found = moved(result.found, shifted.maps)
            result.texts = self._analysed(texts)

    def place(self, places: Places, texts: Mapping[str, str]) -> None:
        """Take up where functions run."""
        result = self.results.get(places.root)
        if result is not None:
            result.places, result.placed, result.functions = places, self._analysed(texts), {}

    def _analysed(self, texts: Mapping[str, str]) -> dict[str, str]:
        """The texts that were analysed: in place of those that are no Python, the ones before."""
        instead = {path: broken.instead for path, broken in self.broken.items()}
        return {path: text for path in texts if (text := instead.get(path, texts[path])) is not None}

    def told(self) -> dict[str, list[Told]]:
        """What each file is told, by real path, in order of place."""
        found: dict[str, dict[tuple[Location, str, Location], Told]] = defaultdict(dict)
        for result in self.results.values():
            for finding in result.found.report.findings:
                for path in finding.paths:
                    told = Told(finding, finding.place_in(path), result)
                    if (path, told.place.span.row, finding.code) not in result.found.quiet:
                        key = (told.place, finding.code, finding.location)
                        best = found[result.real(path)].get(key, told)
                        found[result.real(path)][key] = min(best, told, key=lambda each: preference(each.finding))
        return {
            real: sorted(items.values(), key=lambda told: (told.place, told.finding)) for real, items in found.items()
        }

    def problems(self) -> dict[str, list[Problem]]:
        """What is wrong with files, by real path."""
        found: dict[str, list[Problem]] = defaultdict(list)
        for result in self.results.values():
            for problem in (*result.found.report.problems, *result.found.report.warnings):
                real = result.real(problem.path)
                if real not in self.broken and problem not in found[real]:
                    found[real].append(problem)
        for real, broken in self.broken.items():
            found[real].append(broken.problem)
        return found

    def functions_in(self, real: str) -> Iterator[Function]:
        """The functions of a file that run somewhere, in order of row."""
        for result in self.results.values():
            for part in result.places.parts if result.places else ():
                if result.real(part.path) == real:
                    yield from _functions(result, part)

    def function(self, result: Result, position: int) -> Function | None:
        """A function of a project by its position."""
        parts = result.places.parts if result.places else ()
        at = bisect_right(parts, position, key=lambda part: part.first) - 1
        found = _functions(result, parts[at]) if at >= 0 else ()
        return next((one for one in found if one.position == position), None)

    def leading_to(self, real: str, span: Span) -> Iterator[Function]:
        """The functions that a call in this place leads to."""
        for function in list(self.functions_in(real)):
            for position in function.leads:
                target = self.function(function.result, position)
                steps = (arrival.step for arrival in target.running.arrivals) if target else ()
                if target and any(
                    step.location.span.contains(span) and function.result.real(step.location.path) == real
                    for step in steps
                ):
                    yield target


def moved(found: Found, maps: Mapping[str, RowMap]) -> Found:
    """The same in the rows of other texts."""

    def row(path: str, row: int) -> int:
        return maps[path].row(row) if path in maps else row

    def place(location: Location) -> Location:
        return maps[location.path].location(location) if location.path in maps else location

    def finding(one: Finding) -> Finding:
        witness = tuple(replace(step, location=place(step.location)) for step in one.witness)
        fix = one.fix
        if fix is not None and one.location.path in maps:
            spans = maps[one.location.path]
            fix = replace(fix, rewrites=tuple(replace(r, span=spans.span(r.span)) for r in fix.rewrites))
        return replace(one, location=place(one.location), witness=witness, fix=fix)

    def problem(one: Problem) -> Problem:
        return replace(one, row=row(one.path, one.row))

    report = replace(
        found.report,
        findings=tuple(sorted(map(finding, found.report.findings))),
        problems=tuple(map(problem, found.report.problems)),
        warnings=tuple(map(problem, found.report.warnings)),
    )
    return replace(
        found,
        report=report,
        quiet=frozenset((path, row(path, number), code) for path, number, code in found.quiet),
        rows={path: {row(path, number): text for number, text in rows.items()} for path, rows in found.rows.items()},
    )


def _functions(result: Result, part: Part) -> list[Function]:
    if part.first not in result.functions:
        result.functions[part.first] = part.functions()
    return [
        Function(result, part.first + offset, running, leads)
        for offset, (running, leads) in enumerate(result.functions[part.first])
    ]


@dataclass(frozen=True, slots=True)
class View:
    """How places are told to the editor: by the texts that it has now, and those that were analysed."""

    units: Units
    now: Mapping[str, Text]

    def range(self, real: str, span: Span, analysed: Mapping[str, str], rows: Rows, path: str) -> Range:
        """The stretch of a span of an analysed file, moved to where it is now."""
        current, old = self.now.get(real), analysed.get(real)
        if current is None:
            wide = rows.get(path, {})
            return Range(
                self.units.position(span.row, span.column, wide.get(span.row)),
                self.units.position(span.end_row, span.end_column, wide.get(span.end_row)),
            )
        if old is not None and old != current.source:
            span = Moved.between(Text(old), current).span(span)
        return current.range(span, self.units)

    def of_finding(self, result: Result, place: Location) -> Range:
        """The stretch of a place of a finding."""
        return self.range(result.real(place.path), place.in_file, result.texts, result.found.rows, place.path)

    def of_function(self, result: Result, place: Location) -> Range:
        """The stretch of a place on the way to a function."""
        rows = result.places.rows if result.places else {}
        return self.range(result.real(place.path), place.in_file, result.placed, rows, place.path)

    def back(self, real: str, row: int, analysed: Mapping[str, str]) -> int:
        """The row of the analysed text that a row of the present one was."""
        current, old = self.now.get(real), analysed.get(real)
        if current is None or old is None or old == current.source:
            return row
        return Moved.between(Text(old), current).inverse.row(row)


def overlapping(items: Iterable[tuple[Range, Told]], wanted: Range) -> Sequence[Told]:
    """Those of which the range touches the wanted one."""
    return [told for place, told in items if _begins(place.start, wanted.end) and _begins(wanted.start, place.end)]


def _begins(one: object, other: object) -> bool:
    return (one.line, one.character) <= (other.line, other.character)  # type: ignore[attr-defined]
