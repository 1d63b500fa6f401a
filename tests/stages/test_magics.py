"""What IPython adds to Python: set aside as IPython itself understands it, row by row."""

from __future__ import annotations

import ast
import time

import pytest

from loopsafe.project.magics import plain

CELLS = {
    "nothing": ("x = 1\n", "x = 1\n"),
    "line magic": ("%matplotlib inline\nx = 1", "pass\nx = 1"),
    "line magic in a block": ("if x:\n    %time\ny = 2", "if x:\n    pass\ny = 2"),
    "line magic with code": ("%time await f(x)", "0;    await f(x)"),
    "line magic with a loop": ("%time for x in y: f(x)", "pass"),
    "line magic with options": ("%timeit -n 1 f(x)", "pass"),
    "shell": ("!ls -l\nx = 1", "pass\nx = 1"),
    "shell over rows": ("!ls \\\n -l \\\n x\ny = 1\n", "pass\n\n\ny = 1\n"),
    "shell twice": ("!!ls", "pass"),
    "assigned": ("files = !ls\nhere = %pwd\na, b = !ls", "files = None\nhere = None\na, b = None"),
    "question": ("x?\nasyncio.Queue??\n?x\n??y\n*int*?  # why", "pass\npass\npass\npass\npass"),
    "called by a sign": (",f a b\n;f a b\n/f a b", "pass\npass\npass"),
    "cell magic": ("%%bash\nls 'x\nfor", "\n\n"),
    "cell magic around Python": ("%%time\nx = 1\n%pwd", "\nx = 1\npass"),
    "remainders": ("x = (1\n%y\n)\nz = a % \\\n%b\n", "x = (1\n%y\n)\nz = a % \\\n%b\n"),
    "in strings": ("x = '''\n%y\n!z\n'''\n'a\\\n%b'\n", "x = '''\n%y\n!z\n'''\n'a\\\n%b'\n"),
    "after strings": ("x = '\"\"\"'\n%y\nz = \"'''\"\n%y", "x = '\"\"\"'\npass\nz = \"'''\"\npass"),
    "bracket in a comment": ("x = 1  # (\n%y", "x = 1  # (\npass"),
    "comparison": ("x != y\nx == (a %b)\nf(x=a %b)", "x != y\nx == (a %b)\nf(x=a %b)"),
    "carriage returns": ("%y\r\nx = 1\r\n!a \\\r\nb\r\n", "pass\r\nx = 1\r\npass\r\n\r\n"),
}


@pytest.mark.parametrize("name", CELLS)
def test_set_aside(name: str) -> None:
    before, after = CELLS[name]
    assert plain(before) == after
    assert plain(after) == after


def test_what_is_python_stays() -> None:
    for text in ("x = 1\n", "@f\ndef g(a, /, b): return a % b\n", "print('?')\n'%s' % x;\n", "f'{x!r}'\nx: int = 1\n"):
        ast.parse(text)
        assert plain(text) == text


@pytest.mark.parametrize("piece", ["%a\n", "(\n", "'''", '"', "x = ", "!\\\n", "x?", "\\\n", " ", "%%", "'\\"])
def test_it_takes_time_by_the_length(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    started = time.process_time()
    plain(text)
    plain("%\n" + text)
    assert time.process_time() - started < 20
