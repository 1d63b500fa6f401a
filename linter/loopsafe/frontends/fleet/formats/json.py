"""For scripts: the projects, and the findings of all. The JSON schema is made of the types here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from loopsafe.findings import Level
from loopsafe.frontends.fleet.formats import Fleet
from loopsafe.frontends.fleet.outcomes import Outcome, Status
from loopsafe.render.as_json import written
from loopsafe.render.formats import json as findings

VERSION = 1
"""Of the schema. Keys may come without a new one; none goes or changes what it means."""

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Name = Annotated[str, msgspec.Meta(description="As it was named: a folder, `name==version` or an address.")]


class Trouble(msgspec.Struct, frozen=True):
    """What could not be analysed or used. Row and column are 0 where no place is known."""

    filename: str
    row: _Count
    column: _Count
    message: str
    level: Level


class Project(msgspec.Struct, frozen=True):
    """What came of one project. Where it is not `ok`, `reason` says why, and findings may be missing."""

    project: _Name
    status: Status
    reason: str
    revision: Annotated[str, msgspec.Meta(description="What was fetched: a version or a commit; empty for a folder.")]
    files: _Count
    lines: _Count
    certain: Annotated[_Count, msgspec.Meta(description="How many findings are certain.")]
    likely: Annotated[_Count, msgspec.Meta(description="How many are likely.")]
    seconds: Annotated[float, msgspec.Meta(ge=0, description="From the start of its process to the end.")]
    megabytes: Annotated[float, msgspec.Meta(ge=0, description="The most memory it had; 0 where that is not known.")]
    problems: list[Trouble]


class Found(findings.Finding, frozen=True, kw_only=True):
    """A finding, as `loopsafe check --output-format json` has it, and the project it is of."""

    project: _Name


class Whole(msgspec.Struct, frozen=True):
    """The report on all projects, in the order in which they were named."""

    version: Annotated[str, msgspec.Meta(description="Of loopsafe.")]
    projects: list[Project]
    findings: list[Found]


def render(fleet: Fleet) -> Iterator[str]:
    """One JSON object."""
    found = [
        {"project": outcome.project, **findings.told(finding, edits)}
        for outcome in fleet.outcomes
        for finding, edits in zip(outcome.findings, outcome.edits, strict=True)
    ]
    projects = [msgspec.to_builtins(_project(outcome)) for outcome in fleet.outcomes]
    yield written({"version": fleet.version, "projects": projects, "findings": found})


def _project(outcome: Outcome) -> Project:
    return Project(
        outcome.project,
        outcome.status,
        outcome.reason,
        outcome.revision,
        outcome.files,
        outcome.lines,
        outcome.count("certain"),
        outcome.count("likely"),
        outcome.seconds,
        outcome.megabytes,
        [Trouble(one.path, one.row, one.column, one.message, one.level) for one in outcome.problems],
    )


def schema() -> dict[str, Any]:
    """The JSON schema of the report."""
    (found,), named = msgspec.json.schema_components([Whole], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"loopsafe fleet, version {VERSION}",
        "description": "What `loopsafe fleet --output-format json` prints.",
        **found,
        "$defs": dict(sorted(named.items())),
    }
