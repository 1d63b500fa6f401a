"""The files in requirements/ pin what pyproject.toml asks for, on every Python and system. No package index is asked.

Where one of these fails, `scripts/lock.sh` has not been run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.scripts import ROOT

ENVIRONMENTS = [
    {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.5", "sys_platform": system, "os_name": name}
    for minor in range(10, 15)
    for system, name in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
]


@dataclass
class Pin:
    """An entry of the lock: the one version it allows and where, its hashes, and whether pyproject.toml asks for it."""

    requirement: Requirement
    hashes: list[str] = field(default_factory=list)
    direct: bool = False


def asked_for(file: str) -> list[Requirement]:
    project = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    runtime, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    texts = {"dev.txt": [*runtime, *extras["decoder"], *groups["dev"]], "site.txt": groups["site"]}
    return [Requirement(text) for text in texts[file]]


def locked(file: str) -> list[Pin]:
    pins: list[Pin] = []
    for line in (ROOT / "requirements" / file).read_text("utf-8").splitlines():
        if line and not line.startswith(("#", " ")):
            pins.append(Pin(Requirement(line.rstrip(" \\"))))
        elif found := re.fullmatch(r"    --hash=sha256:([0-9a-f]{64})(?: \\)?", line):
            pins[-1].hashes.append(found[1])
        elif "loopsafe (pyproject.toml" in line:
            pins[-1].direct = True
        else:
            assert line.lstrip().startswith("#"), line
    return pins


def holds(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


FILES = ("dev.txt", "site.txt")
PINS = {file: locked(file) for file in FILES}
each_file = pytest.mark.parametrize("file", FILES)


def test_every_file_is_looked_at() -> None:
    assert sorted(file.name for file in (ROOT / "requirements").iterdir()) == sorted(FILES)


@each_file
def test_each_pin_is_one_version_with_its_hashes(file: str) -> None:
    for pin in PINS[file]:
        assert [clause.operator for clause in pin.requirement.specifier] == ["=="]
        assert not pin.requirement.url
        assert pin.hashes, pin.requirement.name


@each_file
def test_what_is_pinned_for_itself_is_asked_for(file: str) -> None:
    direct = {canonicalize_name(pin.requirement.name) for pin in PINS[file] if pin.direct}
    assert direct == {canonicalize_name(requirement.name) for requirement in asked_for(file)}


@each_file
@pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda each: f"{each['python_version']}-{each['sys_platform']}"
)
def test_what_is_asked_for_is_pinned_within_its_bounds(environment: dict[str, str], file: str) -> None:
    for wanted in asked_for(file):
        if holds(wanted, environment):
            pins = [
                pin.requirement
                for pin in PINS[file]
                if canonicalize_name(pin.requirement.name) == canonicalize_name(wanted.name)
                and holds(pin.requirement, environment)
            ]
            assert len(pins) == 1, wanted
            [version] = [clause.version for clause in pins[0].specifier]
            assert wanted.specifier.contains(version), wanted
