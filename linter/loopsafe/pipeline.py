"""The only module that knows the order of the stages."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from loopsafe.collector import leave, without_collector
from loopsafe.contexts.analysis import Analysis
from loopsafe.contexts.contracts import OfCode, broken
from loopsafe.facts.asides import asides
from loopsafe.findings import Finding, Problem, Report, Whole
from loopsafe.knowledge.declared import declared_pack
from loopsafe.knowledge.load import (
    Knowledge,
    KnowledgeError,
    applicable,
    built_in_packs,
    calling_back,
    described,
    installed_packs,
    load_packs,
)
from loopsafe.knowledge.schema import Pack
from loopsafe.locations import Location, Span
from loopsafe.program.claims import Claim, claims
from loopsafe.program.index import last_name
from loopsafe.program.lookup import Lookup
from loopsafe.program.modules import Module, Modules
from loopsafe.program.program import Program
from loopsafe.progress import FOLLOWING, Progress
from loopsafe.project.choice import chosen, merged, preference
from loopsafe.project.config import Config, ConfigError, load_config
from loopsafe.project.environment import Environment, environment_of
from loopsafe.project.files import SourceFile, is_of_tests, shown
from loopsafe.project.installed import installed_files
from loopsafe.project.noqa import NoqaLines
from loopsafe.project.roots import Project, find_projects, one_project
from loopsafe.reading.dependencies import Dependencies
from loopsafe.reading.reader import Read, Reader
from loopsafe.reading.signatures import Signatures
from loopsafe.reporting import NOT_REWRITTEN, Reporter
from loopsafe.rules import ALL_RULES
from loopsafe.rules.off_loop import OffLoopRule
from loopsafe.rules.unused_noqa import UnusedNoqa
from loopsafe.stopwatch import Stopwatch
from loopsafe.suggestions import Suggestion
from loopsafe.traces import ContextGraph, NoSuchFunction, Place, Running, Trace


@dataclass(frozen=True)
class Sources:
    """A project as read. `by_path` has its files by path from the root.

    `barred` are those that are not read, `installed` the shown paths of those that were installed beside it, `searched`
    the paths of those installed that were looked into and not read, `missing` what is installed somewhere else,
    `declared` what the types of libraries say that packs describe. If `lone`, there are but scripts.
    """

    config: Config
    by_path: Mapping[str, Read]
    modules: Modules
    problems: tuple[Problem, ...]
    barred: tuple[SourceFile, ...]
    installed: frozenset[str]
    searched: tuple[str, ...] = ()
    lone: bool = False
    missing: tuple[str, ...] = ()
    declared: Pack | None = None

    def says_the_same(self, other: Sources) -> bool:
        """Whether nothing can be said of one that could not be said of the other: facts are those of the texts."""
        told = [
            (one.config, one.problems, one.barred, one.installed, one.lone, one.missing, one.declared)
            for one in (self, other)
        ]
        texts = [{path: (r.file, r.text, r.cells) for path, r in one.by_path.items()} for one in (self, other)]
        return told[0] == told[1] and texts[0] == texts[1]

    @cached_property
    def noqa(self) -> dict[str, NoqaLines]:
        """The `# noqa` comments of each file, by shown path."""
        return {read.file.shown: NoqaLines(read.text) for read in self.by_path.values()}


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
    analysis = _analyse(sources, progress, watch)
    with watch.stage("rules"):
        found = _find(sources, analysis)
        # Of what was not looked at nobody knows what a comment silences there.
        everything = not sources.problems and not analysis.is_partial
        unused = [] if sources.lone else _unused(sources, found, everything)
        findings = tuple(_wanted(sources, [*found, *unused]))
    leave(sources, analysis)
    muted = _muted(findings, sources)
    beside = tuple(r.file.path for r in sources.by_path.values() if r.file.shown in sources.installed)
    warnings, beside = _warnings(sources, analysis), (*beside, *sources.searched)
    missing = sources.missing if analysis.has_operations else ()
    whole = Whole(findings, sources.problems, warnings, muted, beside, analysis.is_partial, missing)
    return Survey(whole, sources, analysis)


@without_collector()
def trace(project: Project, place: Place, *, progress: Progress | None = None) -> tuple[Trace, ...]:
    """Where the functions of a place may run and why; several where one name means several.

    Raises:
        ConfigError: the configuration cannot be used.
        NoSuchFunction: there is no function at that place.
    """
    sources = read_project(project, {}, progress)
    for problem in sources.problems:
        if place.path and problem.path == shown(os.path.realpath(place.path), os.getcwd()):
            raise NoSuchFunction(str(replace(problem, level="error")))
    found = Lookup(_modules_by_shown_path(sources), sources.modules).find(place)
    explanation = _analyse(sources, progress).explanation(Reporter(sources.by_path).step)
    return tuple(explanation.trace(module, scope) for module, scope in found)


@without_collector()
def graph(project: Project, *, progress: Progress | None = None) -> ContextGraph:
    """The thread-context graph of what was named of a project.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    sources = read_project(project, {}, progress)
    analysis = _analyse(sources, progress)
    marks: dict[Module, list[tuple[Span, str]]] = {}
    by_shown = _modules_by_shown_path(sources)
    wanted = {read.file.shown for read in sources.by_path.values() if read.file.wanted}
    for finding in _wanted(sources, _find(sources, analysis)):
        if not wanted.isdisjoint(finding.paths):
            span, source = finding.location.span, finding.witness[-1].source
            marks.setdefault(by_shown[finding.location.path], []).append((span, f"{finding.code} {span.row}: {source}"))
    explanation = analysis.explanation(Reporter(sources.by_path).step)
    return explanation.graph({by_shown[path] for path in wanted}, marks)


