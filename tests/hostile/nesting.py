"""Shapes of Python that grow in depth, length or number: each as a function of how far."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.hostile.projects import text


def _lines(line: str, count: int) -> str:
    """A line again and again; `{i}` is its number, `{last}` the one before, `{next}` the one after, in a circle."""
    return "".join(line.format(i=i, last=max(i - 1, 0), next=(i + 1) % count, count=count) for i in range(count))


def _list(item: str, count: int) -> str:
    return ", ".join(item.format(i=i, last=max(i - 1, 0)) for i in range(count))


def _blocks(head: str, depth: int, tail: str = "") -> str:
    rows = [" " * i + head.format(i=i) for i in range(depth)]
    ends = [" " * i + tail for i in reversed(range(depth))] if tail else []
    return "\n".join([*rows, " " * depth + "f()", *ends]) + "\n"


def _around(start: str, middle: str, end: str) -> Callable[[int], str]:
    return lambda n: f"x = {start * n}{middle}{end * n}\n"


CHAINS: dict[str, Callable[[int], str]] = {
    "attributes": lambda n: f"import a\nx = a{'.b' * n}()\n",
    "attributes of self": lambda n: (
        f"import threading\nclass C(threading.Thread):\n    def run(self):\n        self{'.b' * n}.put_nowait(1)\n"
    ),
    "attribute of an annotation": lambda n: f"def f(q: 'a{'.b' * n}'):\n    q.put_nowait(1)\n",
    "calls": lambda n: f"def f(): return f\nx = f{'()' * n}\n",
    "methods": lambda n: f"class C:\n    def m(self): return self\nx = C(){'.m()' * n}\n",
    "subscripts": lambda n: f"d = {{}}\nx = d{'[0]' * n}()\n",
    "sum": lambda n: f"a = 1\nx = {' + '.join(['a'] * n)}\n",
    "powers": lambda n: f"x = {'1 ** ' * n}1\n",
    "and, or": lambda n: f"a = 1\nx = {' and a or '.join(['a'] * n)}\n",
    "signs": lambda n: f"x = {'-' * n}1\n",
    "signs in an annotation": lambda n: f"def f(q: '{'-' * n}1'):\n    q.put_nowait(1)\n",
    "not": lambda n: f"x = {'not ' * n}1\n",
    "if, else": lambda n: f"a = 1\nx = {'a if a else ' * n}1\n",
    "lambdas": lambda n: f"x = {'lambda: ' * n}1\n",
    "comparison": lambda n: f"a = 1\nx = {' < '.join(['a'] * n)}\n",
    "elif": lambda n: "a = 1\nif a: pass\n" + _lines("elif a == {i}: f({i})\n", n),
    "strings": lambda n: "x = (" + "'a' " * n + ")\n",
    "strings by lines": lambda n: "x = (\n" + "'a'\n" * n + ")\n",
    "decorators": lambda n: "def d(f): return f\n" + "@d\n" * n + "def g(): pass\ng()\n",
    "assignments": lambda n: " = ".join(f"x{i}" for i in range(n)) + " = 1\n",
    "variables": lambda n: "v0 = print\n" + _lines("v{i} = v{last}\n", n) + f"v{n - 1}()\n",
    "partial functions": lambda n: (
        "import functools, threading\nv0 = print\n"
        + _lines("v{i} = functools.partial(v{last})\n", n)
        + f"threading.Thread(target=v{n - 1}).start()\n"
    ),
    "functions": lambda n: _lines("def f{i}(a): return f{last}(a)\n", n),
    "threads": lambda n: "import threading\n" + _lines("def f{i}(): threading.Thread(target=f{next}).start()\n", n),
    "closures": lambda n: _lines("def f{i}(g=None):\n    def h(): return f{last}(h)\n    return h\n", n),
    "classes": lambda n: "class C0: pass\n" + _lines("class C{i}(C{last}): pass\n", n) + f"C{n - 1}().m()\n",
    "classes with methods": lambda n: (
        "class C0: pass\n"
        + _lines("class C{i}(C{last}):\n    def m{i}(self): self.m{last}()\n", n)
        + f"C{n - 1}().m0()\n"
    ),
    "types": lambda n: _lines("type T{i} = list[T{next}]\n", n) + "def f(x: T0): x[0][0].put_nowait(1)\n",
    "generic classes": lambda n: (
        "class C0: pass\n" + _lines("class C{i}(list['C{next}']): pass\n", n) + "def f(x: C0): x[0][0].put_nowait(1)\n"
    ),
    "import": lambda n: f"import {'.'.join(['a'] * n)}\na{'.a' * min(n, 300)}()\n",
    "import from": lambda n: f"from {'.'.join(['a'] * n)} import a\na()\n",
    "import upwards": lambda n: f"from {'.' * n} import a\na()\n",
    "with": lambda n: f"with {_list('a', n)}: pass\n",
    "parameters": lambda n: f"def f({_list('a{i}', n)}): return a0()\nf(*range(9))\n",
    "arguments": lambda n: f"def f(*a, **k): return a\nf({_list('{i}', n)})\n",
    "keywords": lambda n: f"def f(*a, **k): return a\nf({_list('k{i}={i}', n)})\n",
    "walrus": lambda n: f"x = [{_list('(y{i} := y{last})', n)}]\n",
    "alternatives": lambda n: f"match x:\n    case {' | '.join(map(str, range(n)))}: pass\n",
    "cases": lambda n: "match x:\n" + _lines("    case C{i}(a=b{i}): b{i}()\n", n),
    "bases": lambda n: f"class C({_list('B{i}', n)}): pass\n",
    "globals": lambda n: f"def f():\n    global {_list('a{i}', n)}\n",
    "handlers": lambda n: "try: f()\n" + _lines("except E{i}: g()\n", n),
    "early returns": lambda n: "def f(a):\n" + _lines("    if a == {i}: return\n", n) + "    f(a)\n",
    "asserts": lambda n: "def f(a):\n" + _lines("    assert a != {i}\n", n) + "    f(a)\n",
    "statements after calls": lambda n: "def f():\n" + "    f()\n" * n,
    "statements in a row": lambda n: "x = 1; " * n + "\n",
    "stores": lambda n: "class C:\n    def __init__(self):\n" + _lines("        self.a{i} = self.a{last}\n", n),
    "returns": lambda n: "def f(a):\n" + _lines("    if a: return f{i}\n", n) + "f(1)()()()\n",
    "registry": lambda n: "r = []\n" + _lines("def f{i}(): pass\nr.append(f{i})\n", n) + "for g in r: g()\n",
    "table": lambda n: f"t = {{{_list('{i}: print', n)}}}\nt[1]()\n",
    "f-string": lambda n: "a = 1\nx = f'" + "{a}" * n + "'\n",
    "f-strings": lambda n: "a = 1\n" + "x = f'{a}'\n" * n,
    "sum in an f-string": lambda n: "x = f'{1" + " + 1" * n + "}'\n",
    "comments": lambda n: _lines("# loopsafe: runs-on=thread{i}\n", n),
    "silenced": lambda n: "x = 1  # noqa: " + "A1," * n + "\n",
    "rows of a string": lambda n: "x = '''# noqa\n" + "a\n" * n + "'''\n",
    "type comment": lambda n: f"x = []  # type: a{'.b' * n}\n",
    "operations": lambda n: (
        "import asyncio, threading\nclass C(threading.Thread):\n"
        "    def __init__(self): self.q = asyncio.Queue(); self.loop = asyncio.get_running_loop()\n"
        "    def run(self):\n" + "        self.q.put_nowait(1)\n" * n
    ),
    "operations in a row": lambda n: (
        "import asyncio, threading\nclass C(threading.Thread):\n    def __init__(self): self.q = asyncio.Queue()\n"
        "    def run(self): " + "self.q.put_nowait('é'); " * n + " # noqa: LSF101\n"
    ),
    "long name": lambda n: f"{'a' * n} = print\n{'a' * n}()\n",
    "digits": lambda n: f"x = {'9' * n}\ny[0x{'f' * n}]()\n",
    "spaces": lambda n: f"x = 1  # noqa: A1{' ' * n}x\n# loopsafe:{' ' * n}x\n",
    "empty comments": lambda n: ("#" + " " * 50) * n + "\n",
}
DEEP: dict[str, Callable[[int], str]] = {
    "parentheses": _around("(", "1", ")"),
    "lists": _around("[", "", "]"),
    "dictionaries": _around("{1: ", "1", "}"),
    "nested calls": _around("f(", "1", ")"),
    "comprehensions": _around("[", "a", " for a in b]"),
    "nested f-strings": _around("f'{", "1", "}'"),
    "annotation": lambda n: f"def f(q: {'list[' * n}int{']' * n}): q.put_nowait(1)\n",
    "quoted annotation": lambda n: f"def f(q: '{'list[' * n}int{']' * n}'): q.put_nowait(1)\n",
    "deep type comment": lambda n: f"x = []  # type: {'List[' * n}int{']' * n}\n",
    "unpacking": lambda n: f"{'[' * n}a{',]' * n} = x\n",
    "patterns": lambda n: f"match x:\n    case {'[' * n}a{']' * n}: pass\n",
    "functions in functions": lambda n: _blocks("def f{i}():", n),
    "classes in classes": lambda n: _blocks("class C{i}:", n),
    "if": lambda n: _blocks("if a:", n),
    "while": lambda n: _blocks("while a:", n),
    "for": lambda n: _blocks("for a{i} in a:", n),
    "nested with": lambda n: _blocks("with a as b{i}:", n),
    "try": lambda n: _blocks("try:", n, "except E: g()"),
    "match": lambda n: (
        "\n".join("  " * i + ("match x:" if i % 2 == 0 else "case y:") for i in range(2 * n))
        + "\n"
        + "  " * 2 * n
        + "f()\n"
    ),
    "unclosed parentheses": lambda n: "(" * n,
    "unclosed braces": lambda n: "a.b" + ".{" * n + ":\n",
    "unclosed calls": lambda n: "f(" * n + "a=\n",
    "unclosed f-strings": lambda n: "x = " + "f'{" * n + "\n",
    "unclosed lambdas": lambda n: "x = " + "lambda a=(" * n + "\n",
    "mixed brackets": lambda n: "x = " + "([{" * n + "\n",
}
_SAMPLE = 10_000
_LENGTHS = (200, 900, 5_000, 20_000)
_DEPTHS = (18, 21, 45, 90, 99, 150, 199, 300, 1_000, 5_000)

NESTING = [
    *(text(f"{name}, {n} long", lambda shape=shape, n=n: shape(n)) for name, shape in CHAINS.items() for n in _LENGTHS),
    *(text(f"{name}, {n} deep", lambda shape=shape, n=n: shape(n)) for name, shape in DEEP.items() for n in _DEPTHS),
]


def _filling(shape: Callable[[int], str]) -> str:
    """As much of a shape as a file may be of, in bytes and in tokens."""
    sample = shape(_SAMPLE)
    tokens = len(re.findall(r"\w+|[^\w\s]", sample))
    # Numbers get longer.
    return shape(int(_SAMPLE * min(3_400_000 / len(sample), 193_000 / tokens)))


FILLING = [
    text(f"{name}, filling a file", lambda shape=shape: _filling(shape), never=True) for name, shape in CHAINS.items()
]
