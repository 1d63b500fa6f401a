"""`loopsafe trace`: contexts with their paths, and clear words where there is nothing to say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import Cli

PLAYER = """\
import asyncio
import threading


class Player:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump).start()
        self._greet()

    def _pump(self) -> None:
        self._put(1)
        self._loop.call_soon_threadsafe(self._greet)
        list(map(lambda n: self._put(n), [2]))

    def _put(self, frame: int) -> None:
        self._queue.put_nowait(frame)

    def _greet(self) -> None:
        print()

    def unused(self) -> None:
        print()


async def main() -> None:
    await Player().start()


if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Path:
    """A package `app` with one class."""
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    (tmp_path / "app" / "player.py").write_text(PLAYER)
    return tmp_path


def row(text: str) -> int:
    return PLAYER[: PLAYER.index(text)].count("\n") + 1


def test_a_thread_with_its_path(cli: Cli) -> None:
    done = cli("trace", f"app/player.py:{row('self._queue.put_nowait')}")
    start, put = row("threading.Thread"), row("self._put(1)")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"app/player.py:{row('def _put')}:5  app.player.Player._put",
        "  runs on a worker thread",
        f"    starts   app/player.py:{start}:9  threading.Thread(target=self._pump)",
        f"    calls    app/player.py:{put}:9  self._put(1)",
    ]
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["app.player.Player._put", "player.Player._put", "Player._put", "_put"])
def test_by_name_or_the_end_of_one(cli: Cli, name: str) -> None:
    assert "app.player.Player._put\n  runs on a worker thread" in cli("trace", name).stdout


def test_loops_only(cli: Cli) -> None:
    lines = cli("trace", "app.player.Player._greet").stdout.splitlines()
    assert f"  runs on the event loop of app/player.py:{row('asyncio.run')}" in lines
    assert f"    loop     app/player.py:{row('asyncio.run')}:5   asyncio.run(main())" in lines
    assert lines[-1] == "  no path from the start of a thread is known"


def test_nothing_known(cli: Cli) -> None:
    assert cli("trace", "unused").stdout.splitlines() == [
        f"app/player.py:{row('def unused')}:5  app.player.Player.unused",
        "  no path from the start of a thread is known",
    ]


def test_a_coroutine_function_that_nobody_runs(cli: Cli, project: Path) -> None:
    (project / "app" / "more.py").write_text("async def alone() -> None:\n    helper()\n\n\ndef helper(): ...\n")
    assert cli("trace", "helper").stdout.splitlines()[1:] == [
        "  runs on an event loop",
        "    loop     app/more.py:1:1  async def alone() -> None:",
        "    calls    app/more.py:2:5  helper()",
        "  no path from the start of a thread is known",
    ]


def test_a_lambda_comes_with_the_function_around_it(cli: Cli) -> None:
    done = cli("trace", f"app/player.py:{row('lambda')}")
    assert [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("app")] == [
        "app.player.Player._pump",
        "app.player.Player._pump.<lambda>",
    ]


def test_all_functions_of_one_name(cli: Cli, project: Path) -> None:
    (project / "app" / "twice.py").write_text("if True:\n    def f(): ...\nelse:\n    def f(): ...\n")
    assert cli("trace", "app.twice.f").stdout.count("app.twice.f") == 2


def test_json(cli: Cli) -> None:
    (found,) = json.loads(cli("trace", "_put", "--output-format", "json").stdout)
    assert found["function"] == "app.player.Player._put"
    assert (found["filename"], found["location"]) == ("app/player.py", {"row": row("def _put"), "column": 5})
    (context,) = found["contexts"]
    assert (context["context"], context["confidence"]) == ("thread", "certain")
    assert [(step["kind"], step["source"]) for step in context["path"]] == [
        ("starts", "threading.Thread(target=self._pump)"),
        ("calls", "self._put(1)"),
    ]


