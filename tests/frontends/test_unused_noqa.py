"""Unused `# noqa` comments: found by all front ends, taken away to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import loopsafe
from loopsafe.findings import FixPlan, Rewrite
from loopsafe.fixes import fix_bytes, fix_source
from loopsafe.locations import Span
from loopsafe.project.noqa import NoqaLines
from loopsafe.project.noqa_edits import same_code
from tests.support.command_line import Cli, environment

BOM = b"\xef\xbb\xbf"
USED = """\
import asyncio
import threading


class Player:
    async def start(self):
        self._queue = asyncio.Queue()
        threading.Thread(target=self._pump).start()

    def _pump(self):
        self._queue.put_nowait(1)  # noqa: LSF102
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path / "a.py"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(b"x = 1  # noqa: LSF102\n", b"x = 1\n", id="nothing else"),
        pytest.param(b"x = 1 \t # noqa: LSF102  \r\ny = 2\r\n", b"x = 1\r\ny = 2\r\n", id="carriage return"),
        pytest.param(b"x = 1  # noqa: LSF102\ry = 2", b"x = 1\ry = 2", id="lone carriage return"),
        pytest.param(b"x = 1  # noqa: LSF102", b"x = 1", id="no line end at the end"),
        pytest.param(b"# noqa: LSF102", b"", id="alone, and no line end"),
        pytest.param(BOM + b"x = 1  # noqa: LSF102\n", BOM + b"x = 1\n", id="byte order mark"),
        pytest.param(
            "# coding: latin-1\nx = 'ü'  # noqa: LSF102 größer\n".encode("latin-1"),
            "# coding: latin-1\nx = 'ü'  # größer\n".encode("latin-1"),
            id="another encoding",
        ),
        pytest.param(b"x = 1  # noqa: E501, LSF102\n", b"x = 1  # noqa: E501\n", id="last code"),
        pytest.param(b"x = 1  # noqa:LSF102 ,E501 W1\n", b"x = 1  # noqa:E501 W1\n", id="first code"),
        pytest.param(b"x = 1  # noqa: E501 LSF102 LSF2,W1 why \n", b"x = 1  # noqa: E501,W1 why \n", id="between"),
        pytest.param(b"x = 1  # noqa: LSF102 - why\n", b"x = 1  # why\n", id="with a reason"),
        pytest.param(b"x = 1  # noqa: LSF102  # why\n", b"x = 1  # why\n", id="before another comment"),
        pytest.param(b"x = 1  # type: ignore # noqa: LSF102\n", b"x = 1  # type: ignore\n", id="after another"),
        pytest.param(b"x = 1\n\n    # noqa: LSF102\n\ny = 2\n", b"x = 1\n\n\ny = 2\n", id="alone on its row"),
        pytest.param(b"#!/bin/py\n# noqa: LSF102\n# coding: x\n", b"#!/bin/py\n\n# coding: x\n", id="encoding below"),
        pytest.param(b"x = 1 \\\n# noqa: LSF102\ny = 2\n", b"x = 1 \\\n\ny = 2\n", id="alone after a backslash"),
        pytest.param(b'x = """\n"""  # noqa: LSF102\n', b'x = """\n"""\n', id="string of several rows"),
        pytest.param(b"\x0cx = [\n\t1,\t# noqa: LSF102\n]\n", b"\x0cx = [\n\t1,\n]\n", id="tabs and form feeds"),
        pytest.param(b"x = 1  # NOQA:  LSF102\n", None, id="two spaces make it bare"),
        pytest.param(b"x = 1  # noqa: LSF102 # noqa\n", None, id="another would take effect"),
        pytest.param(b"x = 1  # noqa: LSF102\ny = (\n", None, id="does not parse"),
    ],
)
def test_all_other_bytes_stay(before: bytes, after: bytes | None, file: Path) -> None:
    file.write_bytes(before)
    plans = [finding.fix for finding in loopsafe.analyze([file.parent]).findings]
    fixed, _ = fix_bytes(before, [plan for plan in plans if plan and plan.applicability == "safe"])
    assert fixed == (before if after is None else after)
    file.write_bytes(fixed)
    assert after is None or loopsafe.analyze([file.parent]).findings == ()


