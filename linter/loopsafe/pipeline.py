"""The only module that knows the order of the stages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopsafe.collector import leave, without_collector
from loopsafe.contexts.analysis import Analysis
from loopsafe.findings import Finding, Problem, Report, Whole
from loopsafe.knowledge.load import Knowledge, applicable
from loopsafe.locations import Location
from loopsafe.program.program import Program
from loopsafe.progress import FOLLOWING, Progress
from loopsafe.project.choice import chosen, merged, preference
from loopsafe.project.config import Config, load_config
from loopsafe.project.roots import Project, find_projects, one_project
from loopsafe.reading.reader import Read, Reader
from loopsafe.reporting import NOT_REWRITTEN, Reporter
from loopsafe.rules import ALL_RULES
from loopsafe.rules.unused_noqa import UnusedNoqa
from loopsafe.sources import Sources, packs_of, read_project
from loopsafe.stopwatch import Stopwatch
from loopsafe.traces import Running


def analyze(
    paths: Sequence[str | Path],
    config: Config | None = None,
    *,
    overlay: Mapping[Path, str] | None = None,
    noqa: bool = True,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Report:
    """Analyse the projects that hold `paths` and report what concerns those paths.

    Args:
        paths: files or folders; the rest of their projects is read too. A finding concerns every file on its path.
        config: what holds for all of them, as one project; where missing, each project's own.
        overlay: text that stands in for files on disk, by resolved path (editors' unsaved text, standard input).
        noqa: whether `# noqa` comments silence findings.
        progress: told of the files of a project that are read, then of the values that are followed.
        reader: what reads files and takes the time.

    Raises:
        ConfigError: the configuration cannot be used.
        FileNotFoundError: a path does not exist.
    """
    texts = {os.path.realpath(path) for path in overlay or ()}
    projects = [one_project(paths, config, texts)] if config else find_projects(paths, load_config, texts)
    return report(projects, overlay=overlay, noqa=noqa, progress=progress, reader=reader)


def report(
    projects: Sequence[Project],
    *,
    overlay: Mapping[Path, str] | None = None,
    noqa: bool = True,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Report:
    """Analyse projects, one at a time, and report what concerns that which was named of them; otherwise as `analyze`.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    texts = {os.path.realpath(path): text for path, text in (overlay or {}).items()}
    return merged([chosen(p, analyze_whole(p, texts, progress, reader), noqa) for p in projects])


@without_collector()
def analyze_whole(
    project: Project,
    texts: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Whole:
    """All that there is to say of a project. `texts` stand in for files, by real path.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    if is_of_others(project):
        return Whole((), ())
    reader = reader or Reader()
    return solve(read_project(project, texts, progress, reader), progress, reader.watch).whole


def is_of_others(project: Project) -> bool:
    """Whether its folder was named, and all in it is other projects'."""
    return bool(project.inside) and not any(file.wanted for file in project.files)


@dataclass(frozen=True, slots=True)
class Survey:
    """All that there is to say of a project, and the analysis behind it, which takes as much memory as all else."""

    whole: Whole
    _sources: Sources
    _analysis: Analysis

    @without_collector()
    def running(self) -> tuple[Running, ...]:
        """Where the functions of the project's own files run. To be asked once: it lets more flow."""
        by_path = self._sources.by_path
        own = {module for module in self._sources.modules.all if by_path[module.path].file.own}
        return self._analysis.explanation(Reporter(by_path).step).running(own)


@without_collector()
def solve(sources: Sources, progress: Progress | None = None, watch: Stopwatch | None = None) -> Survey:
    """Work out what there is to say of a project as read.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    watch = watch or Stopwatch()
    analysis = analysed(sources, progress, watch)
    with watch.stage("rules"):
        found = found_by_rules(sources, analysis)
        # Of what was not looked at nobody knows what a comment silences there.
        everything = not sources.problems and not analysis.is_partial
        unused = [] if sources.lone else _unused(sources, found, everything)
        findings = tuple(reported(sources, [*found, *unused]))
    leave(sources, analysis)
    muted = _muted(findings, sources)
    beside = tuple(r.file.path for r in sources.by_path.values() if r.file.shown in sources.installed)
    warnings, beside = _warnings(sources, analysis), (*beside, *sources.searched)
    missing = sources.missing if analysis.has_operations else ()
    whole = Whole(findings, sources.problems, warnings, muted, beside, analysis.is_partial, missing)
    return Survey(whole, sources, analysis)


def analysed(
    sources: Sources,
    progress: Progress | None,
    watch: Stopwatch | None = None,
    annotations: tuple[tuple[str, str], ...] = (),
) -> Analysis:
    """Let contexts flow through what was read; `annotations` add to those that the configuration has."""
    watch = watch or Stopwatch()
    if progress:
        progress(FOLLOWING, 0, 0)
    with watch.stage("knowledge"):
        knowledge = Knowledge(applicable(packs_of(sources), sources.modules.imported))
    with watch.stage("link and solve"):
        program = Program(sources.modules, knowledge)
        if progress:
            program.solver.beat = lambda done: progress(FOLLOWING, done, 0)
        return Analysis(program, (*sources.config.annotations, *annotations))


def _warnings(sources: Sources, analysis: Analysis) -> tuple[Problem, ...]:
    """What users said of their functions that cannot be used, and what is not read."""
    found = [
        Problem(file.shown, 0, 0, f"is not read: it is a link that leads out of the project, to {file.target}")
        for file in sources.barred
        if file.own
    ]
    for unclear in analysis.remarks.unclear:
        read = sources.by_path[unclear.module.path] if unclear.module else None
        if read is None:
            found.append(Problem(sources.config.place("annotations"), 0, 0, f"`annotations`: {unclear.message}"))
        elif read.file.own:
            found.append(read.problem(unclear.row, 1, unclear.message))
    return tuple(dict.fromkeys(found))


def found_by_rules(sources: Sources, analysis: Analysis) -> list[Finding]:
    """The findings of the rules that are selected."""
    config, report = sources.config, Reporter(sources.by_path)
    found: dict[tuple[Location, str], Finding] = {}
    for rule in ALL_RULES:
        if config.selects(rule.code):
            for finding in report.findings(rule, analysis):
                key = (finding.location, finding.code)
                found[key] = min(found.get(key, finding), finding, key=preference)
    return list(found.values())


def _unused(sources: Sources, found: Iterable[Finding], everything: bool) -> list[Finding]:
    """The `# noqa` comments in files of the project's own at which none of these findings is told of.

    Whether `everything` was analysed decides whether it is safe to take them away.
    """
    config, rule = sources.config, UnusedNoqa()
    if not config.selects(rule.code):
        return []
    own = (read for read in sources.by_path.values() if read.file.own and not read.file.foreign)
    commented = [r for r in own if r.file.shown not in sources.installed and rule.may_be_in(r.text)]
    told: dict[str, dict[int, set[str]]] = {}
    for finding in found if commented else ():
        for path in finding.paths:
            told.setdefault(path, {}).setdefault(finding.place_in(path).span.row, set()).add(finding.code)
    ignored, findings = config.file_ignores(), dict[Location, Finding]()
    for read in commented:
        path = read.file.target or read.file.path
        judged = {r.code: config.selects(r.code) and not ignored.ignores(path, r.code) for r in ALL_RULES}
        rows = told.get(read.file.shown, {})
        comments = sources.noqa[read.file.shown].comments()
        for finding in rule.findings(read.file.shown, comments, rows, judged, everything):
            findings[finding.location] = _in_cells(finding, read)
    return list(findings.values())


def _in_cells(finding: Finding, read: Read) -> Finding:
    """A finding of one place with the cell that it is in, if its file is a notebook."""
    if not read.cells:
        return finding
    (step,), place = finding.witness, read.place(finding.location.span)
    return replace(finding, location=place, witness=(replace(step, location=place),), fix=NOT_REWRITTEN)


def reported(sources: Sources, found: Sequence[Finding]) -> list[Finding]:
    """Those that are sure enough, not ignored, and have a file of the project's own on their path, in order."""
    config = sources.config
    sure = [f for f in found if config.min_confidence == "likely" or f.confidence == "certain"]
    ignored = config.file_ignores()
    paths = {r.file.shown: r.file.target or r.file.path for r in sources.by_path.values()}
    sure = [f for f in sure if not ignored.ignores(paths[f.location.path], f.code)]
    own = {r.file.shown for r in sources.by_path.values() if r.file.own}
    # Nobody mends what is installed.
    return sorted(f for f in sure if not own.isdisjoint(f.paths) and f.location.path not in sources.installed)


def _muted(findings: Iterable[Finding], sources: Sources) -> tuple[tuple[str, int, str], ...]:
    """The places at which files are told of findings, and silence them."""
    comments = sources.noqa
    told = {(path, f.place_in(path).span.row, f.code) for f in findings for path in f.paths}
    return tuple(sorted(place for place in told if comments[place[0]].silences(*place[1:])))