def test_a_thread_with_a_loop_of_its_own(cli: Cli, project: Path) -> None:
    (project / "app" / "own.py").write_text(
        "import asyncio, threading\n\n\ndef run():\n    helper()\n    asyncio.run(work())\n\n\n"
        "async def work():\n    inner()\n\n\ndef helper(): ...\ndef inner(): ...\n\n\n"
        "threading.Thread(target=run).start()\n"
    )
    assert "runs on a thread that runs an event loop of its own" in cli("trace", "helper").stdout
    lines = cli("trace", "inner").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:-1]] == ["starts", "calls", "calls"]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("app/player.py:2", "app/player.py:2 is in no function; the nearest is `app.player.Player.__init__` at row 6"),
        ("app/player.py:99", "app/player.py:99 is in no function; the nearest is `app.player.main` at row 29"),
        ("app/playr.py:2", "app/playr.py: No such file or directory"),
        ("app/player.py", "`app/player.py` is neither PATH:LINE nor a dotted name such as"),
        ("app.player.Player.strat", "no function `app.player.Player.strat`; did you mean `app.player.Player.start`?"),
        ("strat", "there is no function `strat`; did you mean `app.player.Player.start`?"),
        ("app.player.Player", "there is no function `app.player.Player`, but it holds `app.player.Player.__init__`, "),
    ],
)
def test_what_is_not_there(cli: Cli, place: str, message: str) -> None:
    done = cli("trace", place)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_name_that_means_several(cli: Cli, project: Path) -> None:
    (project / "app" / "other.py").write_text("def main(): ...\n")
    done = cli("trace", "main")
    assert (done.returncode, done.stderr) == (2, "Error: `main` may be any of `app.other.main`, `app.player.main`\n")


def test_a_file_that_cannot_be_parsed(cli: Cli, project: Path) -> None:
    (project / "bad.py").write_text("def f(:\n")
    done = cli("trace", "bad.py:1")
    assert done.returncode == 2
    assert "bad.py:1:7: cannot parse" in done.stderr


class TestRemarks:
    def test_a_declared_thread(self, cli: Cli, project: Path) -> None:
        (project / "app" / "lamp.py").write_text("def flash(): ...  # loopsafe: thread-entry\n")
        assert "    starts   app/lamp.py:1:1  def flash(): ..." in cli("trace", "flash").stdout

    @pytest.mark.parametrize(
        ("remark", "message"),
        [
            ("runs-on=lop", "`# loopsafe: runs-on=lop` is not one of loop, thread, any; did you mean `loop`?"),
            ("thread-entri", "`# loopsafe: thread-entri` is not known; did you mean `thread-entry`?"),
            ("xyz", "`# loopsafe: xyz` is not known; known are runs-on, loop-bound, thread-entry"),
            ("loop-bound=yes", "`# loopsafe: loop-bound=yes` takes no value"),
        ],
    )
    def test_unclear_ones_are_warned_about(self, cli: Cli, project: Path, remark: str, message: str) -> None:
        (project / "app" / "lamp.py").write_text(f"def flash(): ...  # loopsafe: {remark}\n")
        done = cli("check", "--output-format", "concise", "app/lamp.py")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.splitlines() == [f"app/lamp.py:1:1: warning: {message}"]

    def test_one_that_stands_at_nothing(self, cli: Cli, project: Path) -> None:
        (project / "app" / "lamp.py").write_text("x = 1  # loopsafe: loop-bound\n")
        assert "lamp.py:1:1: warning: `# loopsafe: loop-bound` stands at no function" in cli("check", "app").stderr

    def test_a_coroutine_function_starts_no_thread(self, cli: Cli, project: Path) -> None:
        (project / "app" / "lamp.py").write_text("async def f(): ...  # loopsafe: runs-on=thread\n")
        assert "does nothing here: an `async def` runs where its loop does" in cli("check", "app").stderr

    def test_a_name_of_the_configuration_that_is_not_there(self, cli: Cli, project: Path) -> None:
        table = '[tool.loopsafe.annotations]\n"app.player.Player.strat" = "loop-bound"\n"app.player.main" = "xyz"\n'
        (project / "pyproject.toml").write_text(table)
        done = cli("check", "--output-format", "concise", "app/__init__.py")
        assert done.returncode == 0
        assert done.stderr.splitlines() == [
            "pyproject.toml [tool.loopsafe]: warning: `annotations`: `app.player.Player.strat` is no function, class "
            "or parameter of the project; did you mean `app.player.Player.start`?",
            "pyproject.toml [tool.loopsafe]: warning: `annotations`: `xyz` of `app.player.main` is not "
            "known; known are runs-on, loop-bound, thread-entry",
        ]

    def test_annotations_must_be_strings(self, cli: Cli, project: Path) -> None:
        (project / "pyproject.toml").write_text('[tool.loopsafe.annotations]\n"app.player.main" = 1\n')
        done = cli("check")
        assert done.returncode == 2
        assert "`annotations` in [tool.loopsafe] must be a table of dotted names and strings" in done.stderr