def test_what_is_used_stays(file: Path, cli: Cli) -> None:
    file.write_text(USED)
    assert cli("check", ".").stdout == "No problems found.\n"
    file.write_text(USED.replace("put_nowait", "full; print"))
    (finding,) = json.loads(cli("check", ".", "--output-format", "json").stdout)
    assert (finding["code"], finding["location"]) == ("LSF001", {"row": 11, "column": 37})
    assert finding["fix"]["applicability"] == "safe"
    done = cli("fix", ".")
    assert done.stdout.startswith("Fixed a.py:11:37: LSF001 `# noqa: LSF102` silences nothing here; remove it\n")
    assert file.read_text() == USED.replace("put_nowait", "full; print").replace("  # noqa: LSF102", "")


def test_it_is_a_rule_like_the_others(file: Path, cli: Cli) -> None:
    file.write_text("x = 1  # noqa: LSF102\n")
    assert cli("check", "-q", ".").returncode == 1
    assert cli("check", "-q", ".", "--select", "LSF102").stdout == ""
    assert cli("check", "-q", ".", "--ignore", "LSF0").stdout == ""
    assert cli("check", "-q", ".", "--ignore", "LSF102").stdout == ""
    assert "1 fixable" in cli("check", ".", "--select", "LSF0,LSF102").stdout
    assert cli("explain", "unused-noqa").stdout.startswith("# LSF001 unused-noqa")
    assert cli("rules").stdout.startswith("LSF001  unused-noqa")
    (file.parent / "loopsafe.toml").write_text('per-file-ignores = {"a.*" = ["LSF001"]}\n')
    assert cli("check", "-q", ".").stdout == ""


def test_a_file_that_cannot_be_analysed_makes_it_unsafe(file: Path, cli: Cli) -> None:
    file.write_text("x = 1  # noqa: LSF102\n")
    (file.parent / "b.py").write_text("(\n")
    assert "fix      unsafe: not all files of the project could be analysed" in cli("check", ".").stdout


def test_a_script_outside_of_projects_is_not_judged(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "a.py").write_text("x = 1  # noqa: LSF102\n")
    assert cli("check", "-q", "a.py").stdout == ""


@pytest.mark.parametrize("arguments", [["."], ["--jobs", "1", "."], ["a.py"]])
def test_flake8_says_the_same(arguments: list[str], file: Path) -> None:
    file.write_text("x = 1  # noqa: LSF102\ny = 2  # noqa: LSF102, LSF001\nz = 3  # noqa\n")

    def flake8(*more: str) -> str:
        command = [sys.executable, "-m", "flake8", "--select", "LSF", *more, *arguments]
        done = subprocess.run(
            command, cwd=file.parent, env=environment(), capture_output=True, text=True, timeout=120, check=False
        )
        assert done.stderr == ""
        return done.stdout.replace("./", "")

    told = "a.py:1:8: LSF001 `# noqa: LSF102` silences nothing here; remove it (`loopsafe fix`)\n"
    assert flake8() == told
    assert flake8("--disable-noqa") == ""
    assert flake8("--extend-ignore", "LSF0") == ""


def test_what_is_no_comment_is_not_replaced() -> None:
    def reasons(source: str, first: int, last: int) -> list[str]:
        rewrite = Rewrite(Span(1, first, 1, last), "comment")
        return [reason for _, reason in fix_source(source, [FixPlan("safe", "", (rewrite,))]).failed]

    assert reasons("x = 1  # abc\n", 6, 13) == []
    assert reasons("x = 'ab# cd'\n", 8, 12) == ["what was taken for a comment is none"]
    assert reasons("x = 12345678\n", 6, 9) == ["line 1 has no such comment"]


def test_only_comments_and_empty_rows_differ() -> None:
    assert same_code("x = 1  # a\n\n# b\ny = 2", "x = 1\n# c\ny = 2  # d")
    assert not same_code("x = '# a'\n", "x = '# b'\n")
    assert not same_code("x = 1\n", "x = 1\ny = 2\n")
    assert not same_code("x = (\n", "x = (\n")


def test_comments_are_those_that_count() -> None:
    def found(source: str) -> list[tuple[int, str]]:
        return [(comment.row, comment.match["codes"]) for comment in NoqaLines(source).comments()]

    assert found("x = 1  # noqa: LSF1\ny = '# noqa: A1'  # noqa: LSF2\nz = '''\n# noqa: A1'''\n") == [(1, "LSF1")]
    assert found("x = ( # noqa: LSF1\n 2)  # noqa: LSF2\n") == [(1, "LSF1"), (2, "LSF2")]
    assert found("x = 1  # noqa: LSF1\ny = '''\n") == []
    assert found("# flake8: noqa\nx = 1  # noqa: LSF1\n") == []
    assert found("") == []


