"""Edits that only move rows: what was found is told in other rows, and nothing is solved anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.frontends.options import Selection
from loopsafe.frontends.server.analyst.desk import Desk, solve_all
from loopsafe.frontends.server.analyst.layout import row_map
from loopsafe.frontends.server.analyst.messages import Analyse, Answer, Found, Shifted
from loopsafe.frontends.server.board import moved
from tests.server.conftest import MAIN, STORE

CALL = "        self._readings.put_nowait(reading)\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = 1\n", "\n\nx = 1\n"),
        ("x = 1\ny = 2\n", "x = 1  # one\n\n# two\ny = 2\n"),
        ("def f():\n    pass\n", "# f\ndef f():\n    # nothing\n    pass\n"),
        ("x = '''\n#\n'''\n", "\nx = '''\n#\n'''\n"),
        ("x = 1  # noqa: LSF102\n", "\nx = 1  # noqa: LSF102\n"),
    ],
)
def test_only_rows_move(old: str, new: str) -> None:
    found = row_map(old, new)
    assert found
    assert [old.split("\n")[row - 1] for row in found.old if "#" not in old] == [
        new.split("\n")[row - 1].partition("  #")[0] for row in found.new if "#" not in old
    ]
    assert row_map(new, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x = 1\n", "x = 2\n"),
        ("x = 1\n", "x =  1\n"),
        ("if x:\n    y\nz\n", "if x:\n    y\n    z\n"),
        ("x = '''\n#\n'''\n", "x = '''\n# \n'''\n"),
        ("x = 1\n", "x = 1  # noqa\n"),
        ("x = 1  # noqa: LSF102\n", "x = 1\n"),
        ("x = 1\n", "# type: ignore\nx = 1\n"),
        ("def f(): pass\n", "# loopsafe: runs-on=loop\ndef f(): pass\n"),
        ("# loopsafe: runs-on=loop\ndef f(): pass\n", "# loopsafe: runs-on=loop\n\ndef f(): pass\n"),
        ("f(\n    1)\n", "f(\n    # one\n    1)\n"),
        ("f(1)\n", "f(\n1)\n"),
        ("x = 1\n", "x = (\n"),
        ("x = 1\n", "x = 1\r# y\n"),
    ],
)
def test_more_than_rows_moves(old: str, new: str) -> None:
    assert row_map(old, new) is None


def told(desk: Desk, number: int, project: Path, text: str) -> list[Answer]:
    """What is answered where the store has another text."""
    answers: list[Answer] = []
    texts = {str(project / "app" / "store.py"): text}
    question = Analyse(number, (str(project),), texts, Selection())
    jobs = desk.prepare(question, answers.append)
    solve_all(jobs, question, answers.append)
    desk.keep(jobs)
    return answers


def test_what_moved_is_what_would_be_found(project: Path) -> None:
    desk = Desk()
    (before,) = [one for one in told(desk, 1, project, STORE) if isinstance(one, Found)]
    new = STORE.replace("import asyncio\n", "# 🐍\nimport asyncio  # one\n").replace(
        CALL, f"\n\n        # here\n{CALL}"
    )
    answers = told(desk, 2, project, new)
    assert not any(isinstance(one, Found) for one in answers)
    (shifted,) = [one for one in answers if isinstance(one, Shifted)]
    (anew,) = [one for one in told(Desk(), 3, project, new) if isinstance(one, Found)]
    assert moved(before, shifted.maps).report == anew.report
    assert before.report != anew.report
    # From there on, too.
    assert any(isinstance(one, Found) for one in told(desk, 4, project, f"{new}x = 1\n"))


def test_what_is_the_same_is_not_solved(project: Path) -> None:
    desk = Desk()
    told(desk, 1, project, STORE)
    assert not [one for one in told(desk, 2, project, STORE) if isinstance(one, (Found, Shifted))]
    # Nor where another file is opened, or one closed.
    opened = {str(project / "app" / "main.py"): MAIN}
    assert desk.prepare(Analyse(3, (str(project),), opened, Selection()), lambda _: None) == []


def test_what_was_begun_and_not_finished_is_solved_again(project: Path) -> None:
    desk = Desk()
    told(desk, 1, project, STORE)
    other = Analyse(2, (str(project),), {str(project / "app" / "store.py"): f"{STORE}x = 1\n"}, Selection())
    assert desk.prepare(other, lambda _: None)
    assert any(isinstance(one, Found) for one in told(desk, 3, project, STORE))