@without_collector()
def suggest(project: Project, *, progress: Progress | None = None) -> tuple[Suggestion, ...]:
    """The methods of what was named of a project that any thread may call as it seems, and that do what breaks then.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    sources = read_project(project, {}, progress)
    claimed = _claims(sources)
    if not claimed:
        return ()
    as_if = tuple((name, "thread-entry") for name in claimed)
    trial = list(_off_loop(_analyse(sources, progress, annotations=as_if)))
    found = list(broken(claimed.values(), trial, ()))
    usual = _off_loop(_analyse(sources, progress)) if found else ()
    found, report = list(broken(claimed.values(), trial, usual)), Reporter(sources.by_path)
    return tuple(sorted(report.suggestion(one) for one in found))


def libraries(project: Project) -> dict[str, str]:
    """The libraries that a project imports, each with what is done about it.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    environment, reader = environment_of(project.config), Reader()
    if environment is None:
        return {}
    found, _ = reader.read_all([f for f in project.files if not f.barred], {}, None, project.config.max_file_size)
    dependencies = _dependencies(_linked(found, project.config), project.config, environment)
    read = dependencies.read(found, reader, project.config.max_file_size)
    modules = Counter(one.file.library for one in read)
    return {
        name: why or f"read: {modules[name]} of its modules are reached"
        for name, why in sorted(dependencies.told.items())
    }


def study(folder: str, library: str, write: Callable[[Sequence[Module]], str]) -> tuple[Trace, ...]:
    """Where the functions of a program may run that uses a library in a folder of packages, known by its source alone.

    `write` gives the program, for the library's modules. Neither is run.
    """
    config, reader, here = Config(Path(folder)), Reader(), os.getcwd()
    installed = installed_files([Path(folder)], [library])
    found, _ = reader.read_all([f for f in installed if not is_of_tests(os.path.relpath(f.path, folder))], {})
    read = _linked(found, config)
    trial = os.path.join(folder, "loopsafe_trial.py")
    text = {trial: write(read.all)}
    found += reader.read_all([SourceFile(trial, shown(trial, here), True)], text)[0]
    by_path = {_module_path(r.file, config): r for r in found}
    modules = Modules((path, r.facts) for path, r in by_path.items())
    packs = applicable(built_in_packs(modules.imported), modules.imported)
    others = (pack for pack in packs if all(name.partition(".")[0] != library for name in pack.imports))
    explanation = Analysis(Program(modules, Knowledge(others))).explanation(Reporter(by_path).step)
    program = next(module for module in modules.all if module.path == "loopsafe_trial.py")
    scopes = (scope for scope in program.facts.scopes if scope.kind == "function")
    return tuple(explanation.trace(program, scope) for scope in scopes)


def _claims(sources: Sources) -> dict[str, Claim]:
    """The methods that say any thread may call them, by dotted name; not those that the configuration speaks of."""
    knowledge = Knowledge(applicable(_packs(sources), sources.modules.imported))
    said = {name for name, _ in sources.config.annotations}
    wanted = ((m, sources.by_path[m.path]) for m in sources.modules.all)
    return {
        name: claim
        for module, read in wanted
        if read.file.wanted and not is_of_tests(module.path)
        for claim in claims(module, knowledge, partial(asides, read.text))
        if (name := f"{module.name}.{claim.scope.qualname}") not in said
    }


def _off_loop(analysis: Analysis) -> Iterator[OfCode]:
    """What is done off its loop to something that belongs to it; not where a loop is only looked for."""
    for rule in ALL_RULES:
        if isinstance(rule, OffLoopRule) and rule.category != "lookup":
            yield from ((rule.code, violation) for violation in rule.check(analysis))


def _modules_by_shown_path(sources: Sources) -> dict[str, Module]:
    # Where links share their target's path, it stands for them.
    read = sorted(sources.modules.all, key=lambda module: not sources.by_path[module.path].file.target)
    return {sources.by_path[module.path].file.shown: module for module in read}


