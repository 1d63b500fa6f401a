"""`# noqa` comments: what they mean, and that flake8 itself says the same."""

from __future__ import annotations

import argparse
import io

import pytest
from flake8.processor import FileProcessor
from flake8.violation import Violation

from loopsafe.project.noqa import NoqaLines, silenced


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x()  # noqa", id="bare"),
        pytest.param("x()  # NoQA", id="case of the word does not count"),
        pytest.param("x()  # noqa: LSF101", id="the code"),
        pytest.param("x()  # noqa:LSF101", id="no space"),
        pytest.param("x()  # NOQA: LSF1", id="start of the code"),
        pytest.param("x()  # noqa: E501,LSF101", id="several by comma"),
        pytest.param("x()  # noqa: E501 LSF101", id="several by space"),
        pytest.param("x()  # noqa: E501, W1 ,LSF101 because", id="several by both, then prose"),
        pytest.param("x()  # noqa: because", id="prose for codes is bare"),
        pytest.param("x()  # noqa: LSF", id="letters alone are no code, so bare"),
        pytest.param("x()  # noqa : E501", id="space before the colon is bare"),
        pytest.param("x()  # type: ignore # noqa: LSF101", id="after another comment"),
    ],
)
def test_silenced(line: str) -> None:
    assert silenced(line, "LSF101")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("x()", id="no comment"),
        pytest.param("x()  # noqa: LSF102", id="another code"),
        pytest.param("x()  # noqa: lsf101", id="case of codes counts"),
        pytest.param("x()  #noqa", id="no space after the hash"),
        pytest.param("x()  # noqa: E501 # noqa: LSF101", id="only the first comment counts"),
        pytest.param("x()  # noqa: LSF1010", id="longer than the code"),
    ],
)
def test_not_silenced(line: str) -> None:
    assert not silenced(line, "LSF101")


SOURCES = {
    "plain": "a = 1\nb = 2  # noqa\nc = 3\n",
    "no line end at the end": "a = 1\nb = 2  # noqa",
    "string over several rows": 'a = """\ntext\n"""  # noqa: LSF101\nb = 1\n',
    "noqa inside a string": 'a = """\ntext # noqa\n"""\nb = 1\n',
    "f-string over several rows": 'a = f"""\n{1}\n"""  # noqa: LSF101\nb = 1\n',
    "backslash": "a = 1 + \\\n    2  # noqa: LSF1\nb = 1\n",
    "brackets do not join rows": "f(\n    a,  # noqa: LSF101\n    b,\n)\n",
    "string inside brackets": 'f(\n    """\n    """,  # noqa\n    b,\n)\n',
    "two comments on one line of rows": "a = 1 + \\\n 2 # noqa: E501\n# noqa\n",
    "carriage returns": "a = 1\r\nb = 2  # noqa\r\nc = 3\r\n",
    "lone carriage returns": "a = 1\rb = 2  # noqa\rc = 3\r",
    "form feed": "a = 1\n\x0cb = 2  # noqa\nc = 3\n",
    "next line character in a string": 'a = "\x85 # noqa"\nb = 2\n',
    "byte order mark": "\ufeff# flake8: noqa\na = 1\n",
    "whole file": "a = 1\n   # flake8: noqa\nb = 2\n",
    "whole file in any case": "# FLAKE8= NoQA\na = 1\n",
    "codes do not narrow the file": "# flake8: noqa: E501\na = 1\n",
    "whole file only on its own line": "a = 1  # flake8: noqa: E501\nb = 2\n",
    "indented blocks": "def f():\n    if a:\n        b()  # noqa\n\n    c()\n",
    "does not tokenize": 'a = 1  # noqa\nb = """\n# noqa: LSF101\n',
    "unbalanced": "f((\n  a  # noqa\n",
    "empty": "",
    "comment only": "# noqa",
}


def flake8_silences(source: str, row: int, code: str) -> bool:
    options = argparse.Namespace(
        hang_closing=False, indent_size=4, max_line_length=79, max_doc_length=None, verbose=0, disable_noqa=False
    )
    lines = io.StringIO(source, newline=None).readlines()
    processor = FileProcessor("stdin", options, lines)
    # Where flake8 finds no line, it reads the row from disk.
    line = processor.noqa_line_for(row) or (lines[row - 1] if row <= len(lines) else "")
    return processor.should_ignore_file() or Violation(code, "", row, 1, "", line).is_inline_ignored(False)


@pytest.mark.parametrize("source", [pytest.param(source, id=name) for name, source in SOURCES.items()])
def test_says_what_flake8_says(source: str) -> None:
    noqa = NoqaLines(source)
    for row in range(1, source.count("\n") + source.count("\r") + 3):
        for code in ("LSF101", "LSF201"):
            assert noqa.silences(row, code) == flake8_silences(source, row, code), (row, code)
