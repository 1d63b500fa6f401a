"""What is left of a report without what is known, and what to say of a baseline that is no longer true.

What reads baselines and asks git is loaded where one of them is wanted: few runs need it, and all would wait.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe.findings import Finding, Problem, Report
from loopsafe.project.choice import merged
from loopsafe.project.config import Config
from loopsafe.project.files import shown
from loopsafe.project.roots import Project

if TYPE_CHECKING:
    from loopsafe.project import baseline


def narrowed_each(
    projects: Sequence[Project],
    report: Callable[[Sequence[Project]], Report],
    texts: Mapping[Path, str] | None = None,
) -> Report:
    """What `report` says of several projects, each narrowed by its own configuration.

    Raises:
        ConfigError: see `narrowed`.
    """
    return merged([narrowed(report([one]), one.config, texts, one.paths) for one in projects])


def narrowed(
    report: Report, config: Config, texts: Mapping[Path, str] | None = None, paths: Sequence[str] = ()
) -> Report:
    """The report on `paths` without what the baseline knows, and of what is new if `since` is set.

    Entries of the baseline that know nothing any more become warnings.

    Raises:
        ConfigError: the baseline cannot be used, or git does not know the revision.
    """
    if config.baseline:
        report = _unknown(report, config, texts or {}, paths)
    if config.since:
        from loopsafe.frontends.since import changed_since

        changes = changed_since(config.since, config.root)
        report = replace(report, findings=tuple(filter(changes.touch, report.findings)))
    return report


def _unknown(report: Report, config: Config, texts: Mapping[Path, str], paths: Sequence[str]) -> Report:
    from loopsafe.project import baseline

    file, here = config.root / config.baseline, os.getcwd()
    name = shown(os.path.abspath(file), here)
    rows = baseline.read(file, name)
    sight = baseline.Sight(file, config.root, texts)
    findings, stale = baseline.compare(report.findings, [entry for _, entry in rows], sight)
    places: dict[baseline.Entry, list[int]] = {}
    for row, entry in rows:
        places.setdefault(entry, []).append(row)
    warnings = [
        Problem(name, places[entry].pop(), 1, f"no longer found in {path}: {entry.code} `{entry.line}`")
        for entry, path in ((entry, shown(sight.real(entry), here)) for entry in stale)
        if _asked_for(entry, sight, config, paths)
    ]
    return replace(report, findings=tuple(findings), warnings=(*report.warnings, *sorted(warnings)))


def renewed(findings: Iterable[Finding], file: Path, config: Config, paths: Sequence[str]) -> list[str]:
    """The lines of a baseline of these findings, which are all in `paths`; what it says of other files stays.

    Raises:
        ConfigError: there is a file that is no baseline.
    """
    from loopsafe.project import baseline

    sight = baseline.Sight(file, config.root, {})
    old = [entry for _, entry in baseline.read(file, str(file))] if os.path.exists(file) else []
    kept = [entry for entry in old if os.path.exists(sight.real(entry)) and not _asked_for(entry, sight, config, paths)]
    return list(baseline.written([*kept, *sight.entries(findings)]))


def _asked_for(entry: baseline.Entry, sight: baseline.Sight, config: Config, paths: Sequence[str]) -> bool:
    """Whether a finding like this would have been reported, if there were one."""
    if not config.selects(entry.code):
        return False
    path = sight.real(entry)
    roots = [os.path.realpath(one) for one in paths]
    return not os.path.exists(path) or any(path == root or path.startswith(os.path.join(root, "")) for root in roots)
