"""Which findings belong to what was named, and to which project each path belongs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

import loopsafe
from loopsafe import cached, pipeline
from loopsafe.project.config import load_config
from loopsafe.project.roots import find_projects
from tests.support.command_line import Cli
from tests.support.threads import FIXED_SENSOR, OFFENDING, SENSOR, START, write_bug

TABLE = "[tool.loopsafe]\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def places(*paths: str | Path, noqa: bool = True) -> list[str]:
    return [str(finding.location) for finding in loopsafe.analyze(paths, noqa=noqa).findings]


def read_in(path: str) -> list[set[str]]:
    return [{file.shown for file in project.files} for project in find_projects([path], load_config)]


@pytest.mark.parametrize("named", [["start.py"], ["sensor.py"], ["."], ["start.py", "sensor.py"]], ids=str)
def test_every_file_on_the_path_has_the_finding(here: Path, named: list[str]) -> None:
    write_bug(here)
    (here / "clean.py").write_text("import sensor\n")
    assert places(*named) == [OFFENDING]
    assert places("clean.py") == []


def test_a_part_of_the_project_has_what_passes_through_it(here: Path) -> None:
    write_bug(here)
    (here / "app").mkdir()
    (here / "start.py").rename(here / "app" / "start.py")
    assert places("app") == [OFFENDING]


def test_fix_rewrites_only_what_is_named(here: Path, cli: Cli) -> None:
    write_bug(here)
    told = f"Not fixed {OFFENDING}: LSF102: its file was not named; `loopsafe fix sensor.py` does it"
    done = cli("fix", "start.py")
    assert (done.returncode, told in done.stdout) == (1, True)
    done = cli("fix", "--diff", "start.py")
    assert (done.stdout, told in done.stderr) == ("", True)
    done = cli("check", "--fix", "start.py")
    assert (done.returncode, told in done.stderr) == (1, True)
    assert (here / "sensor.py").read_text() == SENSOR
    assert "none left" in cli("fix", "sensor.py").stdout
    assert ((here / "sensor.py").read_text(), (here / "start.py").read_text()) == (FIXED_SENSOR, START)


def test_noqa_at_the_offending_line_counts_for_every_file(here: Path) -> None:
    write_bug(here)
    (here / "sensor.py").write_text(SENSOR.replace("nowait(reading)", "nowait(reading)  # noqa: LSF102"))
    assert places("start.py") == places("sensor.py") == places(".") == []
    assert places("start.py", noqa=False) == [OFFENDING]


def test_noqa_at_another_place_counts_for_its_file(here: Path) -> None:
    write_bug(here)
    (here / "start.py").write_text(START.replace(".start()", ".start()  # noqa: LSF"))
    assert places("start.py") == []
    assert places("sensor.py") == places(".") == places("start.py", "sensor.py") == [OFFENDING]


@pytest.fixture
def monorepo(here: Path) -> Path:
    """Projects beside and inside each other, with different configurations."""
    (here / ".git").mkdir()
    write_bug(here / "one", TABLE)
    write_bug(here / "two", f'{TABLE}ignore = ["LSF102"]\n')
    write_bug(here / "one" / "inner", "[project]\n")
    write_bug(here / "one" / "nested", f'{TABLE}min-confidence = "certain"\n')
    write_bug(here, None)
    return here


ALL = [
    "one/inner/sensor.py:10:9",
    "one/nested/sensor.py:10:9",
    "one/sensor.py:10:9",
    "sensor.py:10:9",
]


def test_each_project_has_its_own_configuration_in_any_order(monorepo: Path) -> None:
    assert places(".") == ALL
    paths = [path.relative_to(monorepo).as_posix() for path in monorepo.rglob("*.py")]
    for seed in range(3):
        random.Random(seed).shuffle(paths)
        assert places(*paths) == ALL
    for order in itertools.permutations(["two", "one/start.py", "start.py"]):
        assert places(*order) == ["one/sensor.py:10:9", "sensor.py:10:9"]
        assert loopsafe.analyze(order) == loopsafe.analyze(sorted(order))


def test_the_roots_of_a_monorepo(monorepo: Path) -> None:
    found = find_projects(["."], load_config)
    roots = [project.config.root.relative_to(monorepo).as_posix() for project in found]
    # What has no table of its own belongs to the one above it that has.
    assert roots == [".", "one", "one/nested", "two"]
    assert [project.config.min_confidence for project in found] == ["likely", "likely", "certain", "likely"]
    assert [sum(file.wanted for file in project.files) for project in found] == [2, 4, 2, 2]


def test_a_path_may_lead_into_a_project_inside(here: Path) -> None:
    write_bug(here, TABLE)
    library = here / "library"
    library.mkdir()
    (here / "sensor.py").rename(library / "sensor.py")
    (library / "__init__.py").touch()
    (library / "pyproject.toml").write_text(TABLE)
    (here / "start.py").write_text(START.replace("from sensor", "from library.sensor"))
    assert places(".") == places("start.py") == ["library/sensor.py:10:9"]
    # By itself it does not know who uses it.
    assert places("library") == []
    (library / "pyproject.toml").write_text(f'{TABLE}ignore = ["LSF1"]\n')
    assert places(".") == places("start.py") == []


def test_a_configuration_inside_that_cannot_be_used_is_told_and_its_files_are_not_lost(here: Path, cli: Cli) -> None:
    write_bug(here, TABLE)
    write_bug(here / "broken", "nonsense")
    write_bug(here / "wrong", f"{TABLE}selekt = []\n")
    done = cli("check", "--output-format", "concise", ".")
    assert done.stdout.count("LSF102") == 3
    assert "broken: warning: is not a project of its own: broken/pyproject.toml: not TOML" in done.stderr
    assert "wrong: warning: is not a project of its own: wrong/pyproject.toml: unknown key `selekt`" in done.stderr
    assert cli("check", "wrong").returncode == 2


def test_a_script_reads_itself_and_what_it_imports(here: Path) -> None:
    write_bug(here, None)
    write_bug(here / "below", None)
    (here / "beside.py").write_text("import start\n")
    assert read_in("start.py") == [{"start.py"}]
    assert places("start.py") == [OFFENDING]
    # What is imported is known, who imports it is not.
    assert places("sensor.py") == []
    assert places("start.py", "sensor.py") == [OFFENDING]
    assert places(".") == ["below/sensor.py:10:9", OFFENDING]
    assert places(".", "below/start.py") == places("below/start.py", ".") == ["below/sensor.py:10:9", OFFENDING]


def test_a_script_in_a_package_has_its_package(here: Path) -> None:
    package = write_bug(here / "package", None)
    (package / "__init__.py").touch()
    (package / "start.py").write_text(START.replace("from sensor", "from .sensor"))
    (here / "other.py").write_text("1 +")
    assert places("package/start.py") == places("package/sensor.py") == ["package/sensor.py:10:9"]


def test_installed_packages_have_no_findings(here: Path) -> None:
    write_bug(here, f'{TABLE}site-packages = ["installed"]\nextend-exclude = ["installed"]\n')
    (here / "installed").mkdir()
    (here / "sensor.py").rename(here / "installed" / "sensor.py")
    assert places(".") == []


def test_one_entry_of_the_cache_serves_every_path(monorepo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Path] = []
    real = pipeline.analyze_whole

    def counted(project, *args, **kwargs):
        runs.append(project.config.root)
        return real(project, *args, **kwargs)

    monkeypatch.setattr(pipeline, "analyze_whole", counted)

    def kept(paths: Iterable[str], noqa: bool = True) -> list[str]:
        report = cached.report(find_projects(paths, load_config), noqa=noqa)
        return [str(finding.location) for finding in report.findings]

    assert kept(["."]) == ALL
    once = sorted(runs)
    assert len(once) == len(set(once)) == 4
    assert kept(["one/start.py"]) == kept(["one/sensor.py"], noqa=False) == ["one/sensor.py:10:9"]
    assert kept(["two/start.py"]) == []
    assert sorted(runs) == once


def test_the_graph_is_of_all_projects(monorepo: Path, cli: Cli) -> None:
    one, two, both = (cli("graph", *paths).stdout for paths in (["one"], ["two"], ["two", "one"]))
    name = "Sensor.publish"
    assert both.count(name) == one.count(name) + two.count(name) > two.count(name) > 0
    assert both == cli("graph", "one", "two").stdout


def test_trace_keeps_to_the_files_project(monorepo: Path, cli: Cli) -> None:
    done = cli("trace", "two/sensor.py:10")
    assert "starts   two/start.py:8:5" in done.stdout
    assert "one/" not in done.stdout


def test_fix_in_several_projects(monorepo: Path, cli: Cli) -> None:
    done = cli("fix", "two/sensor.py", "one/sensor.py")
    assert done.returncode == 0
    assert (monorepo / "one" / "sensor.py").read_text() == FIXED_SENSOR
    assert (monorepo / "two" / "sensor.py").read_text() == (monorepo / "sensor.py").read_text() == SENSOR


def test_a_module_named_setup_makes_no_project(here: Path) -> None:
    (here / "pyproject.toml").touch()
    (here / "app").mkdir()
    for name in ("__init__.py", "setup.py"):
        (here / "app" / name).touch()
    (here / "app" / "clean.py").touch()
    assert read_in(".") == read_in("app/clean.py") == [{"app/__init__.py", "app/setup.py", "app/clean.py"}]
    (here / "app" / "__init__.py").unlink()
    assert read_in("app/clean.py") == [{"app/setup.py", "app/clean.py"}]