def read_project(
    project: Project,
    texts: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    reader: Reader | None = None,
) -> Sources:
    """Read a project, and what is installed beside it. `texts` stand in for files, by real path.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    config, reader, texts = project.config, reader or Reader(), texts or {}
    barred, files = [f for f in project.files if f.barred], [f for f in project.files if not f.barred]
    texts = {**texts, **{file.path: texts[file.target] for file in files if file.target in texts}}
    found, problems = reader.read_all(files, texts, progress, config.max_file_size)
    if project.lone:
        found += _beside(found, config, texts, reader)
    installed: list[Read] = []
    searched: list[str] = []
    missing: tuple[str, ...] = ()
    declared: Pack | None = None
    environment, modules = environment_of(config), _linked(found, config)
    if environment is not None:
        own = {read.file.path for read in found}
        dependencies = _dependencies(modules, config, environment)
        installed = [r for r in dependencies.read(found, reader, config.max_file_size) if r.file.path not in own]
        signatures = Signatures(environment.folders, reader, config.max_file_size)
        packs = (*built_in_packs(modules.imported), *_own_packs(config))
        declared = declared_pack(packs, modules.imported, _called(modules), signatures)
        searched, missing = [*dependencies.searched, *signatures.read], dependencies.missing if environment.own else ()
    reader.known.save()
    by_path = {_module_path(r.file, config): r for r in (*found, *installed)}
    if installed:
        libraries = {path: r.file.library for path, r in by_path.items() if r.file.library}
        modules = Modules(((path, r.facts) for path, r in by_path.items()), libraries)
    graded = tuple(replace(problem, level=config.unreadable) for problem in problems)
    shown_paths = frozenset(r.file.shown for r in installed)
    asked = (tuple(searched), project.lone, missing, declared)
    return Sources(config, by_path, modules, graded, tuple(barred), shown_paths, *asked)


def _beside(scripts: Sequence[Read], config: Config, texts: Mapping[str, str], reader: Reader) -> list[Read]:
    """What scripts outside of any project import from their folder, and what that imports; their own packages whole."""
    own = {_module_path(read.file, config).partition("/") for read in scripts}
    # A script that a link led to may lie elsewhere.
    names, found = {folder for folder, slash, _ in own if slash and folder != ".."}, [*scripts]
    while True:
        known = {read.file.path for read in found}
        modules = _linked(found, config)
        names |= {name.partition(".")[0] for name in modules.imported}
        more = [file for file in installed_files([config.root], names) if file.path not in known]
        read = reader.read_all(more, texts, largest=config.max_file_size)[0]
        if not read:
            return found[len(scripts) :]
        found += read


def _linked(read: Iterable[Read], config: Config) -> Modules:
    return Modules({_module_path(r.file, config): r.facts for r in read}.items())


def _dependencies(modules: Modules, config: Config, environment: Environment) -> Dependencies:
    """What the project is to read of installed packages that no pack describes."""
    own = {module.name.partition(".")[0] for module in modules.all}
    for folder in environment.folders:
        if not os.path.isdir(folder):
            place = config.place("site-packages")
            raise ConfigError(f"{place}: `site-packages`: no such folder: {folder}")
    packs = _own_packs(config)
    return Dependencies(environment.folders, described(packs), calling_back(packs), own)


def _analyse(
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
        knowledge = Knowledge(applicable(_packs(sources), sources.modules.imported))
    with watch.stage("link and solve"):
        program = Program(sources.modules, knowledge)
        if progress:
            program.solver.beat = lambda done: progress(FOLLOWING, done, 0)
        return Analysis(program, (*sources.config.annotations, *annotations))


def _packs(sources: Sources) -> tuple[Pack, ...]:
    """What declared types say, the packs that come with loopsafe and may apply, and those that do not come with it.

    Of two rows of one name the later counts.
    """
    declared = (sources.declared,) if sources.declared else ()
    return (*declared, *built_in_packs(sources.modules.imported), *_own_packs(sources.config))


def _called(modules: Modules) -> set[str]:
    """The names of what a project calls or imports."""
    calls = (call for module in modules.all for scope in module.facts.scopes for call in scope.calls)
    return {last_name(call.func) for call in calls} | {name.rpartition(".")[2] for name in modules.imported}


def _own_packs(config: Config) -> tuple[Pack, ...]:
    """The packs of installed distributions, and the user's own."""
    try:
        return (*installed_packs(), *load_packs(config.root / path for path in config.knowledge))
    except KnowledgeError as error:
        raise ConfigError(str(error)) from error


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


def _find(sources: Sources, analysis: Analysis) -> list[Finding]:
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


def _wanted(sources: Sources, found: Sequence[Finding]) -> list[Finding]:
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


def _module_path(file: SourceFile, config: Config) -> str:
    return Path(os.path.relpath(file.path, config.root)).as_posix()
