"""`loopsafe check --evidence FILE` and `check --verify -- COMMAND`: findings beside what a guard has seen happen."""

from __future__ import annotations

import linecache
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopsafe.findings import Finding, Report
from loopsafe.frontends.commands.run import watch
from loopsafe.frontends.terminal import CannotWork, complain
from loopsafe.frontends.work import Work
from loopsafe.harmless import printable
from loopsafe.project.config import ConfigError
from loopsafe.questions import trace
from loopsafe.runtime.journal import read
from loopsafe.runtime.violations import Spot, Violation, shown
from loopsafe.traces import OFF_LOOP, NoSuchFunction, Place

_TRACED = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings that were seen to happen, each with how; those that were not; and what was seen and not found."""

    confirmed: tuple[tuple[Finding, Violation], ...]
    unseen: tuple[Finding, ...]
    missed: tuple[Violation, ...]


def seen_in(file: str) -> list[Violation]:
    """What a guard has written.

    Raises:
        CannotWork: the file cannot be read, or is none of a guard's.
    """
    try:
        with open(file, encoding="utf-8") as lines:
            return read(lines)
    except OSError as error:
        raise CannotWork(f"{file}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise CannotWork(f"{file}: {error}") from error


def seen_by(command: Sequence[str]) -> tuple[list[Violation], int]:
    """What happens while a command runs, and its exit code.

    Raises:
        CannotWork: it cannot be started.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "seen.json")
        code = watch(command, file)
        if code:
            complain(f"The command ended with exit code {code}.")
        return (seen_in(file) if os.path.exists(file) else []), code


def compare(findings: Iterable[Finding], seen: Sequence[Violation]) -> Compared:
    """Which findings happened: those on whose row a thread stood that touched what it may not."""
    confirmed: list[tuple[Finding, Violation]] = []
    unseen: list[Finding] = []
    met: set[int] = set()
    for finding in findings:
        at = [violation for violation in seen if _is_of(finding, violation)]
        met.update(map(id, at))
        if at:
            confirmed.append((finding, at[0]))
        else:
            unseen.append(finding)
    return Compared(tuple(confirmed), tuple(unseen), tuple(one for one in seen if id(one) not in met))


def _is_of(finding: Finding, violation: Violation) -> bool:
    path, span = os.path.realpath(finding.location.path), finding.location.span
    return any(
        os.path.realpath(spot.path) == path and span.row <= spot.row <= span.end_row
        for spot in (violation.place, *violation.stack)
    )


def lines(work: Work, report: Report, seen: Sequence[Violation]) -> Iterator[str]:
    """What to print of a report beside what was seen."""
    moved = [_as_now(violation) for violation in seen]
    compared = compare(report.findings, [violation for violation in moved if violation])
    roots = [project.config.root for project in work.projects()]
    inside = [violation for violation in compared.missed if _is_installed(violation.place, roots)]
    missed = [violation for violation in compared.missed if violation not in inside]
    for finding, violation in compared.confirmed:
        yield f"confirmed  {finding.location}: {finding.code} was seen on `{violation.thread}`"
    for finding in compared.unseen:
        yield f"not seen   {finding.location}: {finding.code} did not happen in this run"
    for violation in inside:
        yield f"in library {violation.place}: {violation.code} was seen there; libraries are not reported on"
    for violation in (one for one, now in zip(seen, moved, strict=True) if now is None):
        yield f"outdated   {violation.place}: {violation.code} was seen when other text stood there; run it again"
    for number, violation in enumerate(missed):
        yield f"not found  {violation.place}: {violation.code} {violation.message}"
        yield f"           {_why(work, violation) if number < _TRACED else 'see `loopsafe trace` there'}"
    yield (
        f"Of {len(report.findings)} findings {len(compared.confirmed)} were seen; "
        f"{len(missed)} violations were seen and not found."
    )


def _as_now(violation: Violation) -> Violation | None:
    """The violation with the rows on which its texts stand now; None if that of its place is not to be had."""
    place = _moved(violation.place)
    stack = tuple(spot for spot in map(_moved, violation.stack) if spot)
    return replace(violation, place=place, stack=stack) if place else None


def _moved(spot: Spot) -> Spot | None:
    """The spot on the row where its text stands now, if that is sure."""
    rows = [line.strip() for line in linecache.getlines(spot.path)]
    if not spot.source or spot.path.startswith("<") or rows[spot.row - 1 : spot.row] == [spot.source]:
        return spot
    at = [row for row, text in enumerate(rows, 1) if text == spot.source]
    return replace(spot, row=at[0]) if len(at) == 1 else None


def _is_installed(place: Spot, roots: Sequence[Path]) -> bool:
    """Whether it is in an installed library; one that is checked as a project itself is none."""
    path = Path(os.path.realpath(place.path))
    below = [path.relative_to(os.path.realpath(root)) for root in roots if _is_in(place, root)]
    return all("site-packages" in one.parts for one in below or [path])


def harmless_lines(work: Work, report: Report, seen: Sequence[Violation]) -> Iterator[str]:
    """The same, fit for a terminal: it names what the program does."""
    return map(printable, lines(work, report, seen))


def _why(work: Work, violation: Violation) -> str:
    """Why the analysis does not know of it, as far as that can be told, and what would tell it."""
    place = violation.place
    project = next((one for one in work.projects() if _is_in(place, one.config.root)), None)
    if project is None:
        return f"{shown(place.path)} is in none of the projects that were checked"
    try:
        traces = trace(project, Place(shown(place.path), place.row))
    except (NoSuchFunction, ConfigError) as error:
        return f"it stands in no function that the analysis knows: {error}"
    known = [reason for one in traces for reason in one.reasons]
    off = [reason for reason in known if reason.context in OFF_LOOP]
    if off:
        return (
            f"`{place.function}` is known to run {off[0].where}, but not whose `{violation.api}` is: an annotation of "
            f"the object's type, or a row in a pack, would say it"
        )
    entry = next(spot for spot in (*violation.stack[::-1], place) if _is_in(spot, project.config.root))
    where = " and ".join(dict.fromkeys(reason.where for reason in known)) or "nowhere"
    return (
        f"no thread is known to reach `{place.function}`, which runs {where}: `# loopsafe: thread-entry` at "
        f"`{entry.function}` ({shown(entry.path)}:{entry.row}), or a row in a pack for what calls it, would say so"
    )


def _is_in(place: Spot, root: Path) -> bool:
    return Path(os.path.realpath(place.path)).is_relative_to(os.path.realpath(root))
