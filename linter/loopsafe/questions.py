"""What may be asked of a project beside what is wrong in it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from loopsafe.collector import without_collector
from loopsafe.contexts.analysis import Analysis
from loopsafe.contexts.contracts import OfCode, broken
from loopsafe.contexts.picture import Picture
from loopsafe.facts.asides import asides
from loopsafe.knowledge.load import Knowledge, applicable, built_in_packs
from loopsafe.pipeline import analysed, found_by_rules, reported
from loopsafe.program.claims import Claim, claims
from loopsafe.program.lookup import Lookup
from loopsafe.program.modules import Module, Modules
from loopsafe.program.program import Program
from loopsafe.progress import Progress
from loopsafe.project.config import Config
from loopsafe.project.environment import environment_of
from loopsafe.project.files import SourceFile, is_of_tests, shown
from loopsafe.project.installed import installed_files
from loopsafe.project.roots import Project
from loopsafe.reading.reader import Reader
from loopsafe.reporting import Reporter
from loopsafe.rules import ALL_RULES
from loopsafe.rules.off_loop import OffLoopRule
from loopsafe.sources import (
    Sources,
    dependencies_of,
    linked,
    module_path,
    modules_by_shown_path,
    packs_of,
    read_project,
)
from loopsafe.suggestions import Suggestion
from loopsafe.traces import ContextGraph, NoSuchFunction, Place, Trace


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
    found = Lookup(modules_by_shown_path(sources), sources.modules).find(place)
    explanation = analysed(sources, progress).explanation(Reporter(sources.by_path).step)
    return tuple(explanation.trace(module, scope) for module, scope in found)


@without_collector()
def graph(project: Project, *, progress: Progress | None = None) -> ContextGraph:
    """The thread-context graph of what was named of a project.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    sources = read_project(project, {}, progress)
    analysis = analysed(sources, progress)
    by_shown = modules_by_shown_path(sources)
    wanted = {read.file.shown for read in sources.by_path.values() if read.file.wanted}
    found = [f for f in reported(sources, found_by_rules(sources, analysis)) if not wanted.isdisjoint(f.paths)]
    picture = Picture(analysis.explanation(Reporter(sources.by_path).step), by_shown)
    return picture.graph({by_shown[path] for path in wanted}, found)


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
    trial = list(_off_loop(analysed(sources, progress, annotations=as_if)))
    found = list(broken(claimed.values(), trial, ()))
    usual = _off_loop(analysed(sources, progress)) if found else ()
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
    dependencies = dependencies_of(linked(found, project.config), project.config, environment)
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
    read = linked(found, config)
    trial = os.path.join(folder, "loopsafe_trial.py")
    text = {trial: write(read.all)}
    found += reader.read_all([SourceFile(trial, shown(trial, here), True)], text)[0]
    by_path = {module_path(r.file, config): r for r in found}
    modules = Modules((path, r.facts) for path, r in by_path.items())
    packs = applicable(built_in_packs(modules.imported), modules.imported)
    others = (pack for pack in packs if all(name.partition(".")[0] != library for name in pack.imports))
    explanation = Analysis(Program(modules, Knowledge(others))).explanation(Reporter(by_path).step)
    program = next(module for module in modules.all if module.path == "loopsafe_trial.py")
    scopes = (scope for scope in program.facts.scopes if scope.kind == "function")
    return tuple(explanation.trace(program, scope) for scope in scopes)


def _claims(sources: Sources) -> dict[str, Claim]:
    """The methods that say any thread may call them, by dotted name; not those that the configuration speaks of."""
    knowledge = Knowledge(applicable(packs_of(sources), sources.modules.imported))
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
