"""Random programs around each shape of a fix: arguments, layout, comments, nesting, and the bytes of the file.

A `Shape` is an operation that has a fix, and says what must become of it. A program is a class with some methods that
run on threads of their own; each holds one operation of the shape, written and nested in some way.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

Expected = Callable[[ast.Call], ast.expr]

_VALUES = st.sampled_from(
    [
        "x", "größe", "self.loop", "f(1, k=2)", "(1,\n 2)", '"text # none"', "'''a\n b'''", "[i for i in y]", "not x",
        "lambda: (yield)", "x if y else None", "(x := 1)", "{**y}", "x[1:, ...]", "(i for i in y)", "-1", "b''",
    ]
)  # fmt: skip
_GAPS = st.sampled_from(
    ["", "", "", " ", "\n            ", "  # why, (really) 'now\"\n\t", "\n\n  # a\n  # b\n  ", "\\\n ", "\t"]
)
_SPELLINGS = st.sampled_from(
    ["{0}.{1}", "{0}.{1}", "{0}.{1}", "({0}).{1}", "({0}\n .{1})", "{0} . {1}", "{0}.\\\n  {1}"]
)

_STATEMENTS = (
    "{}", "{};  # after\n", "y = 1; {}; z = 2", "'ö'; {}  # größer", "try:\n    {}\nfinally:\n    pass",
    "try:\n    pass\nfinally:\n    {}", "try:\n    {}\nexcept OSError:\n    raise",
    "try:\n    pass\nexcept OSError:\n    {}",
    "with open('x') as file:\n    {}\n", "with open('x') as file: {}", "if x: {}", "if x:\n    pass\nelif y:\n    {}",
    "if x:\n    pass\nelse:  # no\n    {}  # yes", "for i in y:\n    {}\nelse:\n    pass", "while x: {}",
    "match x:\n    case 1: pass\n    case _:\n        {}", "(lambda: {})()", "act = lambda z=1: {}\nact()",
    "def inner():\n    '''Doc.'''\n    {}\n\n\ninner()", "if x:\n    if y:\n        with z:\n            {}",
)  # fmt: skip
_EXPRESSIONS = (
    "[{} for i in y]", "any({} for i in y)", "z = {}", "return {}", "print({})", "x and {}", "{} if x else None",
    "[0, {}]", "z: object = {}", "assert ({}) is None", "(z := {})", "y[{}] = 1", "return [1, *({})]",
)  # fmt: skip
_USES = ("z = {}", "return {}", "print({})", "z: object = {}", "assert ({}) is None", "y[{}] = 1")
_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "latin-1", "cp1252")
_HEADS = (
    "", '"""Doc."""\n', "#!/usr/bin/env python\n# Licence: none\n\n",
    "# About it.\nfrom __future__ import annotations\n", '"""Doc."""; from __future__ import annotations\n\n',
    "import os; import re\n", "try:\n    import ujson\nexcept ImportError:\n    pass\n",
)  # fmt: skip
_FUNCTOOLS = ("", "", "import functools\n", "from functools import partial\n", "import functools as ft\n")


@dataclass(frozen=True, slots=True)
class Shape:
    """An operation that has a fix.

    Attributes:
        receiver, method: what is called; without a receiver the method is a whole expression.
        arguments: texts of its arguments.
        expected: the call that must stand in the place of this one, for a reader of Python.
        setup: rows of the coroutine that starts the threads.
        start: the row that starts a thread for a method.
        imports: further imports.
        method_head: the head of the methods on threads.
        refusals: parts of reasons for which the fixer may leave the call alone.
        declines: reasons for which no fix may be planned.
        captures: the row by which the fix takes a loop that is in no scope.
        value: whether the call stands for a value, so that it can stand within expressions.
        statement: whether it can stand where nothing becomes of it.
        awaited: whether the call is awaited.
    """

    name: str
    receiver: str
    method: str
    arguments: st.SearchStrategy[list[str]]
    expected: Expected
    setup: str = ""
    start: str = "threading.Thread(target=self.{0}).start()"
    imports: str = ""
    method_head: str = "def {0}(self):"
    refusals: tuple[str, ...] = ()
    declines: tuple[str, ...] = ()
    captures: str = ""
    value: bool = True
    statement: bool = True
    awaited: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Program:
    """A file's text and encoding, and the text of each operation in it."""

    encoding: str
    text: str
    calls: tuple[str, ...]

    @property
    def data(self) -> bytes:
        """The file's content."""
        return self.text.encode(self.encoding)

    def __repr__(self) -> str:
        return f"{self.text!r} in {self.encoding}: {self.calls}"


