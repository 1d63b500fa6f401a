"""The work behind an answer: projects read, solved and fixed. It is done in the process beside the server."""

from __future__ import annotations

import io
import os
import pickle
import tokenize
from collections import ChainMap, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from loopsafe.facts.schema import FileFacts
from loopsafe.findings import Finding, Report
from loopsafe.frontends.changes import work_out
from loopsafe.frontends.commands.fix import fixable, refused
from loopsafe.frontends.narrowing import narrowed, narrowed_each
from loopsafe.frontends.options import Selection
from loopsafe.frontends.server.analyst.layout import RowMap, row_map
from loopsafe.frontends.server.analyst.messages import (
    Analyse,
    Begun,
    Broken,
    Fix,
    Fixed,
    Found,
    Going,
    Part,
    Places,
    Rows,
    Send,
    Shifted,
)
from loopsafe.frontends.settings import settle
from loopsafe.frontends.terminal import CannotWork
from loopsafe.frontends.work import nothing_at
from loopsafe.locations import Location
from loopsafe.pipeline import Survey, is_of_others, report, solve
from loopsafe.progress import Progress
from loopsafe.project.choice import chosen
from loopsafe.project.config import Config, ConfigError
from loopsafe.project.files import shown
from loopsafe.project.roots import Project, find_projects
from loopsafe.project.sources import NEWLINE
from loopsafe.reading.reader import Looks, Reader
from loopsafe.sources import Sources, read_project
from loopsafe.traces import Running

Facts = dict[tuple[str, bytes], FileFacts]


@dataclass(frozen=True, slots=True)
class Job:
    """A project that has changed since it was last solved, as read."""

    project: Project
    sources: Sources


@dataclass(slots=True)
class Desk:
    """What is kept between questions: facts of each project's files, what was solved, and texts that were Python."""

    facts: dict[str, Facts] = field(default_factory=dict)
    looks: Looks = field(default_factory=dict)
    solved: dict[str, Job] = field(default_factory=dict)
    good: dict[str, str] = field(default_factory=dict)

    def prepare(self, question: Analyse, send: Send) -> list[Job]:
        """Read what there is; the projects to solve anew.

        Raises:
            ConfigError: a configuration or a setting cannot be used.
        """
        projects = _projects(question.paths, question.selection, question.texts)
        self.good = {path: text for path, text in self.good.items() if path in question.texts}
        progress = _progress(question.number, send)
        broken: dict[str, Broken] = {}
        jobs = [Job(p, self._read(p, question.texts, broken, progress)) for p in projects if not is_of_others(p)]
        self.good.update({path: text for path, text in question.texts.items() if path not in broken})
        roots = tuple(str(job.project.config.root) for job in jobs)
        self.facts = {root: self.facts[root] for root in roots}
        self.solved = {root: job for root, job in self.solved.items() if root in roots}
        send(Begun(question.number, roots, broken))
        fresh = [
            job for root, job in zip(roots, jobs, strict=True) if not self._knows(root, job, question.number, send)
        ]
        # What is begun may not be finished, and yet have been told in part.
        for job in fresh:
            self.solved.pop(str(job.project.config.root), None)
        return fresh

    def _knows(self, root: str, job: Job, number: int, send: Send) -> bool:
        """Whether what was said of it still holds, if in other rows, which is then said.

        Baselines and git are not looked into here.
        """
        known, config = self.solved.get(root), job.project.config
        if known is None or config.baseline or config.since:
            return False
        # A file that is opened is named, which changes nothing else.
        if replace(known.project, paths=()) != replace(job.project, paths=()):
            return False
        maps = row_maps(known.sources, job.sources)
        if maps:
            send(Shifted(number, root, maps))
            self.solved[root] = job
        return maps is not None

    def _read(
        self, project: Project, texts: Mapping[str, str], broken: dict[str, Broken], progress: Progress
    ) -> Sources:
        """Read a project, where a text is no Python with what stood there before."""
        memory: ChainMap[tuple[str, bytes], FileFacts]
        memory = ChainMap({}, self.facts.get(str(project.config.root), {}))
        reader = Reader(memory=memory, looks=self.looks)
        sources = read_project(project, texts, progress, reader)
        here = os.getcwd()
        named = {shown(path, here): path for path in texts}
        told = {named[problem.path]: problem for problem in sources.problems if problem.path in named}
        if told:
            broken.update({path: Broken(problem, self.good.get(path)) for path, problem in told.items()})
            before = {path: self.good.get(path) for path in told}
            others = {path: before.get(path, text) for path, text in texts.items()}
            texts = {path: text for path, text in others.items() if text is not None}
            sources = read_project(project, texts, progress, reader)
        # Of each file what was of use now: what it was before is forgotten.
        self.facts[str(project.config.root)] = dict(memory.maps[0])
        return sources

    def keep(self, jobs: Iterable[Job]) -> None:
        """These have been solved, and what is found was said."""
        self.solved.update((str(job.project.config.root), job) for job in jobs)

    def fix(self, question: Fix, send: Send) -> None:
        """Answer what fixing would write.

        Raises:
            ConfigError: a configuration or a setting cannot be used.
        """
        memory: Facts = {key: facts for known in self.facts.values() for key, facts in known.items()}

        def analyse(overlay: Mapping[Path, str]) -> Report:
            texts = {**{Path(path): text for path, text in question.texts.items()}, **overlay}
            projects = _projects(question.paths, question.selection, {str(path): t for path, t in texts.items()}, True)
            return narrowed_each(
                projects,
                lambda each: report(each, overlay=texts, reader=Reader(memory=memory, looks=self.looks)),
                texts,
            )

        before, here = analyse({}), os.getcwd()
        contents = {shown(path, here): encoded(text) for path, text in question.texts.items()}
        outcome = work_out(
            before,
            fixable(before, question.unsafe),
            analyse,
            lambda after: fixable(after, question.unsafe),
            contents,
        )
        changes = {os.path.realpath(os.path.join(here, change.path)): change.text for change in outcome.changes}
        send(Fixed(question.number, changes, tuple(refused(outcome.refusals))))


