"""The call graph as exported: who calls whom, for the features of the language that pass functions around.

Each program stands for one feature. `# calls` says what the function around that row calls there, by names as from
inside the module; rows without it call nothing. Lambdas as callers are left out.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from loopsafe.frontends.commands.asking.callgraph import call_edges
from tests.support.scripts import ROOT

PROGRAMS = {
    "element after a star": """
        def f(): ...
        def g(): ...
        def h(): ...
        head = [f]
        every = [g, *head, h]
        every[0]()  # calls g, h
        every[1]()  # calls f, h
    """,
    "element counted from the end": """
        def f(): ...
        def g(): ...
        steps = [f, g]
        steps[-1]()  # calls g
    """,
    "last of an unpacking": """
        def f(): ...
        def g(): ...
        def h(): ...
        *rest, last = f, g, h
        last()  # calls h
    """,
    "slice": """
        def f(): ...
        def g(): ...
        def h(): ...
        steps = [f, g, h]
        steps[1:][1]()  # calls h
        steps[:2][0]()  # calls f
        for step in steps[2:]:
            step()  # calls f, g, h
    """,
    "slice from an unknown start": """
        def f(): ...
        def g(): ...
        n = int("1")  # calls <builtin>.int
        [f, g][n:][0]()  # calls f, g
    """,
    "slice of a class of the project": """
        class Steps:
            def __getitem__(self, which):
                return f
        def f(): ...
        Steps()[1:]()  # calls f
    """,
    "key from another name": """
        def f(): ...
        def g(): ...
        START = "start"
        steps = {"start": f, "stop": g}
        class Names:
            stop = "stop"
        steps[START]()  # calls f
        steps[Names.stop]()  # calls g
    """,
    "key that nobody gives": """
        def f(): ...
        def g(): ...
        steps = {"start": f, "stop": g}
        def run(name):
            steps[name]()  # calls f, g
    """,
    "key that is computed": """
        def f(): ...
        def g(): ...
        steps = {"start": f, "stop": g}
        def run(event):
            name = "start"
            if event:
                name = event.name
            steps[name]()  # calls f, g
    """,
    "iterator of its own": """
        class Lines:
            def __iter__(self):
                return Reader()
        class Reader:
            def __next__(self):
                return f
        def f(): ...
        for each in Lines():  # calls Lines.__iter__, Reader.__next__
            each()  # calls f
    """,
    "comprehension over an iterator": """
        class Lines:
            def __iter__(self):
                yield f
        def f(): ...
        found = [each() for each in Lines()]  # calls Lines.__iter__, f
    """,
    "async for": """
        class Lines:
            def __aiter__(self):
                return self
            async def __anext__(self):
                return 1
        async def run():
            async for line in Lines():  # calls Lines.__aiter__, Lines.__anext__
                pass
    """,
    "raised class": """
        class Broken(Exception):
            def __init__(self): ...
        class Worse(Broken): ...
        def run(error):
            raise Worse  # calls Broken.__init__
        def again(error=Broken()):  # calls Broken.__init__
            raise error
    """,
    "context manager": """
        class Lock:
            def __enter__(self):
                return f
            def __exit__(self, *exc): ...
        def f(): ...
        with Lock() as held:  # calls Lock.__enter__, Lock.__exit__
            held()  # calls f
    """,
    "property": """
        class Player:
            @property
            def state(self):
                return f
        def f(): ...
        Player().state()  # calls Player.state, f
        Player().state  # calls Player.state
    """,
    "decorators run where the function is defined": """
        def log(f):
            def wrapper(*args, **kwargs):
                return f(*args, **kwargs)  # calls setup.add
            return wrapper
        def setup():
            @log  # calls log
            def add(a, b): ...
            add(1, 2)  # calls log.wrapper
    """,
    "decorator with arguments on a method": """
        def retry(times):
            def decorate(f):
                def wrapper(self):
                    f(self)  # calls Job.run
                return wrapper
            return decorate
        class Job:
            @retry(3)  # calls retry, retry.decorate
            def run(self): ...
        Job().run()  # calls retry.decorate.wrapper
    """,
    "closure over a changing variable": """
        def make():
            action = None
            def run():
                action()  # calls f
            def choose():
                nonlocal action
                action = f
            choose()  # calls make.choose
            return run
        def f(): ...
        make()()  # calls make, make.run
    """,
    "keywords through two functions": """
        def outer(**options):
            inner(**options)  # calls inner
        def inner(*, done, failed=None):
            done()  # calls f
        def f(): ...
        def g(): ...
        outer(done=f, failed=g)  # calls outer
    """,
    "super in a diamond": """
        class Base:
            def run(self): ...
        class Left(Base):
            def run(self):
                super().run()  # calls <builtin>.super, Base.run, Right.run
        class Right(Base):
            def run(self):
                super().run()  # calls <builtin>.super, Base.run
        class Both(Left, Right):
            def run(self):
                super().run()  # calls <builtin>.super, Left.run
        Both().run()  # calls Both.run
    """,
    "generator that hands on another": """
        def first():
            yield f
        def second():
            yield from first()  # calls first
        def f(): ...
        for each in second():  # calls second
            each()  # calls f
    """,
    "first of a generator": """
        def steps():
            yield f
        def f(): ...
        next(steps())()  # calls <builtin>.next, steps, f
        for number, step in enumerate(steps()):  # calls <builtin>.enumerate, steps
            step()  # calls f
    """,
    "map gives what the function gives": """
        def make(x):
            return x
        def f(): ...
        for made in map(make, [f]):  # calls <builtin>.map, make
            made()  # calls f
    """,
    "lambdas are numbered within their scope": """
        def make():
            return lambda: f(), lambda: g()
        def f(): ...
        def g(): ...
        a, b = make()  # calls make
        a()  # calls make.<lambda1>
        b()  # calls make.<lambda2>
    """,
    "sort key": """
        def size(item): ...
        sorted([1, 2], key=size)  # calls <builtin>.sorted, size
    """,
    "library names": """
        import os.path as p
        from json import loads as read, JSONDecoder
        from somewhere.else_ import Thing
        p.join("a", "b")  # calls os.path.join
        read("{}").get("a")  # calls json.loads, json.loads.get
        decoder = JSONDecoder()  # calls json.JSONDecoder
        decoder.decode("{}")  # calls json.JSONDecoder.decode
        "a-b".split("-")  # calls <**PyStr**>.split
        [1].append(2)  # calls <**PyList**>.append
        class Mine(Thing):
            def go(self):
                self.stop()  # calls somewhere.else_.Thing.stop
        Mine().go()  # calls somewhere.else_.Thing.__init__, Mine.go
    """,
}

PROJECT = {
    "app/__init__.py": "from .tools import *\nfrom .tools import _hidden as shown\n",
    "app/tools.py": """
        __all__ = ["cut", "_odd"]
        def cut(): ...
        def glue(): ...
        def _odd(): ...
        def _hidden(): ...
        """,
    "app/plain.py": """
        def saw(): ...
        def _own(): ...
        """,
    "main.py": """
        import app.tools
        import app
        from app import *
        from app.plain import *
        app.cut()
        app.tools.glue()
        app.shown()
        app.glue()
        app._odd()
        saw()
        _own()
        print()
        def late():
            from app import tools as t
            t.cut()
        """,
}


def written(tree: ast.Module) -> Iterator[tuple[str, int, int]]:
    """Every function and class by its dotted name, with the rows of its body."""
    pending: list[tuple[str, ast.stmt]] = [("main", node) for node in tree.body]
    while pending:
        around, node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{around}.{node.name}"
            first = [node.body[0], *getattr(node.body[0], "decorator_list", ())]
            yield name, min(part.lineno for part in first), node.end_lineno or 0
            pending += [(name, inner) for inner in node.body]


def expected_edges(source: str) -> set[tuple[str, str]]:
    """What the comments of a program say."""
    tree = ast.parse(source)
    own = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))}
    edges = set()
    for row, line in enumerate(source.split("\n"), 1):
        caller = "main"
        for name, first, last in written(tree):
            if first <= row <= last and len(name) > len(caller):
                caller = name
        for callee in re.findall(r"[^\s,]+", line.partition("# calls")[2]):
            edges.add((caller, f"main.{callee}" if callee.split(".")[0] in own else callee))
    return edges


def found_edges(folder: Path, files: dict[str, str]) -> set[tuple[str, str]]:
    (folder / "pyproject.toml").write_text("[tool.loopsafe]\n")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(text))
    graph = call_edges((str(folder),))
    return {(caller, callee) for caller, callees in graph.items() for callee in callees if "<lambda" not in caller}


@pytest.mark.parametrize("feature", PROGRAMS)
def test_one_module(feature: str, tmp_path: Path) -> None:
    source = dedent(PROGRAMS[feature])
    assert found_edges(tmp_path, {"main.py": source}) == expected_edges(source)


def test_imports(tmp_path: Path) -> None:
    assert found_edges(tmp_path, PROJECT) == {
        ("main", "app.tools.cut"),
        ("main", "app.tools.glue"),
        ("main", "app.tools._hidden"),
        ("main", "app.tools._odd"),
        ("main", "app.plain.saw"),
        ("main", "<builtin>.print"),
        ("main.late", "app.tools.cut"),
    }


def test_the_command_prints_json(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.loopsafe]\n")
    (tmp_path / "main.py").write_text("def f(): ...\nf()\n")
    command = [sys.executable, "-m", "loopsafe.frontends.commands.asking.callgraph", str(tmp_path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == {"main": ["main.f"], "main.f": []}
    assert done.returncode == 0


def test_the_benchmark_counts_edges(tmp_path: Path) -> None:
    home = tmp_path / "functions" / "call"
    home.mkdir(parents=True)
    (home / "main.py").write_text("def f(): ...\ndef g(): ...\nf()\ng()\n")
    (home / "callgraph.json").write_text(json.dumps({"main": ["main.f", "main.h"], "main.f": ["main.g"]}))
    command = [sys.executable, "-m", "benchmarks.callgraph.run", str(tmp_path), "--edges"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[3:] == [
        "| all | 1 | 3 | 1 | 1 | 33.3% | 50.0% |",
        "functions/call: missed main -> main.h",
        "functions/call: missed main.f -> main.g",
        "functions/call: wrong main -> main.g",
    ]
