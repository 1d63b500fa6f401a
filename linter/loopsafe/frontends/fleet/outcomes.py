"""What is asked of a project and what comes of it: plain data that goes between processes and into files."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from loopsafe import __version__
from loopsafe.findings import Edit, Finding, Problem
from loopsafe.frontends.fleet.targets import Target
from loopsafe.frontends.options import Selection

Status = Literal["ok", "failed", "timed out"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True, slots=True)
class Settings:
    """How each project is checked: which rules, and what it may cost, in seconds and megabytes."""

    selection: Selection
    timeout: float
    memory: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one project. `reason` is empty where all went well.

    `edits` has for each of the findings what its fix would change. `revision` is what was fetched: a version or a
    commit. `seconds` is the time from the start of its process to the end, `megabytes` the most memory it had; 0 where
    nobody could say.
    """

    project: str
    status: Status
    reason: str = ""
    revision: str = ""
    files: int = 0
    lines: int = 0
    findings: tuple[Finding, ...] = ()
    edits: tuple[tuple[Edit, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    seconds: float = 0.0
    megabytes: float = 0.0

    def count(self, confidence: str) -> int:
        """How many of the findings are this sure."""
        return sum(finding.confidence == confidence for finding in self.findings)


class Request(msgspec.Struct, frozen=True):
    """What the process of a project is told. `scratch` is a folder for it alone."""

    target: Target
    settings: Settings
    scratch: str


def as_json(value: object) -> str:
    """Plain data on one line, in ASCII: names need not be text, and msgspec's own JSON would not have them then."""
    return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))


def read_outcome(value: object) -> Outcome:
    """The outcome that some plain data is.

    Raises:
        msgspec.ValidationError: it is none.
    """
    return msgspec.convert(value, Outcome)


def read_request(text: bytes) -> Request:
    """The request that was written `as_json`."""
    return msgspec.convert(json.loads(text), Request)


def identity() -> dict[str, Any]:
    """What checks: of two that are equal, the same project has the same findings."""
    digest = hashlib.blake2b(digest_size=16)
    for path in (*sorted(_files(_PACKAGE)), *sorted(_packs())):
        with open(path, "rb") as file:
            digest.update(hashlib.blake2b(file.read()).digest())
    return {"loopsafe": __version__, "python": ".".join(map(str, sys.version_info[:2])), "state": digest.hexdigest()}


def _files(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith((".py", ".toml")):
                yield entry.path


def _packs() -> list[str]:
    # It looks through all that is installed, for the packs that others bring.
    from loopsafe.knowledge.load import KnowledgeError, installed_pack_paths

    try:
        return [str(path) for path in installed_pack_paths()]
    except KnowledgeError:
        return []  # each project will say what is wrong with them
