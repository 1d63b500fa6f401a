"""The command line, run as a process: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import loopsafe
from loopsafe.frontends.commands.checking.check import run_check
from loopsafe.rules import ALL_RULES
from tests.support.command_line import Cli, environment
from tests.support.terminal import on_a_terminal

BROKEN = '''"""A player whose worker thread fills the loop's queue."""

import asyncio
import threading


class Player:
    def __init__(self) -> None:
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._pump).start()

    def _pump(self) -> None:
        for frame in range(3):
            self._queue.put_nowait(frame)
'''
CALL = "self._queue.put_nowait(frame)"
FIXED = BROKEN.replace(CALL, "self._loop.call_soon_threadsafe(self._queue.put_nowait, frame)")
ROW = BROKEN[: BROKEN.index(CALL)].count("\n") + 1
SILENCED = BROKEN.replace(CALL, f"{CALL}  # noqa: LSF102")
HARMLESS = BROKEN.replace("asyncio.Queue", "queue.Queue").replace("import asyncio", "import asyncio\nimport queue")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one finding, in `app/player.py`."""
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "player.py").write_text(BROKEN)
    return tmp_path


def configure(project: Path, lines: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.loopsafe]\n{lines}\n")


class TestCheck:
    def test_a_finding_with_its_witness(self, cli: Cli, project: Path) -> None:
        done = cli("check")
        lines = done.stdout.splitlines()
        assert lines[0].startswith(f"app/player.py:{ROW}:13: LSF102 `self._queue.put_nowait`")
        assert lines[1] == f"         {ROW} | {CALL}"
        assert lines[2] == f"            | {'^' * len(CALL)}"
        assert re.fullmatch(r"    starts   app/player\.py:13:9   threading\.Thread\(target=self\._pump\)", lines[3])
        assert lines[4] == f"    reaches  app/player.py:{ROW}:13  self._queue.put_nowait(frame)"
        assert lines[-1] == "Found 1 problem (1 fixable with `loopsafe fix`)."
        assert (done.returncode, done.stderr) == (1, "")

    @pytest.mark.parametrize("source", [FIXED, SILENCED, HARMLESS, ""], ids=["fixed", "silenced", "harmless", "empty"])
    def test_nothing_to_report(self, source: str, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").write_text(source)
        done = cli("check")
        assert (done.returncode, done.stdout, done.stderr) == (0, "No problems found.\n", "")

    @pytest.mark.parametrize("path", [".", "app", "app/player.py", "./app/../app"])
    def test_paths(self, path: str, cli: Cli, project: Path) -> None:
        assert cli("check", "--output-format", "concise", path).stdout.startswith("app/player.py:")

    def test_only_the_paths_given_are_reported_on(self, cli: Cli, project: Path) -> None:
        (project / "other.py").write_text(BROKEN)
        assert cli("check", "--output-format", "concise", "other.py").stdout.startswith("other.py:")
        assert cli("check", "--output-format", "concise", "other.py").stdout.count("\n") == 1
        assert cli("check", "--output-format", "concise", "other.py", "app", ".").stdout.count("\n") == 2

    def test_below_the_working_directory_paths_are_relative(self, cli: Cli, project: Path) -> None:
        assert cli("check", "--output-format", "concise", project / "app").stdout.startswith("app/player.py:")

    def test_concise_is_one_line_and_nothing_else(self, cli: Cli, project: Path) -> None:
        done = cli("check", "--output-format", "concise")
        assert re.fullmatch(rf"app/player\.py:{ROW}:13: LSF102 [^\n]+\n", done.stdout)
        (project / "app" / "player.py").write_text(FIXED)
        assert cli("check", "--output-format", "concise").stdout == ""

    def test_json(self, cli: Cli, project: Path) -> None:
        [finding] = json.loads(cli("check", "--output-format", "json").stdout)
        assert list(finding) == [
            *("code", "name", "message", "filename", "location", "end_location"),
            *("confidence", "context", "function", "witness", "fix"),
        ]
        assert finding["location"] == {"row": ROW, "column": 13}
        assert finding["context"] == "thread"
        assert finding["fix"]["applicability"] == "safe"
        assert [hop["kind"] for hop in finding["witness"]] == ["starts", "reaches"]
        assert apply(BROKEN, finding["fix"]["edits"]) == FIXED

    def test_a_fix_that_does_not_work_out_is_declined(self, cli: Cli, project: Path) -> None:
        calls = "self._ready.set()  # now\n            self._ready.clear()"
        made = "self._queue: asyncio.Queue[int] = asyncio.Queue()"
        text = BROKEN.replace(CALL, calls).replace(made, "self._ready = asyncio.Event()")
        (project / "app" / "player.py").write_text(text)
        fix = json.loads(cli("check", "--output-format", "json").stdout)[0]["fix"]
        assert (fix["applicability"], fix["edits"]) == ("declined", [])
        assert fix["reason"].startswith("something stands between `self._ready.set()` and `self._ready.clear()`")

    def test_sarif_carries_the_fix(self, cli: Cli, project: Path) -> None:
        [run] = json.loads(cli("check", "--output-format", "sarif").stdout)["runs"]
        assert run["tool"]["driver"]["version"] == loopsafe.__version__
        assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in ALL_RULES]
        assert run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"]

    def test_github(self, cli: Cli, project: Path) -> None:
        assert cli("check", "--output-format", "github").stdout.startswith("::error title=LSF102 ")

    def test_output_file(self, cli: Cli, project: Path) -> None:
        done = cli("check", "--output-format", "json", "-o", "out.json", env={"FORCE_COLOR": "1"})
        assert (done.returncode, done.stdout) == (1, "")
        assert json.loads((project / "out.json").read_text())

    def test_an_output_file_that_cannot_be_written(self, cli: Cli, project: Path) -> None:
        done = cli("check", "-o", "no/such/folder")
        assert done.returncode == 2
        assert done.stderr == "Error: no/such/folder: cannot be written: No such file or directory\n"

    def test_statistics(self, cli: Cli, project: Path) -> None:
        (project / "other.py").write_text(BROKEN)
        done = cli("check", "--statistics", "--quiet")
        assert (done.returncode, done.stdout) == (1, "2  LSF102  off-loop-queue\n")

    def test_quiet_leaves_the_findings_only(self, cli: Cli, project: Path) -> None:
        assert "Found" not in cli("check", "--quiet").stdout
        assert "LSF102" in cli("check", "--quiet").stdout

    def test_exit_zero(self, cli: Cli, project: Path) -> None:
        done = cli("check", "--exit-zero")
        assert done.returncode == 0
        assert "LSF102" in done.stdout


def apply(source: str, edits: list[dict]) -> str:
    """A source text with a fix of the JSON format carried out."""
    rows = source.splitlines(keepends=True)

    def offset(place: dict) -> int:
        return sum(map(len, rows[: place["row"] - 1])) + place["column"] - 1

    for edit in sorted(edits, key=lambda edit: offset(edit["location"]), reverse=True):
        source = source[: offset(edit["location"])] + edit["content"] + source[offset(edit["end_location"]) :]
    return source


class TestSelection:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["--select", "LSF102"], 1),
            (["--select", "LSF2,LSF102"], 1),
            (["--select", "lsf1"], 1),
            (["--select", "LSF2", "--select", "LSF101"], 0),
            (["--ignore", "LSF102"], 0),
            (["--ignore", "LSF1 LSF2"], 0),
            (["--select", "LSF102", "--ignore", "LSF1"], 1),
            (["--extend-exclude", "app"], 0),
            (["--extend-exclude", "none,app/*.py"], 0),
            (["--min-confidence", "certain"], 1),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else None,
    )
    def test_options(self, arguments: list[str], code: int, cli: Cli, project: Path) -> None:
        (project / "clean.py").write_text("")
        assert cli("check", *arguments).returncode == code

    @pytest.mark.parametrize(
        ("lines", "arguments", "code"),
        [
            ('select = ["LSF2"]', [], 0),
            ('select = ["LSF2"]', ["--select", "LSF102"], 1),
            ('ignore = ["LSF102"]', [], 0),
            ('ignore = ["LSF102"]', ["--select", "LSF102"], 1),
            ('ignore = ["LSF102"]', ["--ignore", "LSF2"], 0),
            ('extend-exclude = ["app"]', [], 0),
            ('extend-exclude = ["app"]', ["--extend-exclude", "other"], 0),
        ],
    )
    def test_configuration(self, lines: str, arguments: list[str], code: int, cli: Cli, project: Path) -> None:
        (project / "clean.py").write_text("")
        configure(project, lines)
        assert cli("check", *arguments).returncode == code

    def test_the_configuration_is_that_of_the_path(self, cli: Cli, project: Path) -> None:
        (project / "away").mkdir()
        (project / "away" / "pyproject.toml").write_text('[tool.loopsafe]\nselect = ["LSF2"]\n')
        (project / "away" / "mod.py").write_text(BROKEN)
        assert cli("check", "away").returncode == 0


class TestStdin:
    def test_as_a_file_of_the_project(self, cli: Cli, project: Path) -> None:
        done = cli("check", "-", "--stdin-filename", "app/player.py", "--output-format", "concise", stdin="\n" + BROKEN)
        assert done.stdout.startswith(f"app/player.py:{ROW + 1}:13: LSF102 ")
        assert done.returncode == 1

    def test_as_a_file_that_is_not_there(self, cli: Cli, project: Path) -> None:
        done = cli("check", "-", "--stdin-filename", "app/new.py", "--output-format", "concise", stdin=BROKEN)
        assert done.stdout.startswith(f"app/new.py:{ROW}:13: LSF102 ")
        assert done.stdout.count("\n") == 1

    def test_without_a_name(self, cli: Cli, project: Path) -> None:
        assert cli("check", "-", "--output-format", "concise", stdin=BROKEN).stdout.startswith("stdin.py:")

    def test_the_fix_in_json_fits_the_text_that_came_in(self, cli: Cli, project: Path) -> None:
        source = f"# a new first line\n{BROKEN}"
        done = cli("check", "-", "--stdin-filename", "app/player.py", "--output-format", "json", stdin=source)
        assert apply(source, json.loads(done.stdout)[0]["fix"]["edits"]) == f"# a new first line\n{FIXED}"

    def test_text_that_cannot_be_decoded(self, cli: Cli, project: Path) -> None:
        done = cli("check", "-", "--stdin-filename", "app/x.py", stdin=b"x = '\xff'\n")
        assert done.returncode == 2
        assert done.stderr.startswith("app/x.py: cannot be decoded: ")

    def test_text_that_does_not_parse(self, cli: Cli, project: Path) -> None:
        done = cli("check", "-", "--stdin-filename", "app/x.py", stdin="x = (\n")
        assert done.returncode == 2
        assert done.stderr.startswith("app/x.py:1:")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["-", "app"], "`-` cannot stand beside other paths"),
            (["app", "--stdin-filename", "x.py"], "--stdin-filename goes with the path `-`"),
        ],
    )
    def test_what_does_not_go_together(self, arguments: list[str], message: str, cli: Cli, project: Path) -> None:
        done = cli("check", *arguments)
        assert done.returncode == 2
        assert message in done.stderr


class TestCannotWork:
    """Exit code 2, a message on standard error, nothing on standard output, never a traceback (the fixture looks)."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["check", "--select", "LSF999"], "Error: no rule's code starts with `LSF999`"),
            (["check", "--select", "LFS101"], "Error: --select has `LFS101`, which is neither a code"),
            (["check", "--ignore", "E501"], "Error: --ignore has `E501`, which is neither a code"),
            (["check", "--output-format", "xml"], "Invalid value for '--output-format'"),
            (["check", "--statistics", "--output-format", "sarif"], "--statistics goes with the formats"),
            (["check", "--no-such-option"], "No such option"),
            (["chekc"], "No such command"),
            (["explain", "LSF1001"], "Error: no rule has the code or name `LSF1001`; did you mean `LSF101`?"),
            (["explain", "off-loop-queues"], "did you mean `off-loop-queue`?"),
            (["explain", "zzzzz"], "`loopsafe rules` lists them all"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_wrong_arguments(self, arguments: list[str], message: str, cli: Cli, project: Path) -> None:
        done = cli(*arguments)
        assert message in done.stderr
        assert (done.returncode, done.stdout) == (2, "")

    def test_an_unknown_key_in_the_configuration(self, cli: Cli, project: Path) -> None:
        configure(project, 'igore = ["LSF1"]')
        for command in ("check", "fix"):
            done = cli(command)
            assert done.stderr == (
                "Error: pyproject.toml: unknown key `igore` in [tool.loopsafe]; did you mean `ignore`?\n"
            )
            assert (done.returncode, done.stdout) == (2, "")

    def test_an_unknown_rule_in_the_configuration(self, cli: Cli, project: Path) -> None:
        configure(project, 'select = ["LSF999"]')
        assert cli("check").returncode == 2


class TestBadInput:
    """The bad file is reported and the rest goes on; the exit code is 2 where somebody has named that file."""

    def check(self, cli: Cli, message: str, *arguments: str) -> None:
        done = cli("check", "--output-format", "concise", "--exit-zero", ".", *arguments)
        assert done.returncode == (2 if arguments else 0)
        assert re.search(message, done.stderr), done.stderr
        assert done.stdout.startswith("app/player.py:")

    def test_a_missing_path(self, cli: Cli, project: Path) -> None:
        self.check(cli, r"^no/such/path: No such file or directory$", "no/such/path")

    def test_nothing_but_missing_paths(self, cli: Cli, project: Path) -> None:
        done = cli("check", "a", "b")
        assert done.stderr == "a: No such file or directory\nb: No such file or directory\n"
        assert done.returncode == 2

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            pytest.param(b"def f(:\n", r"bad\.py:1:\d+: ", id="syntax error"),
            pytest.param(b"x = 1\ny = '\xff'\n", r"bad\.py", id="not UTF-8"),
            pytest.param(b"# coding: no-such-codec\n", r"bad\.py", id="unknown coding comment"),
            pytest.param(b"\xef\xbb\xbf# coding: latin-1\n", r"bad\.py", id="coding comment against the mark"),
            pytest.param(b"# coding: ascii\nx = '\xc3\xa9'\n", r"bad\.py", id="wrong coding comment"),
            pytest.param("# coding: utf-16\nx = 1\n".encode("utf-16"), r"bad\.py", id="UTF-16"),
            pytest.param(b"x = 1\x00\n", r"bad\.py", id="null byte"),
            pytest.param(b"x = " + b"(" * 10_000 + b")" * 10_000 + b"\n", r"bad\.py", id="deep nesting"),
            pytest.param(b"match x:\n  case 1: pass\n  future 2: pass\n", r"bad\.py:3:", id="newer syntax"),
        ],
    )
    def test_a_file_that_cannot_be_read(self, content: bytes, message: str, cli: Cli, project: Path) -> None:
        (project / "bad.py").write_bytes(content)
        self.check(cli, f"{message}.*warning: ")
        self.check(cli, rf"(?!.*warning){message}", "bad.py")

    @pytest.mark.parametrize(
        "source",
        [
            pytest.param("x = " + "-" * 10_000 + "1\n", id="operators"),
            pytest.param("x = 1" + " + 1" * 100_000 + "\n", id="sum"),
            pytest.param("x = a" + ".b" * 5_000 + "\n", id="attributes"),
            pytest.param("x = a" + "(1)" * 5_000 + "\n", id="calls"),
            pytest.param("x = " + "lambda: " * 3_000 + "1\n", id="lambdas"),
            pytest.param("if a: pass\n" + "elif a: pass\n" * 5_000, id="elif"),
            pytest.param("".join(f"{' ' * depth}if a:\n" for depth in range(90)) + " " * 90 + "pass\n", id="blocks"),
        ],
    )
    def test_nesting_that_some_pythons_parse(self, source: str, cli: Cli, project: Path) -> None:
        (project / "bad.py").write_text(source)
        done = cli("check", "--output-format", "concise")
        assert done.stdout.startswith("app/player.py:")
        assert done.returncode == 1
        assert done.stderr == "" or re.match(r"bad\.py\S*: warning: ", done.stderr)

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
    def test_an_unreadable_file(self, cli: Cli, project: Path) -> None:
        (project / "bad.py").touch(0o000)
        self.check(cli, r"bad\.py: warning: cannot be read: Permission denied")

    def test_a_dangling_link(self, cli: Cli, project: Path) -> None:
        (project / "bad.py").symlink_to("nowhere.py")
        self.check(cli, r"bad\.py: warning: cannot be read: No such file or directory")

    def test_a_link_to_itself(self, cli: Cli, project: Path) -> None:
        (project / "bad.py").symlink_to("bad.py")
        self.check(cli, r"bad\.py: Too many levels of symbolic links", "bad.py")

    def test_folders_linked_in_a_circle(self, cli: Cli, project: Path) -> None:
        (project / "app" / "again").symlink_to(project, target_is_directory=True)
        done = cli("check", "--output-format", "concise")
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (1, "", 1)

    def test_a_name_that_is_not_text(self, cli: Cli, project: Path) -> None:
        try:
            Path(os.fsdecode(os.fsencode(project) + b"/b\xff.py")).write_text(BROKEN)
        except OSError:
            pytest.skip("this file system takes text only")
        assert "b\\udcff.py:" in cli("check", "--output-format", "concise").stdout
        assert len(json.loads(cli("check", "--output-format", "json").stdout)) == 2

    def test_a_folder_without_python_files(self, cli: Cli, project: Path) -> None:
        (project / "empty").mkdir()
        done = cli("check", "empty")
        assert done.stderr == "warning: no Python files found under `empty`\n"
        assert done.returncode == 0
        assert cli("check", "empty", "--quiet").stderr == ""

    def test_all_files_bad(self, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").write_text("def f(:\n")
        done = cli("check")
        assert done.stdout == "No problems found; 1 path could not be analysed.\n"
        assert done.returncode == 0
        (project / "pyproject.toml").write_text('[tool.loopsafe]\nunreadable = "error"\n')
        assert cli("check").returncode == 2


class TestFix:
    def test_writes_and_reports(self, cli: Cli, project: Path) -> None:
        file = project / "app" / "player.py"
        file.chmod(0o755)
        done = cli("fix")
        assert file.read_text() == FIXED
        assert file.stat().st_mode & 0o777 == 0o755
        assert done.stdout.startswith(f"Fixed app/player.py:{ROW}:13: LSF102 ")
        assert done.stdout.endswith("\nFixed 1 problem; none left.\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert cli("fix").stdout == "Nothing to fix.\n"

    def test_diff_changes_nothing(self, cli: Cli, project: Path, golden) -> None:
        done = cli("fix", "--diff")
        assert (project / "app" / "player.py").read_text() == BROKEN
        assert (done.returncode, done.stderr) == (1, "Would fix 1 problem.\n")
        golden("fix.diff", done.stdout)

    def test_the_diff_can_be_applied(self, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").write_text(BROKEN.rstrip("\n"))
        patch = cli("fix", "--diff").stdout
        subprocess.run(["git", "apply"], cwd=project, input=patch.encode(), check=True)
        assert (project / "app" / "player.py").read_text() == FIXED.rstrip("\n")

    def test_an_empty_diff(self, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").write_text(FIXED)
        done = cli("fix", "--diff")
        assert (done.returncode, done.stdout) == (0, "")

    @pytest.mark.parametrize(
        ("newline", "encoding", "start"),
        [("\r\n", "utf-8", ""), ("\n", "utf-8-sig", ""), ("\n", "latin-1", "# coding: latin-1\n# séance\n")],
        ids=["CRLF", "byte order mark", "latin-1"],
    )
    def test_bytes_stay(self, newline: str, encoding: str, start: str, cli: Cli, project: Path) -> None:
        file = project / "app" / "player.py"
        file.write_bytes((start + BROKEN).replace("\n", newline).encode(encoding))
        assert cli("fix").returncode == 0
        assert file.read_bytes() == (start + FIXED).replace("\n", newline).encode(encoding)

    def test_what_cannot_be_fixed_remains_with_its_reason(self, cli: Cli, project: Path) -> None:
        unfixable = BROKEN.replace("        self._loop = asyncio.get_running_loop()\n", "")
        (project / "app" / "other.py").write_text(unfixable)
        done = cli("fix")
        assert done.returncode == 1
        assert (project / "app" / "player.py").read_text() == FIXED
        assert re.search(r"^app/other\.py:\d+:13: LSF102 ", done.stdout, re.MULTILINE)
        assert re.search(r"^    fix      (unsafe|declined): .", done.stdout, re.MULTILINE)
        assert re.search(r"^Fixed 1 problem; 1 left\b", done.stdout, re.MULTILINE)

    def test_unsafe_fixes_only_when_asked_for(self, cli: Cli, project: Path) -> None:
        guarded = BROKEN.replace(
            "            self._queue.put_nowait(frame)\n",
            "            try:\n"
            "                self._queue.put_nowait(frame)\n"
            "            except asyncio.QueueFull:\n"
            "                pass\n",
        )
        file = project / "app" / "player.py"
        file.write_text(guarded)
        done = cli("fix")
        assert file.read_text() == guarded
        assert "Fixed nothing; 1 problem left (1 fixable with `loopsafe fix --unsafe-fixes`)." in done.stdout
        assert cli("fix", "--unsafe-fixes").returncode == 0
        assert "None if queue.full() else queue.put_nowait(frame)" in file.read_text()

    def test_only_what_is_selected(self, cli: Cli, project: Path) -> None:
        assert cli("fix", "--ignore", "LSF102").returncode == 0
        assert (project / "app" / "player.py").read_text() == BROKEN

    def test_bad_files_do_not_keep_good_ones_from_being_fixed(self, cli: Cli, project: Path) -> None:
        (project / "bad.py").write_text("def f(:\n")
        done = cli("fix", ".", "missing")
        assert done.returncode == 2
        assert done.stderr.startswith("missing: No such file or directory\nbad.py:1:")
        assert (project / "app" / "player.py").read_text() == FIXED

    def test_a_file_that_must_not_be_written(self, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").chmod(0o444)
        done = cli("fix")
        assert (done.returncode, done.stderr) == (2, "app/player.py is read-only\n")
        assert (project / "app" / "player.py").read_text() == BROKEN
        assert "Fixed nothing; 1 problem left" in done.stdout

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written(self, cli: Cli, project: Path) -> None:
        (project / "app").chmod(0o555)
        done = cli("fix")
        (project / "app").chmod(0o755)
        assert done.returncode == 2
        assert done.stderr == "app/player.py cannot be written: Permission denied\n"
        assert "Fixed nothing; 1 problem left" in done.stdout

    def test_only_these_codes(self, cli: Cli, project: Path) -> None:
        assert cli("fix", "--fix-only", "LSF101,LSF3").returncode == 2
        done = cli("fix", "--fix-only", "LSF101")
        assert (project / "app" / "player.py").read_text() == BROKEN
        assert "Fixed nothing; 1 problem left" in done.stdout
        assert cli("fix", "--fix-only", "LSF102").returncode == 0
        assert (project / "app" / "player.py").read_text() == FIXED

    @pytest.mark.parametrize(
        ("answers", "fixed", "code"),
        [("a\na\n", ["a.py", "b.py"], 0), ("s\na\n", ["b.py"], 1), ("a\nq\n", ["a.py"], 1), ("q\n", [], 1)],
    )
    def test_interactive(self, answers: str, fixed: list[str], code: int, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").unlink()
        for name in ("a.py", "b.py"):
            (project / "app" / name).write_text(BROKEN)
        done = cli("fix", "--interactive", stdin=answers)
        assert done.returncode == code
        assert [name for name in ("a.py", "b.py") if (project / "app" / name).read_text() == FIXED] == fixed
        assert "app/a.py (1 of 2): [a]ccept, [s]kip or [q]uit?" in done.stdout
        assert "+            self._loop.call_soon_threadsafe(self._queue.put_nowait, frame)" in done.stdout

    def test_files_that_vanish_or_change_in_the_meantime_are_told(self, project: Path) -> None:
        folder = project / "app"
        for name in ("a.py", "b.py"):
            (folder / name).write_text(BROKEN)
        command = [sys.executable, "-m", "loopsafe", "fix", "--interactive", "a.py", "b.py", "player.py"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, cwd=folder, env=environment(), text=True, **pipes) as process:
            assert process.stdout is not None
            while not process.stdout.readline().startswith("+     "):
                pass
            (folder / "a.py").unlink()
            (folder / "b.py").write_text(HARMLESS)
            _, errors = process.communicate("a\na\na\n", timeout=60)
        told = ["a.py has vanished", "b.py has changed since it was analysed"]
        assert (process.returncode, errors.splitlines()) == (2, told)
        assert ((folder / "b.py").read_text(), (folder / "player.py").read_text()) == (HARMLESS, FIXED)

    def test_interactive_with_nobody_to_answer(self, cli: Cli, project: Path) -> None:
        assert cli("fix", "--interactive").returncode == 130
        assert (project / "app" / "player.py").read_text() == BROKEN


class TestCheckFix:
    def test_fixes_and_reports_the_rest(self, cli: Cli, project: Path) -> None:
        unfixable = BROKEN.replace("        self._loop = asyncio.get_running_loop()\n", "")
        (project / "app" / "other.py").write_text(unfixable)
        done = cli("check", "--fix", "--output-format", "concise")
        assert done.returncode == 1
        assert (project / "app" / "player.py").read_text() == FIXED
        assert re.fullmatch(r"app/other\.py:\d+:13: LSF102 .*\n", done.stdout)

    def test_nothing_left(self, cli: Cli, project: Path) -> None:
        done = cli("check", "--fix")
        assert (done.returncode, done.stdout) == (0, "Fixed 1 problem; none left.\n")
        assert cli("check").returncode == 0

    def test_a_file_that_must_not_be_written(self, cli: Cli, project: Path) -> None:
        (project / "app" / "player.py").chmod(0o444)
        done = cli("check", "--fix")
        assert done.returncode == 2
        assert done.stderr == "app/player.py is read-only\n"
        assert "LSF102" in done.stdout

    @pytest.mark.parametrize("arguments", [["--unsafe-fixes"], ["--fix", "-"]])
    def test_what_does_not_go_together(self, arguments: list[str], cli: Cli, project: Path) -> None:
        assert cli("check", *arguments, stdin=BROKEN).returncode == 2


class TestRules:
    def test_table(self, cli: Cli) -> None:
        lines = cli("rules").stdout.splitlines()
        assert [line.split()[:2] for line in lines] == [[rule.code, rule.name] for rule in ALL_RULES]

    @pytest.mark.parametrize("word", ["LSF102", "lsf102", "off-loop-queue", "Off-Loop-Queue"])
    def test_explain(self, word: str, cli: Cli) -> None:
        page = next(rule.documentation() for rule in ALL_RULES if rule.code == "LSF102")
        done = cli("explain", word)
        assert (done.returncode, done.stdout.rstrip()) == (0, page.rstrip())

    def test_on_a_terminal_they_are_drawn(self, cli: Cli) -> None:
        for arguments in (["rules"], ["explain", "LSF102"]):
            done = cli(*arguments, env={"FORCE_COLOR": "1"})
            assert "\x1b[" in done.stdout
            assert "## " not in done.stdout


class TestTerminal:
    @pytest.mark.parametrize(
        ("env", "coloured"),
        [
            ({}, False),
            ({"FORCE_COLOR": "1"}, True),
            ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            ({"FORCE_COLOR": ""}, False),
        ],
        ids=str,
    )
    def test_colours_in_a_pipe(self, env: dict[str, str], coloured: bool, cli: Cli, project: Path) -> None:
        assert ("\x1b[" in cli("check", env=env).stdout) is coloured
        assert ("\x1b[" in cli("fix", "--diff", env=env).stdout) is coloured
        assert "\x1b[" not in cli("check", "--output-format", "concise", env=env).stdout

    @pytest.mark.parametrize(
        ("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
    )
    def test_colours_on_a_terminal(self, env: dict[str, str], coloured: bool, project: Path) -> None:
        # How far the work is goes to standard error, and how long it takes is up to the machine.
        output = on_a_terminal(project, env, "-m", "loopsafe", "check", stderr=subprocess.DEVNULL)
        assert b"LSF102" in output
        assert (b"\x1b[" in output) is coloured


class TestProcess:
    def test_version(self, cli: Cli) -> None:
        assert cli("--version").stdout == f"loopsafe {loopsafe.__version__}\n"

    def test_version_and_help_load_nothing_heavy(self, tmp_path: Path) -> None:
        program = (
            "import sys\n"
            "sys.argv = ['loopsafe', *sys.argv[1:]]\n"
            "from loopsafe.frontends.cli import main\n"
            "try:\n    main()\n"
            "finally:\n    print(*sorted(sys.modules), file=sys.stderr)\n"
        )
        for arguments in (["--version"], ["--help"], ["check", "--help"], ["fleet", "--help"]):
            command = [sys.executable, "-c", program, *arguments]
            done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
            loaded = done.stderr.split()
            heavy = {"rich", "libcst", "msgspec", "loopsafe.pipeline", "loopsafe.rules", "loopsafe.render.results"}
            assert heavy.isdisjoint(loaded)

    def test_a_reader_that_goes_away(self, project: Path) -> None:
        (project / "many.py").write_text(BROKEN + "            self._queue.put_nowait(frame)\n" * 3000)
        command = f"{sys.executable} -m loopsafe check | head -n 1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=project, env=environment(), capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b"")
        assert done.stdout.count(b"\n") == 1

    def test_a_full_disk(self, project: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full")
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "loopsafe", "check"],
                cwd=project,
                env=environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        assert done.returncode == 2
        assert done.stderr == "Error: [Errno 28] No space left on device\n"

    def test_interrupted(self, project: Path) -> None:
        command = [sys.executable, "-X", "importtime", "-m", "loopsafe", "check", "-"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # A shell's background job ignores Ctrl-C, and so would the command if the tests run in one.
        heed = "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"
        command = [sys.executable, "-c", f"{heed}; os.execv({command[0]!r}, {command!r})"]
        with subprocess.Popen(command, cwd=project, env=environment(), **pipes) as process:
            # The log of imports tells when the command has begun; from then on it waits for standard input.
            next(line for line in process.stderr if run_check.__module__.encode() in line)
            process.send_signal(signal.SIGINT)
            _, rest = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"Traceback" not in rest
