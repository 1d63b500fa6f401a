"""The only module that knows the order of the stages."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopsafe.collector import leave, without_collector
from loopsafe.contexts.analysis import Analysis, Violation
from loopsafe.contexts.places.place import Hop
from loopsafe.facts.schema import unpack_span
from loopsafe.findings import Finding, FixPlan, Problem, Report, Step
from loopsafe.knowledge.load import Knowledge, KnowledgeError, applicable, built_in_packs, installed_packs, load_packs
from loopsafe.knowledge.schema import Pack
from loopsafe.locations import Location, Span
from loopsafe.program.lookup import Lookup
from loopsafe.program.modules import Module, Modules
from loopsafe.program.program import Program
from loopsafe.project.config import Config, ConfigError, load_config
from loopsafe.project.files import SourceFile, gather, in_order, shown
from loopsafe.project.installed import installed_files
from loopsafe.project.noqa import NoqaLines
from loopsafe.project.sources import NEWLINE
from loopsafe.reading.reader import Progress, Read, Reader
from loopsafe.rules import ALL_RULES
from loopsafe.rules.base import Rule
from loopsafe.stopwatch import Stopwatch
from loopsafe.traces import ContextGraph, NoSuchFunction, Place, Trace


@dataclass(frozen=True, slots=True)
class _Project:
    """A project as read. `by_path` has its files by path from the root; `files` counts those asked for.

    `barred` are those that are not read.
    """

    config: Config
    by_path: Mapping[str, Read]
    modules: Modules
    problems: tuple[Problem, ...]
    files: int
    barred: tuple[SourceFile, ...] = ()


@without_collector()
def analyze(
    paths: Sequence[str | Path],
    config: Config | None = None,
    *,
    overlay: Mapping[Path, str] | None = None,
    noqa: bool = True,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Report:
    """Analyse the project that holds `paths` and report on those paths.

    Args:
        paths: files or folders; the rest of their project is read too, but only these are reported on.
        config: where missing, read from the pyproject.toml that holds for the first path.
        overlay: text that stands in for files on disk, by resolved path (editors' unsaved text, standard input).
        noqa: whether `# noqa` comments silence findings.
        progress: called as (files done, files in all) while files are read.
        reader: what reads files and takes the time.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: a path does not exist.
    """
    reader = reader or Reader()
    project = _read_project(paths, config, overlay, progress, reader)
    analysis = _analyse(project, reader.watch)
    with reader.watch.stage("rules"):
        findings = _find(project, analysis)
    if noqa:
        findings = _audible(findings, project.by_path.values())
    leave(project, analysis)
    return Report(tuple(findings), project.problems, project.files, _warnings(project, analysis))


@without_collector()
def trace(place: Place, config: Config | None = None, *, progress: Progress | None = None) -> tuple[Trace, ...]:
    """Where the functions of a place may run and why; several where one name means several.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: the file does not exist.
        NoSuchFunction: there is no function at that place.
    """
    project = _read_project([place.path] if place.path else ["."], config, None, progress)
    if place.path and project.problems:
        raise NoSuchFunction(str(project.problems[0]))
    found = Lookup(_modules_by_shown_path(project), project.modules).find(place)
    explanation = _analyse(project).explanation(_Reporter(project.by_path).step)
    return tuple(explanation.trace(module, scope) for module, scope in found)


@without_collector()
def graph(
    paths: Sequence[str | Path], config: Config | None = None, *, progress: Progress | None = None
) -> ContextGraph:
    """The thread-context graph of the files at and below `paths`.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: a path does not exist.
    """
    project = _read_project(paths, config, None, progress)
    analysis = _analyse(project)
    marks: dict[Module, list[tuple[Span, str]]] = {}
    by_shown = _modules_by_shown_path(project)
    for finding in _find(project, analysis):
        span, source = finding.location.span, finding.witness[-1].source
        marks.setdefault(by_shown[finding.location.path], []).append((span, f"{finding.code} {span.row}: {source}"))
    wanted = {by_shown[read.file.shown] for read in project.by_path.values() if read.file.wanted}
    return analysis.explanation(_Reporter(project.by_path).step).graph(wanted, marks)


def _modules_by_shown_path(project: _Project) -> dict[str, Module]:
    # Where links share their target's path, it stands for them.
    read = sorted(project.modules.all, key=lambda module: not project.by_path[module.path].file.target)
    return {project.by_path[module.path].file.shown: module for module in read}


def _read_project(
    paths: Sequence[str | Path],
    config: Config | None,
    overlay: Mapping[Path, str] | None,
    progress: Progress | None,
    reader: Reader | None = None,
) -> _Project:
    """Read the project that holds `paths`."""
    config = config or load_config(Path(paths[0] if paths else "."))
    texts = {os.path.realpath(path): text for path, text in (overlay or {}).items()}
    gathered = _with_overlay(gather([p for p in paths if os.path.realpath(p) not in texts], config), texts)
    barred, files = [f for f in gathered if f.barred], [f for f in gathered if not f.barred]
    texts |= {file.path: texts[file.target] for file in files if file.target in texts}
    reader = reader or Reader()
    found, problems = reader.read_all(files, texts, progress, config.max_file_size)
    if config.site_packages:
        own = {file.path for file in files}
        others = [file for file in _installed(found, config) if file.path not in own]
        found += reader.read_all(others, {}, largest=config.max_file_size)[0]
    by_path = {_module_path(r.file, config): r for r in found}
    modules = Modules((path, r.facts) for path, r in by_path.items())
    graded = _graded(problems, [*paths, *texts], config)
    # A file and the links to it are one.
    count = len({file.shown for file in files if file.wanted})
    return _Project(config, by_path, modules, graded, count, tuple(barred))


def _graded(problems: Iterable[Problem], named: Iterable[str | Path], config: Config) -> tuple[Problem, ...]:
    """What is only a warning, as nobody has named the file, and unless the project wants it otherwise."""
    here = os.getcwd()
    asked_for = {shown(os.path.realpath(path), here) for path in named}
    return tuple(
        problem if problem.path in asked_for else replace(problem, level=config.unreadable)
        for problem in dict.fromkeys(problems)
    )


def _installed(read: Sequence[Read], config: Config) -> list[SourceFile]:
    """The files of installed packages that the project imports, but for those that packs describe."""
    modules = Modules((_module_path(r.file, config), r.facts) for r in read)
    own = {module.name.partition(".")[0] for module in modules.all}
    described = {name.partition(".")[0] for pack in built_in_packs(modules.imported) for name in pack.imports}
    names = {name.partition(".")[0] for name in modules.imported} - own - described
    try:
        return installed_files((config.root / folder for folder in config.site_packages), names)
    except OSError as error:
        raise ConfigError(f"`site-packages` in [tool.loopsafe]: no such folder: {error.filename}") from error


def _analyse(project: _Project, watch: Stopwatch | None = None) -> Analysis:
    """Let contexts flow through a project."""
    watch = watch or Stopwatch()
    with watch.stage("knowledge"):
        knowledge = Knowledge(applicable(_packs(project), project.modules.imported))
    with watch.stage("link and solve"):
        return Analysis(Program(project.modules, knowledge), project.config.annotations)


def _packs(project: _Project) -> tuple[Pack, ...]:
    """The packs that come with loopsafe, those of installed distributions, and the user's own."""
    try:
        own = load_packs(project.config.root / path for path in project.config.knowledge)
        return (*built_in_packs(project.modules.imported), *installed_packs(), *own)
    except KnowledgeError as error:
        raise ConfigError(str(error)) from error


def _warnings(project: _Project, analysis: Analysis) -> tuple[Problem, ...]:
    """What users said of their functions that cannot be used, and what is not read."""
    found = [
        Problem(file.shown, 0, 0, f"is not read: it is a link that leads out of the project, to {file.target}")
        for file in project.barred
        if file.wanted
    ]
    for unclear in analysis.remarks.unclear:
        read = project.by_path[unclear.module.path] if unclear.module else None
        if read is None:
            found.append(Problem("pyproject.toml", 0, 0, f"[tool.loopsafe.annotations]: {unclear.message}"))
        elif read.file.wanted:
            found.append(Problem(read.file.shown, unclear.row, 1, unclear.message))
    return tuple(dict.fromkeys(found))


def _with_overlay(files: Sequence[SourceFile], texts: Mapping[str, str]) -> list[SourceFile]:
    """Texts that stand in for files are wanted, also where there is no such file."""
    known, here = {file.target or file.path for file in files}, os.getcwd()
    added = [SourceFile(p, shown(p, here), True) for p in texts if p not in known]
    every = [*(replace(f, wanted=True) if (f.target or f.path) in texts else f for f in files), *added]
    return sorted(every, key=lambda file: in_order(file.path))


def _find(project: _Project, analysis: Analysis) -> list[Finding]:
    config, by_path = project.config, project.by_path
    report = _Reporter(by_path)
    found: dict[tuple[Location, str], Finding] = {}
    for rule in ALL_RULES:
        if config.selects(rule.code):
            for finding in report.findings(rule, analysis):
                key = (finding.location, finding.code)
                found[key] = min(found.get(key, finding), finding, key=_preference)
    sure = [f for f in found.values() if config.min_confidence == "likely" or f.confidence == "certain"]
    wanted = {r.file.shown for r in by_path.values() if r.file.wanted}
    return sorted(f for f in sure if f.location.path in wanted)


def _preference(finding: Finding) -> tuple[bool, int, Finding]:
    """Of several findings at one place, the surest with the shortest witness speaks."""
    return (finding.confidence != "certain", len(finding.witness), finding)


def _module_path(file: SourceFile, config: Config) -> str:
    return Path(os.path.relpath(file.path, config.root)).as_posix()


_OUT_OF_REACH = FixPlan("declined", "its file lies outside the project, where a link leads")


class _Reporter:
    """Violations -> findings: places in shown paths, source text of each hop."""

    def __init__(self, by_path: Mapping[str, Read]) -> None:
        self._by_path = by_path
        self._lines: dict[str, list[str]] = {}

    def findings(self, rule: Rule, analysis: Analysis) -> Iterator[Finding]:
        """The findings of one rule."""
        for violation in rule.check(analysis):
            yield self._finding(rule, violation)

    def _finding(self, rule: Rule, violation: Violation) -> Finding:
        read = self._by_path[violation.module.path]
        return Finding(
            location=Location(read.file.shown, violation.span),
            code=rule.code,
            name=rule.name,
            message=rule.message.format(**violation.fields()),
            confidence=violation.confidence,
            context=violation.context,
            witness=tuple(map(self.step, violation.witness)),
            fix=_OUT_OF_REACH if violation.fix and read.file.foreign else violation.fix,
            api=violation.api,
        )

    def step(self, hop: Hop) -> Step:
        """The place and source text of a hop."""
        read, span = self._by_path[hop.module.path], unpack_span(hop.packed_span)
        return Step(hop.kind, Location(read.file.shown, span), self._source(read, span))

    def _source(self, read: Read, span: Span) -> str:
        """The text of a span on one line; of a class or function, its first line."""
        lines = self._lines.get(read.file.shown)
        if lines is None:
            lines = self._lines[read.file.shown] = NEWLINE.split(read.text)
        if span.row == span.end_row:
            return lines[span.row - 1][span.column - 1 : span.end_column - 1].strip()
        first = lines[span.row - 1][span.column - 1 :]
        if first.startswith(("class ", "def ", "async def ")):
            return first.strip()
        parts = [first, *lines[span.row : span.end_row - 1], lines[span.end_row - 1][: span.end_column - 1]]
        return " ".join(" ".join(part.split()) for part in parts)


def _audible(findings: Sequence[Finding], read: Iterable[Read]) -> list[Finding]:
    comments = {r.file.shown: NoqaLines(r.text) for r in read if r.file.wanted}
    silenced = {f for f in findings if comments[f.location.path].silences(f.location.span.row, f.code)}
    kept: dict[str, list[Span]] = {}
    for finding in sorted(silenced):
        kept.setdefault(finding.location.path, []).append(finding.location.span)
    return [_held_back(f, kept.get(f.location.path, [])) for f in findings if f not in silenced]


def _held_back(finding: Finding, kept: Sequence[Span]) -> Finding:
    """A fix that would also change what a comment says is right as it is, is none. `kept` is in order."""
    spans = [r.span for r in finding.fix.rewrites if r.action != "capture"] if finding.fix else []
    row = min((row for whole in spans if (row := _first_within(whole, kept))), default=0)
    if not row:
        return finding
    return replace(finding, fix=FixPlan("declined", f"what goes with it in line {row} is to stay, by its `# noqa`"))


def _first_within(whole: Span, spans: Sequence[Span]) -> int:
    """The row of the first of the spans, which are in order, that lies in this one; 0 where none does."""
    for position in range(bisect_left(spans, Span(whole.row, whole.column, 0, 0)), len(spans)):
        span = spans[position]
        if (span.row, span.column) > (whole.end_row, whole.end_column):
            break
        if whole.contains(span):
            return span.row
    return 0