@st.composite
def programs(draw: st.DrawFn, shape: Shape) -> Program:
    """A program with one to three operations of the shape."""
    calls = [_call(draw, shape) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))]
    unit = draw(st.sampled_from(["    ", "    ", "  ", "\t"]))
    bodies = [_method(draw, shape, f"work{number}", call) for number, call in enumerate(calls)]
    starts = "".join(f"        {shape.start.format(f'work{number}')}\n" for number in range(len(calls)))
    rows = filter(None, ["" if shape.captures else "self.loop = asyncio.get_running_loop()", shape.setup])
    setup = "".join(f"        {row}\n" for row in rows)
    text = (
        f"{_head(draw, shape)}\n\ndef f(*_, **__): return 1\n\n\n"
        f"class Worker:\n    async def start(self):\n{setup}{starts}\n    async def job(self, *_, **__): return 1\n\n"
        f"    def touch(self, *_, **__): print(_)\n\n{''.join(bodies)}"
    )
    return _as_file(draw, text, calls, unit)


def _call(draw: st.DrawFn, shape: Shape) -> str:
    function = draw(_SPELLINGS).format(shape.receiver, shape.method) if shape.receiver else shape.method
    return f"{function}{draw(st.sampled_from(['', '', ' ']))}({_inside(draw, draw(shape.arguments))})"


def _inside(draw: st.DrawFn, arguments: list[str]) -> str:
    parts = [draw(_GAPS) + argument + draw(_GAPS) for argument in arguments]
    if not parts:
        return draw(_GAPS)
    comma = draw(st.sampled_from(["", ","])) + draw(_GAPS)
    # A generator without parentheses of its own can have no comma after it.
    return ",".join(parts) + ("" if arguments == ["i for i in y"] else comma)


def _method(draw: st.DrawFn, shape: Shape, name: str, call: str) -> str:
    nestings = _STATEMENTS + (_EXPRESSIONS if shape.value else ()) if shape.statement else _USES
    if shape.awaited:
        nestings = tuple(nesting for nesting in nestings if not re.search("lambda|def |any", nesting))
    nesting = draw(st.sampled_from(nestings))
    # Rows of the call itself are not to be indented: a string may go over several.
    body = "".join(f"        {row}\n" if row else "\n" for row in nesting.split("\n"))
    head = "x = y = z = 1" if "{}" in nesting and draw(st.booleans()) else "größe = x = y = z = 2"
    written = f"await {call}" if shape.awaited else call
    return f"    {shape.method_head.format(name)}\n        {head}\n{body.replace('{}', written)}\n"


def _head(draw: st.DrawFn, shape: Shape) -> str:
    functools = draw(st.sampled_from(_FUNCTOOLS))
    before, after = draw(st.sampled_from([("", functools), (functools, "")]))
    return f"{draw(st.sampled_from(_HEADS))}import asyncio\n{before}import threading\n{shape.imports}{after}"


def _as_file(draw: st.DrawFn, text: str, calls: list[str], unit: str) -> Program:
    """Choose the bytes: encoding, line ends, form feeds, the end of the file."""
    encoding = draw(st.sampled_from(_ENCODINGS))
    if encoding in ("latin-1", "cp1252"):
        text = f"# -*- coding: {encoding} -*-\n{text}"
    if draw(st.booleans()):
        text = text.replace("\n\nclass Worker", "\n\x0c\nclass Worker").replace("\n    def ", "\n\x0c    def ")
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    text, calls = _indented(text, calls, unit)
    text, *calls = (part.replace("\n", newline) for part in (text, *calls))
    text = text.rstrip("\r\n") + draw(st.sampled_from(["", newline, newline * 3]))
    return Program(encoding, text, tuple(calls))