def solve_all(jobs: Iterable[Job], question: Analyse, send: Send) -> None:
    """Answer what is found in each project, and where its functions run."""
    here, texts = os.getcwd(), {Path(path): text for path, text in question.texts.items()}
    for job in jobs:
        survey = solve(job.sources, _progress(question.number, send))
        project, root = job.project, str(job.project.config.root)
        told = narrowed(chosen(project, survey.whole), project.config, texts, project.paths)
        places = (place for finding in told.findings for place in _places_of(finding))
        rows = wide_rows(places, job.sources)
        send(Found(question.number, root, here, told, _quiet(told, job.sources), rows))
        send(_where(question.number, root, here, survey, job.sources))


def _where(number: int, root: str, here: str, survey: Survey, sources: Sources) -> Places:
    running = survey.running()
    leads: dict[int, dict[int, None]] = defaultdict(dict)
    for position, one in enumerate(running):
        for arrival in one.arrivals:
            if arrival.source >= 0:
                leads[arrival.source][position] = None
    parts = []
    for path, group in groupby(enumerate(running), key=lambda item: item[1].trace.location.path):
        functions = list(group)
        packed = pickle.dumps([(one, tuple(leads.get(at, ()))) for at, one in functions], pickle.HIGHEST_PROTOCOL)
        parts.append(Part(path, functions[0][0], packed))
    places = (place for one in running for place in _places_in(one))
    return Places(number, root, here, tuple(parts), wide_rows(places, sources))


def row_maps(before: Sources, after: Sources) -> dict[str, RowMap] | None:
    """Where the rows of files have gone, if nothing else has changed; None where something has."""
    maps: dict[str, RowMap] = {}
    old, new = before.by_path, after.by_path
    for path in old.keys() & new.keys():
        if old[path].text != new[path].text:
            found = None if old[path].cells else row_map(old[path].text, new[path].text)
            if found is None:
                return None
            maps[new[path].file.shown] = found
    same = {path: old[path] if read.file.shown in maps else read for path, read in new.items()}
    return maps if replace(after, by_path=same).says_the_same(before) else None


def _places_of(finding: Finding) -> Iterator[Location]:
    yield finding.location
    yield from (step.location for step in finding.witness)


def _places_in(running: Running) -> Iterator[Location]:
    yield running.trace.location
    yield from (arrival.step.location for arrival in running.arrivals)


def wide_rows(places: Iterable[Location], sources: Sources) -> Rows:
    """The rows of these places that have more than ASCII in them."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for place in places:
        wanted[place.path].update((place.in_file.row, place.in_file.end_row))
    texts = {read.file.shown: read.text for read in sources.by_path.values() if read.file.shown in wanted}
    found: Rows = {}
    for path, text in texts.items():
        if not text.isascii():
            rows = NEWLINE.split(text)
            wide = {row: rows[row - 1] for row in wanted[path] if row <= len(rows) and not rows[row - 1].isascii()}
            found.update({path: wide} if wide else {})
    return found


def _quiet(told: Report, sources: Sources) -> frozenset[tuple[str, int, str]]:
    """The places beside the offending lines where a comment silences what is told."""
    places = {(path, f.place_in(path).span.row, f.code) for f in told.findings for path in f.paths[1:]}
    return frozenset(place for place in places if sources.noqa[place[0]].silences(*place[1:]))


def _projects(
    paths: Iterable[str], selection: Selection, texts: Mapping[str, str], only_named: bool = False
) -> tuple[Project, ...]:
    """The projects of what is there.

    Raises:
        ConfigError: a configuration or a setting cannot be used.
    """
    given = {Path(path) for path in texts}
    missing = {problem.path for problem in nothing_at(paths, given)}
    named = frozenset() if only_named else frozenset(texts)
    there = [path for path in paths if path not in missing]
    return find_projects(there, lambda start: _load(start, selection), _folded(named, there))


def _folded(texts: Collection[str], paths: Iterable[str]) -> frozenset[str]:
    """Texts that lie below what is named, or are it: the server names all others that are to be looked at."""
    around = [os.path.realpath(path) for path in paths]
    return frozenset(
        text for text in texts if any(text == each or text.startswith(os.path.join(each, "")) for each in around)
    )


def _load(start: Path, selection: Selection) -> Config:
    try:
        # An open file that is excluded is no reason to report on it.
        return replace(settle(start, selection), force_exclude=True)
    except CannotWork as error:
        raise ConfigError(error.message) from error


def _progress(number: int, send: Send) -> Progress:
    return lambda stage, done, total: send(Going(number, stage, done, total))


def encoded(text: str) -> bytes:
    """The bytes that an editor would write for a text: in the encoding that it declares."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return text.encode(encoding)
    except (SyntaxError, UnicodeError, LookupError):
        return data
