"""Which findings belong to what was named, and to which project each path belongs."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

import loopsafe
from loopsafe import cached, pipeline
from loopsafe.project.config import load_config
from loopsafe.project.roots import find_projects
from tests.support.command_line import Cli, loopsafe_in
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
    one, two, both = (cli("graph", "--all", *paths).stdout for paths in (["one"], ["two"], ["two", "one"]))
    name = "Sensor.publish"
    assert both.count(name) == one.count(name) + two.count(name) > two.count(name) > 0
    assert both == cli("graph", "--all", "one", "two").stdout


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


def test_trace_has_the_root_of_check_where_a_package_has_a_module_named_setup(here: Path, cli: Cli) -> None:
    write_bug(here)
    (here / "app").mkdir()
    for name in ("__init__.py", "setup.py"):
        (here / "app" / name).touch()
    (here / "app" / "more.py").write_text(
        "import threading\n\nfrom sensor import Sensor\n\n\n"
        "async def main():\n    threading.Thread(target=work, args=(Sensor(),)).start()\n\n\n"
        "def work(sensor):\n    sensor.publish(2)\n"
    )
    root = f"project: {here}\n"
    assert root in cli("check", "-v", "app/more.py").stderr
    done = cli("trace", "app/more.py:11")
    # Taken for a project of its own, the package would not know its own name.
    assert done.stdout.splitlines()[0] == "app/more.py:10:1  app.more.work"
    assert loopsafe_in(here / "app")("trace", "more.py:11").stdout.splitlines()[0] == "more.py:10:1  app.more.work"
    assert 'label="app.more"' in cli("graph", "--all", "app/more.py").stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("loopsafe.toml", 'ignore = ["LSF102"]\n'),
        (".loopsafe.toml", 'ignore = ["LSF102"]\n'),
        (".flake8", "[loopsafe]\nignore = LSF102\n"),
        ("tox.ini", "[loopsafe]\nignore = LSF102\n"),
        ("setup.cfg", "[loopsafe]\nignore = LSF102\n"),
        ("pyproject.toml", f'{TABLE}ignore = ["LSF102"]\n'),
    ],
)
def test_every_file_of_a_configuration_makes_a_project(here: Path, cli: Cli, name: str, text: str) -> None:
    (here / ".git").mkdir()
    write_bug(here, None)
    write_bug(here / "part" / "deep", None)
    (here / "part" / name).write_text(text)
    assert f'root = "{here / "part"}"\n' in cli("config", "part/deep/start.py").stdout
    assert places("part") == places("part/deep/start.py") == []
    assert places(".") == places("start.py") == [OFFENDING]
    assert [str(p.config.root) for p in find_projects(["."], load_config)] == [str(here), str(here / "part")]
    # The files of others' settings are no configuration of ours.
    (here / "part" / name).unlink()
    (here / "part" / ("tox.ini" if name != "tox.ini" else ".flake8")).write_text("[flake8]\nmax-line-length = 100\n")
    assert places("part") == ["part/deep/sensor.py:10:9"]
    assert [str(project.config.root) for project in find_projects(["."], load_config)] == [str(here)]


def test_without_a_mark_others_settings_make_no_project(here: Path) -> None:
    write_bug(here / "scripts", None)
    (here / "scripts" / "tox.ini").write_text("[tox]\n")
    (here / "scripts" / "beside.py").write_text("import start\n")
    assert read_in("scripts/start.py") == [{"scripts/start.py"}]


def test_no_file_that_is_found_says_where_an_isolated_project_begins(here: Path, cli: Cli) -> None:
    (here / ".git").mkdir()
    write_bug(here, TABLE)
    write_bug(here / "part", "[project]\n")
    write_bug(here / "part" / "deep", None)
    (here / "part" / "deep" / "loopsafe.toml").write_text("select = [\n")
    (here / "none.toml").write_text("")
    assert cli("check", "part").returncode == 1
    assert cli("check", "part/deep").returncode == cli("config", "part/deep").returncode == 2
    for options in (["--isolated"], ["--config", "none.toml"]):
        root = str(here / "part")
        assert cli("config", *options, "part/deep").stdout.splitlines()[0] == f'root = "{root}"'
        done = cli("check", "-v", *options, "part/deep/start.py")
        assert (done.returncode, f"project: {root}\n" in done.stderr) == (1, True)
        assert "part/deep/sensor.py:10:9" in done.stdout
        assert "starts   part/deep/start.py:8:5" in cli("trace", *options, "part/deep/sensor.py:10").stdout
        assert "Sensor.publish" in cli("graph", "--all", *options, "part/deep").stdout
        assert cli("check", "-q", *options, "part/deep/start.py").returncode == 1
        assert cli("clean", *options, "part/deep").stdout.count("Removed") == 1
        assert cli("clean", *options, "part").stdout == ""
    assert "part/deep" in cli("clean", "part/deep").stderr


@pytest.mark.parametrize("command", [["trace", "sensor.py:10"], ["graph"], ["clean"]], ids=lambda words: words[0])
def test_a_configuration_is_named_or_left_out_for_other_commands_too(here: Path, cli: Cli, command: list[str]) -> None:
    write_bug(here, f'{TABLE}unreadable = "sometimes"\n')
    (here / "other.toml").write_text("[annotations]\n\"sensor.Sensor.publish\" = \"runs-on=loop\"\n")
    wrong = cli(*command)
    assert wrong.returncode == (2 if command != ["clean"] else 0)
    assert cli(*command, "--isolated").returncode == cli(*command, "--config", "other.toml").returncode == 0
    gone = cli(*command, "--config", "gone.toml")
    assert (gone.returncode, gone.stderr) == (2, "Error: gone.toml: no such file\n")
    both = cli(*command, "--isolated", "--config", "other.toml")
    assert (both.returncode, "--config names one" in both.stderr) == (2, True)


def test_trace_and_graph_take_what_a_named_configuration_says(here: Path, cli: Cli) -> None:
    write_bug(here)
    (here / "sensor.py").write_text(SENSOR + "\n    def helper(self): ...\n")
    (here / "other.toml").write_text('[annotations]\n"sensor.Sensor.helper" = "runs-on=thread"\n')
    assert "runs on" not in cli("trace", "helper").stdout
    assert "runs on a worker thread" in cli("trace", "helper", "--config", "other.toml").stdout
    assert "helper" not in cli("graph", "--all").stdout
    assert "helper" in cli("graph", "--all", "--config", "other.toml").stdout


def test_paths_are_told_from_the_working_directory_and_can_be_given_again(here: Path, cli: Cli) -> None:
    (here / ".git").mkdir()
    for name in ("app/one", "app/two", "other"):
        write_bug(here / name, TABLE)
    inside = loopsafe_in(here / "app")
    other = f"{here}/other/sensor.py"
    wanted = ["one/sensor.py", "two/sensor.py", other]
    lines = inside("check", "-q", "--output-format", "concise", ".", "../other").stdout.splitlines()
    places = sorted(line.split(" ")[0].removesuffix(":") for line in lines)
    assert places == sorted(f"{path}:10:9" for path in wanted)
    for place in places:
        assert inside("trace", place).stdout.splitlines()[2].startswith("    starts ")
    files = inside("check", "--show-files", ".", "../other").stdout.split()
    assert sorted(file for file in files if "sensor" in file) == sorted(wanted)
    assert inside("check", "--show-files", *files).stdout.split() == files
    drawn = inside("graph", "--all", *wanted)
    above = cli("graph", "--all", *(f"app/{w}" for w in wanted[:2]), other)
    assert (drawn.returncode, drawn.stdout) == (0, above.stdout)
    diff = inside("fix", "--diff", ".").stdout
    # Diffs are for git: they are told from the root of the repository.
    named = [line.removeprefix("+++ ") for line in diff.splitlines() if line.startswith("+++")]
    assert named == ["b/app/one/sensor.py", "b/app/two/sensor.py"]
    subprocess.run(["patch", "-p1", "--quiet"], cwd=here, input=diff.encode(), check=True)
    assert (here / "app" / "two" / "sensor.py").read_text() == FIXED_SENSOR


def test_a_baseline_names_files_from_the_working_directory(here: Path, cli: Cli) -> None:
    write_bug(here / "app", None)
    (here / "pyproject.toml").write_text(f'{TABLE}baseline = "known"\n')
    cli("check", "--write-baseline", "known")
    (here / "app" / "sensor.py").write_text(FIXED_SENSOR)
    told = "warning: no longer found in {}: LSF102 `self.queue.put_nowait(reading)`\n"
    assert cli("check").stderr == "known:2:1: " + told.format("app/sensor.py")
    assert loopsafe_in(here / "app")("check").stderr == f"{here}/known:2:1: " + told.format("sensor.py")


def test_a_comment_in_a_project_inside_is_judged_by_what_is_found_there(here: Path) -> None:
    write_bug(here / "library", TABLE)
    (here / "library" / "__init__.py").touch()
    (here / "library" / "start.py").unlink()
    sensor = here / "library" / "sensor.py"
    sensor.write_text(SENSOR.replace("nowait(reading)", "nowait(reading)  # noqa: LSF102"))
    (here / "start.py").write_text(START.replace("from sensor", "from library.sensor"))
    (here / "pyproject.toml").write_text(TABLE)
    assert places(".") == ["library/sensor.py:10:41"]
    # What its rule's page says to do instead.
    sensor.write_text(SENSOR)
    assert places(".") == ["library/sensor.py:10:9"]
    (here / "pyproject.toml").write_text(f'{TABLE}per-file-ignores = {{"library/*" = ["LSF102"]}}\n')
    assert places(".") == []
