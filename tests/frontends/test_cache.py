"""A run with a cache says what a run without says, whatever has happened to the files, the cache or the processes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import loopsafe
from loopsafe import cached, pipeline
from loopsafe.cache import place
from loopsafe.cache.place import clean, open_store, tidy
from loopsafe.findings import Report
from loopsafe.project.choice import chosen
from loopsafe.project.config import Config, load_config
from loopsafe.project.roots import one_project
from tests.support.command_line import environment

BAD = """\
import asyncio
import threading

queue = asyncio.Queue()

def work():
    queue.put_nowait(1)

threading.Thread(target=work).start()
"""
GOOD = BAD.replace("queue.put_nowait(1)", "print(1111111111111)")
PACK = """\
library = "mine"
version = "1"
imports = ["mine"]

[[classes]]
names = ["mine.Channel"]
loop_bound = true
source = "-"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
    (tmp_path / "a.py").write_text(BAD, "utf-8")
    (tmp_path / "b.py").write_text(f"{BAD}{BAD}", "utf-8")
    for file in tmp_path.glob("*.py"):
        long_ago(file)
    return tmp_path


@pytest.fixture
def analyses(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Grows by one with each real analysis."""
    done: list[int] = []

    def counted(*args, **kwargs):
        done.append(1)
        return REAL(*args, **kwargs)

    monkeypatch.setattr(pipeline, "analyze_whole", counted)
    return done


def kept(project: Path) -> Path:
    """The folder that the project has in the user's cache."""
    return Path(os.environ["XDG_CACHE_HOME"], "loopsafe", place._name(str(project)))


def entries(project: Path) -> list[Path]:
    return [path for path in kept(project).iterdir() if path.suffix != ".lock" and path.name != "CACHEDIR.TAG"]


def long_ago(file: Path) -> None:
    os.utime(file, (1_700_000_000, 1_700_000_000))


def run(project: Path) -> loopsafe.findings.Report:
    """A run with the cache; it must say what one without says."""
    config = load_config(project)
    report = cached.analyze([project], config)
    assert report == anew([project], config)
    return report


REAL = pipeline.analyze_whole


def anew(paths: list[Path], config: Config, noqa: bool = True) -> Report:
    """What an analysis without a cache says, which is not counted."""
    project = one_project(paths, config)
    return chosen(project, REAL(project), noqa)


def test_the_second_run_analyses_nothing(project: Path, analyses: list[int]) -> None:
    assert run(project) == run(project)
    assert len(analyses) == 1


def test_an_edit_is_seen(project: Path, analyses: list[int]) -> None:
    before = run(project)
    (project / "a.py").write_text(GOOD, "utf-8")
    assert len(run(project).findings) == len(before.findings) - 1
    (project / "c.py").write_text(BAD, "utf-8")
    assert len(run(project).findings) == len(before.findings)
    (project / "c.py").unlink()
    run(project)
    assert len(analyses) == 3  # the state before `c.py` is still known


def test_an_edit_that_leaves_size_and_time_is_seen(project: Path) -> None:
    (project / "a.py").write_text(GOOD.ljust(len(BAD)), "utf-8")
    long_ago(project / "a.py")
    before = run(project)
    (project / "a.py").write_text(BAD, "utf-8")
    long_ago(project / "a.py")
    assert len(run(project).findings) == len(before.findings) + 1


@pytest.mark.parametrize(
    "table", ['ignore = ["LSF1"]', 'min-confidence = "certain"', 'exclude = ["b.py"]', 'knowledge = ["mine.toml"]']
)
def test_another_configuration_is_another_result(project: Path, analyses: list[int], table: str) -> None:
    (project / "mine.toml").write_text(PACK, "utf-8")
    run(project)
    (project / "pyproject.toml").write_text(f"[tool.loopsafe]\n{table}\n", "utf-8")
    run(project)
    assert len(analyses) == 2


def test_changed_knowledge_is_another_result(project: Path, analyses: list[int]) -> None:
    (project / "pyproject.toml").write_text('[tool.loopsafe]\nknowledge = ["mine.toml"]\n', "utf-8")
    (project / "mine.toml").write_text(PACK, "utf-8")
    run(project)
    (project / "mine.toml").write_text(PACK.replace("mine.Channel", "mine.Other"), "utf-8")
    run(project)
    assert len(analyses) == 2


@pytest.mark.parametrize("what", ["__version__", "_PACKAGE"])
def test_another_loopsafe_is_another_result(
    project: Path, analyses: list[int], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run(project)
    monkeypatch.setattr(f"loopsafe.cache.results.{what}", str(project))
    run(project)
    assert len(analyses) == 2


def test_one_whole_serves_whatever_is_wanted_and_silenced(project: Path, analyses: list[int]) -> None:
    (project / "a.py").write_text(BAD.replace("put_nowait(1)", "put_nowait(1)  # noqa"), "utf-8")
    config = load_config(project)
    for paths in ([project], [project / "b.py"], [project / "a.py"]):
        for noqa in (True, False, True):
            assert cached.analyze(paths, config, noqa=noqa) == anew(paths, config, noqa)
    assert len(analyses) == 1


@pytest.mark.parametrize("spoil", [lambda old: b"", lambda old: old[:-7], lambda old: b"nonsense" * 9])
def test_spoiled_entries_are_as_none(project: Path, spoil, analyses: list[int]) -> None:
    before = run(project)
    for entry in entries(project):
        entry.write_bytes(spoil(entry.read_bytes()))
    assert run(project) == before
    assert run(project) == before
    assert len(analyses) == 2


def test_whole_entries_of_another_kind_are_as_none(project: Path) -> None:
    before = run(project)
    with open_store(str(project)) as store:
        assert store
        for entry in entries(project):
            store.write(entry.name, b"\x93\x01\x02\x03")
    assert run(project) == before


def test_unreadable_files_are_problems_each_time(project: Path) -> None:
    (project / "gone.py").symlink_to("nowhere")
    assert run(project).problems == run(project).problems != ()


def test_names_that_are_not_text(project: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(project) + b"/\xff.py")).write_text(BAD, "utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    assert run(project) == run(project)


def test_a_folder_that_cannot_be_written(project: Path, analyses: list[int]) -> None:
    # Not by permissions, which do not hold for root.
    kept(project).parent.mkdir(parents=True, exist_ok=True)
    kept(project).write_text("in the way", "utf-8")
    assert run(project) == run(project)
    assert len(analyses) == 2


def test_nothing_is_written_into_the_project(project: Path) -> None:
    before = sorted(project.rglob("*"))
    run(project)
    assert sorted(project.rglob("*")) == before


def test_the_folder_is_nobody_elses_business(project: Path) -> None:
    run(project)
    assert (kept(project) / "CACHEDIR.TAG").read_text("utf-8").startswith("Signature: 8a477f597d28d172789f")
    assert kept(project).stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o077 for path in kept(project).iterdir()} == {0}


def test_a_folder_of_another_user_is_not_used(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(project)
    monkeypatch.setattr(os, "geteuid", lambda: 123456, raising=False)
    with open_store(str(project)) as store:
        assert store is None


def test_clean_removes_only_what_is_ours(project: Path) -> None:
    run(project)
    assert clean(str(project)) == (str(kept(project)), True)
    assert not kept(project).exists()
    kept(project).mkdir(parents=True)
    assert clean(str(project)) is None
    assert kept(project).exists()


def test_clean_leaves_what_others_put_there(project: Path) -> None:
    run(project)
    (kept(project) / "report-of-mine").write_text("mine", "utf-8")
    assert clean(str(project)) == (str(kept(project)), False)
    assert sorted(path.name for path in kept(project).iterdir()) == ["CACHEDIR.TAG", "report-of-mine"]
    assert run(project)  # it is used again
    (kept(project) / "report-of-mine").unlink()
    assert clean(str(project)) == (str(kept(project)), True)


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, with one megabyte at most."""
    monkeypatch.setenv("LOOPSAFE_CACHE_DIR", str(tmp_path / "apart"))
    monkeypatch.setenv("LOOPSAFE_CACHE_SIZE", "1")
    return tmp_path / "apart" / "loopsafe"


def report_name(number: int) -> str:
    return f"report-{number:032x}"


def test_the_oldest_entries_go_first(apart: Path, tmp_path: Path) -> None:
    for number in range(10):
        with open_store(str(tmp_path / f"project{number % 2}")) as store:
            assert store
            store.write(report_name(number), b"x" * 200_000)
            os.utime(Path(store.folder.path, report_name(number)), ns=(number, number))
        with open_store(str(tmp_path / "project0")) as store:
            assert store
            assert store.read(report_name(0))
        tidy(str(tmp_path))
    left = {path.name for path in apart.rglob("report-*")}
    assert left == {report_name(number) for number in (0, 7, 8, 9)}


def test_what_is_new_stays_also_where_clocks_were_wrong(apart: Path, tmp_path: Path) -> None:
    with open_store(str(tmp_path)) as store:
        assert store
        for number in range(6):
            store.write(report_name(number), b"x" * 200_000)
            os.utime(Path(store.folder.path, report_name(number)), (time.time() + 9999, time.time() + 9999))
        store.write(report_name(7), b"x" * 900_000)
        tidy(str(tmp_path))
        assert store.read(report_name(7))
    assert len(list(apart.rglob("report-*"))) == 1


def test_what_could_not_stay_is_not_written(apart: Path, tmp_path: Path) -> None:
    with open_store(str(tmp_path)) as store:
        assert store
        store.write(report_name(1), b"x" * 500_000)
        store.write(report_name(2), b"x" * 1_000_001)
        tidy(str(tmp_path))
        assert store.read(report_name(1))
        assert not store.read(report_name(2))


def test_projects_of_long_ago_go(apart: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_PROJECTS", 3)
    for number in range(5):
        with open_store(str(tmp_path / f"{number}")) as store:
            assert store
            store.write("files", b"")
    tidy(str(tmp_path))
    assert len([path for path in apart.iterdir() if path.is_dir()]) == 3


@pytest.mark.parametrize("size", ["large", "-1", "1e3", "0x10"])
def test_a_size_that_is_no_number_is_an_error(project: Path, size: str) -> None:
    done = subprocess.run(
        CHECK, cwd=project, env=environment(LOOPSAFE_CACHE_SIZE=size), check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"Error: LOOPSAFE_CACHE_SIZE must be a number of megabytes, not `{size}`\n",
    )


def test_no_size_is_no_cache(project: Path, analyses: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOPSAFE_CACHE_SIZE", "0")
    assert run(project) == run(project)
    assert len(analyses) == 2


def test_what_is_edited_meanwhile_is_not_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def editing(*args, **kwargs):
        report = REAL(*args, **kwargs)
        (project / "a.py").write_text(GOOD, "utf-8")
        return report

    monkeypatch.setattr(pipeline, "analyze_whole", editing)
    cached.analyze([project], load_config(project))
    (project / "a.py").write_text(BAD, "utf-8")
    long_ago(project / "a.py")
    assert not list(kept(project).glob("report-*"))


CHECK = (sys.executable, "-m", "loopsafe", "check", "--output-format", "concise", ".")


def check(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        CHECK, cwd=project, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_processes_at_once_say_the_same(project: Path) -> None:
    texts = {process.communicate()[0] for process in [check(project) for _ in range(4)]}
    assert len(texts) == 1
    assert "LSF102" in texts.pop()
    assert len(list(kept(project).glob("report-*"))) == 1


def test_killed_at_any_moment(project: Path) -> None:
    expected = check(project).communicate()[0]
    moments = random.Random(7)
    for _ in range(8):
        (project / "c.py").write_text(f"# {moments.random()}\n", "utf-8")
        process = check(project)
        time.sleep(moments.uniform(0.05, 0.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert check(project).communicate()[0] == expected


def test_no_cache_and_clean_from_the_command_line(project: Path) -> None:
    done = subprocess.run([*CHECK, "--no-cache"], cwd=project, env=environment(), check=False, capture_output=True)
    assert done.returncode == 1
    assert not kept(project).exists()
    check(project).communicate()
    assert kept(project).exists()
    subprocess.run([*CHECK[:3], "clean"], cwd=project, env=environment(), check=True, capture_output=True)
    assert not kept(project).exists()


def test_a_known_result_loads_no_analysis(project: Path) -> None:
    for _ in range(2):
        check(project).communicate()
        # What has changed this very moment may change again unseen, so it is not relied on.
        long_ago(project)
    program = (
        "import sys; del sys.path[0]\n"  # as `-m` does
        "from loopsafe.frontends.cli import cli\n"
        "cli.main(['check', '.'], standalone_mode=False)\n"
        "heavy = {'libcst', 'rich', 'importlib.metadata', 'loopsafe.pipeline', 'loopsafe.rules'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, env=environment(), check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_profile_names_stages_and_files(project: Path) -> None:
    done = subprocess.run(
        [*CHECK, "--profile"], cwd=project, env=environment(), check=False, capture_output=True, text=True
    )
    stages = [line.split("s  ")[1] for line in done.stderr.partition("slowest")[0].splitlines()]
    assert stages == ["read", "facts", "knowledge", "link and solve", "rules", "render"]
    assert {line.split()[-1] for line in done.stderr.partition("files:\n")[2].splitlines()} == {"a.py", "b.py"}
    assert done.stdout == check(project).communicate()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the library is asked")
@pytest.mark.parametrize("kind", ["cache", "config"])
@pytest.mark.parametrize("home", ["/users/her", "/users/her/", "here", "", None])
@pytest.mark.parametrize("named", ["/else/where", "/else/where/", "here", "~/there", "", None])
def test_the_users_folders_are_those_of_the_library(
    kind: str, home: str | None, named: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", home), (f"XDG_{kind.upper()}_HOME", named)):
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    said = place._said_on_linux(kind)
    assert said in ("", place._asked_of_the_system(kind))
    assert bool(said) == any((value or "").startswith("/") for value in (home, named))
