"""The same findings in the same order on every run, for any hash seed, file order and working directory."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import loopsafe
from tests.support.cases import read_cases

CASES = Path(__file__).parents[1] / "cases"
SEEDS = ("0", "1", "4711")
PROGRAM = "import sys, loopsafe; print(*map(repr, loopsafe.analyze(sys.argv[1:]).findings), sep='\\n')"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One project that holds the files of every fourth case, each in a package of its own."""
    root = tmp_path_factory.mktemp("project")
    (root / "pyproject.toml").write_text("[tool.loopsafe]\n")
    for number, case in enumerate(read_cases(CASES)[::4]):
        for path, text in case.files:
            if path.endswith(".py"):
                file = root / f"case_{number}" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
    return root


def findings_with_seed(project: Path, seed: str) -> str:
    env = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", PROGRAM, str(project)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_hash_seeds_do_not_matter(project: Path) -> None:
    first, *others = [findings_with_seed(project, seed) for seed in SEEDS]
    assert first.count("\n") > 50
    assert all(other == first for other in others)


def test_the_order_of_paths_does_not_matter(project: Path) -> None:
    paths = [str(path) for path in sorted(project.rglob("*.py"))]
    expected = loopsafe.analyze(paths).findings
    for seed in range(2):
        random.Random(seed).shuffle(paths)
        assert loopsafe.analyze(paths).findings == expected


def test_a_part_is_what_the_whole_says_of_it(project: Path) -> None:
    whole = loopsafe.analyze([project]).findings
    # Each is an analysis of the whole.
    for file in sorted(project.rglob("*.py"))[::150]:
        mine = tuple(f for f in whole if Path(f.location.path).resolve() == file.resolve())
        assert loopsafe.analyze([file]).findings == mine