def _indented(text: str, calls: list[str], unit: str) -> tuple[str, list[str]]:
    def indent(match: re.Match[str]) -> str:
        return match[1] + unit * (len(match[2]) // 4) + " " * (len(match[2]) % 4)

    marked = text
    for number, call in enumerate(calls):
        marked = marked.replace(call, f"\0{number}\0", 1)
    marked = re.sub(r"(?m)(^\x0c?)( +)", indent, marked)
    return re.sub(r"\0(\d)\0", lambda match: calls[int(match[1])], marked), calls


def nothing() -> st.SearchStrategy[list[str]]:
    """No argument."""
    return st.just([])


def item(*keywords: str) -> st.SearchStrategy[list[str]]:
    """One argument, plain, starred, or by one of the keywords."""
    bare = st.just(["i for i in y"])
    named = st.tuples(st.sampled_from(keywords), _VALUES).map(lambda pair: ["=".join(pair)])
    starred = st.sampled_from([["*y"], ["*[1]"], ["**y"], ["*y", "**z"]])
    return st.one_of(_VALUES.map(lambda value: [value]), named, starred, bare)


def callback(*before: str, named: bool = True) -> st.SearchStrategy[list[str]]:
    """A function and arguments for it, after the arguments `before`."""
    functions = st.sampled_from(["print", "self.touch", "lambda: 1", "f(1)"])
    values = st.lists(_VALUES | st.sampled_from(["*y"]), max_size=3)
    keywords = st.sampled_from([[], [], ["context=None"]] if named else [[]])
    return st.tuples(functions, values, keywords).map(lambda drawn: [*before, drawn[0], *drawn[1], *drawn[2]])


def coroutine(*, loop: bool = False) -> st.SearchStrategy[list[str]]:
    """A coroutine, made on the spot."""
    made = st.sampled_from(["self.job()", "self.job(x, k=1)", "self.job(\n  1,  # one\n )", "self.job(*y)"])
    rest = st.sampled_from([["loop=self.loop"]]) if loop else st.just([])
    return st.tuples(made, rest).map(lambda drawn: [drawn[0], *drawn[1]])


def timed(operation: str) -> st.SearchStrategy[list[str]]:
    """A delay, an operation and arguments for it."""
    tuples = st.one_of(_VALUES.map("({},)".format), st.sampled_from(["[1]", "y"]))
    plain = st.one_of(tuples.map(lambda args: [args]), tuples.map(lambda args: [f"args={args}"]))
    named = st.sampled_from([["kwargs={'item': 1}"], ["kwargs=y"], ["[]", "{'item': 1}"]])
    return st.one_of(
        st.one_of(plain, named).map(lambda rest: ["1", operation, *rest]),
        tuples.map(lambda args: [f"args={args}", f"function={operation}", "interval=1"]),
    )


@st.composite
def called(draw: st.DrawFn, function: str, arguments: st.SearchStrategy[list[str]], *before: str) -> list[str]:
    """The mistake of calling what was to be passed."""
    return [*before, f"{function}({_inside(draw, draw(arguments))})"]


def expression(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


def passed(crossing: str) -> Expected:
    """`f(a, k=v)` to `crossing(partial(f, a, k=v))`."""
    return lambda call: ast.Call(expression(crossing), _as_callback(call), [])


def _as_callback(call: ast.Call) -> list[ast.expr]:
    if call.keywords:
        return [ast.Call(expression("functools.partial"), [call.func, *call.args], call.keywords)]
    return [call.func, *call.args]


def renamed(name: str) -> Expected:
    """`a.f(x)` to `a.name(x)`."""
    return lambda call: ast.Call(ast.Attribute(call.func.value, name, ast.Load()), call.args, call.keywords)  # type: ignore[attr-defined]


def scheduled(call: ast.Call) -> ast.expr:
    """`create_task(c())` to `loop.call_soon_threadsafe(loop.create_task, c())`."""
    handed = [expression("self.loop.create_task"), call.args[0]]
    return ast.Call(expression("self.loop.call_soon_threadsafe"), handed, [])


def threadsafe(call: ast.Call) -> ast.expr:
    """`create_task(c())` to `asyncio.run_coroutine_threadsafe(c(), loop)`."""
    return ast.Call(expression("asyncio.run_coroutine_threadsafe"), [call.args[0], expression("self.loop")], [])


def waited(call: ast.Call) -> ast.expr:
    """The same, and its result."""
    return ast.Call(ast.Attribute(threadsafe(call), "result", ast.Load()), [], [])


def bridged(call: ast.Call) -> ast.expr:
    """`await f(x)` to a wait for the other loop."""
    return ast.Call(
        expression("asyncio.wrap_future"),
        [ast.Call(expression("asyncio.run_coroutine_threadsafe"), [call, expression("self.loop")], [])],
        [],
    )


def bound(operation: str) -> Expected:
    """`Timer(1, a.f)` to `Timer(1, functools.partial(loop.call_soon_threadsafe, a.f))`."""

    def bind(value: ast.expr) -> ast.expr:
        if ast.unparse(value) != operation:
            return value
        return ast.Call(expression("functools.partial"), [expression("self.loop.call_soon_threadsafe"), value], [])

    def expected(call: ast.Call) -> ast.expr:
        # `call_soon_threadsafe` has no place for them.
        assert len(call.args) < 4
        assert all(keyword.arg != "kwargs" for keyword in call.keywords)
        keywords = [ast.keyword(keyword.arg, bind(keyword.value)) for keyword in call.keywords]
        return ast.Call(call.func, list(map(bind, call.args)), keywords)

    return expected


def uncalled(position: int = 0) -> Expected:
    """`g(f(x))` to `g(f, x)`."""

    def expected(call: ast.Call) -> ast.expr:
        inner = call.args[position]
        assert isinstance(inner, ast.Call)
        args = [*call.args[:position], *_as_callback(inner), *call.args[position + 1 :]]
        return ast.Call(call.func, args, call.keywords)

    return expected


def as_target(call: ast.Call) -> ast.expr:
    """`Thread(target=f(x))` to `Thread(target=f, args=(x,))`."""
    inner = call.keywords[0].value
    assert isinstance(inner, ast.Call)
    if inner.keywords:
        return ast.Call(call.func, [], [ast.keyword("target", _as_callback(inner)[0])])
    args = [ast.keyword("args", ast.Tuple(inner.args, ast.Load()))] if inner.args else []
    return ast.Call(call.func, [], [ast.keyword("target", inner.func), *args])


_THREADSAFE = passed("self.loop.call_soon_threadsafe")
_QUEUE = "self.queue = asyncio.Queue()"
_NEEDED = "what it returns is needed on this thread"
_UNSURE = ("a comment stands where", "given arguments already")
_WAITS = "threading.Thread(target=self.{0}).start(); await self.queue.get()"
_ELSEWHERE = "threading.Thread(target=lambda: asyncio.run(self.{0}())).start(); await self.queue.get()"
_ASYNC = "async def {0}(self):"

SHAPES = (
    Shape("queue", "self.queue", "put_nowait", item("item"), _THREADSAFE, _QUEUE),
    Shape(
        "capture", "self.queue", "put_nowait", item("item"), passed("self._loop.call_soon_threadsafe"), _QUEUE,
        captures="self._loop = asyncio.get_running_loop()",
    ),
    Shape("event", "self.event", "set", nothing(), _THREADSAFE, "self.event = asyncio.Event()"),
    Shape("future", "self.done", "set_result", item("result"), _THREADSAFE, "self.done = self.loop.create_future()"),
    Shape("call_soon", "self.loop", "call_soon", callback(), renamed("call_soon_threadsafe")),
    Shape("call_later", "self.loop", "call_later", callback("1"), _THREADSAFE, declines=(_NEEDED,)),
    Shape("stop", "self.loop", "stop", nothing(), _THREADSAFE),
    Shape("create_task", "self.loop", "create_task", coroutine(), scheduled, value=False),
    Shape("create_task that is kept", "self.loop", "create_task", coroutine(), threadsafe, statement=False),
    Shape(
        "ensure_future", "asyncio", "ensure_future", coroutine(loop=True), scheduled,
        refusals=("the loop is given among other arguments",), value=False,
    ),
    Shape("ensure_future that is kept", "asyncio", "ensure_future", coroutine(loop=True), threadsafe, statement=False),
    Shape(
        "writer", "self.writer", "write", item("data"), _THREADSAFE,
        "_, self.writer = await asyncio.open_connection('h', 1)",
    ),
    Shape(
        "anyio", "self.out", "send_nowait", item("item"), passed("anyio.from_thread.run_sync"),
        "self.out, _ = anyio.create_memory_object_stream(1)", "await anyio.to_thread.run_sync(self.{0})",
        "import anyio\n",
    ),
    Shape(
        "trio", "self.out", "send_nowait", item("value"), passed("trio.from_thread.run_sync"),
        "self.out, _ = trio.open_memory_channel(1)", "await trio.to_thread.run_sync(self.{0})", "import trio\n",
    ),
    Shape(
        "uncall", "self.loop", "call_soon_threadsafe", called("self.touch", item("item")), uncalled(),
        refusals=_UNSURE,
    ),
    Shape("uncall nothing", "asyncio", "to_thread", called("self.touch", nothing()), uncalled(), refusals=_UNSURE),
    Shape(
        "uncall executor", "self.loop", "run_in_executor", called("self.touch", item("item"), "None"), uncalled(1),
        refusals=_UNSURE,
    ),
    Shape(
        "uncall target", "threading", "Thread", called("target=self.touch", item("item")), as_target,
        refusals=_UNSURE,
    ),
    Shape(
        "handed", "threading", "Timer", timed("self.queue.put_nowait"), bound("self.queue.put_nowait"), _QUEUE,
        declines=("the operation is given keyword arguments",),
    ),
    Shape("wait", "asyncio", "run", called("self.queue.put", item("item")), waited, _QUEUE, _WAITS),
    Shape(
        "bridge", "self.queue", "put", item("item"), bridged, _QUEUE, _ELSEWHERE, method_head=_ASYNC, awaited=True
    ),
    Shape(
        "queue elsewhere", "self.queue", "put_nowait", item("item"), _THREADSAFE, _QUEUE, _ELSEWHERE,
        method_head=_ASYNC,
    ),
)  # fmt: skip
