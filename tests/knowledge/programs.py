"""Tiny programs, one for each name of each row of the packs: a handler that fills a queue, handed over as the row says.

A program's expected findings are the rows of its own text that end in `# here`. Programs of one project are analysed
together; those that differ in what the whole project calls or imports are kept apart by `project`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loopsafe.knowledge.load import Knowledge, built_in_packs
from loopsafe.knowledge.schema import (
    AssignRow,
    Callable,
    DecoratorRow,
    EntryRow,
    OperationRow,
    OverrideRow,
    Pack,
    Row,
    RunsRow,
    StartRow,
    WaitRow,
)

ALL = Knowledge(built_in_packs())
STARTING = ("thread", "signal", "finalizer", "exit")
# At exit only loops in daemon threads still run.
_DAEMON = "\n\nthreading.Thread(target=asyncio.new_event_loop().run_forever, daemon=True).start()\n"
CODES = {
    "channel": "LSF101",
    "queue": "LSF102",
    "sync-primitive": "LSF103",
    "future": "LSF104",
    "loop-call": "LSF105",
    "transport": "LSF106",
    "task-creation": "LSF107",
    "framework": "LSF109",
}
_GOES_TO = {
    "thread": "threading.Thread(target=self.work).start()",
    "signal": "signal.signal(signal.SIGTERM, self.work)",
    "finalizer": "weakref.finalize(self, self.work)",
}
FILL = "self._queue.put_nowait(1)"


@dataclass(frozen=True)
class Program:
    """One module: `id` names the test, `code` is the rule that speaks on the rows marked `# here`."""

    id: str
    text: str
    project: str
    code: str = "LSF102"

    @property
    def rows(self) -> list[int]:
        """The rows on which there must be a finding."""
        return [row for row, line in enumerate(self.text.splitlines(), 1) if line.endswith("# here")]


def programs(pack: Pack) -> list[Program]:
    """All programs of one pack."""
    makers = (
        (pack.runs, _runs),
        (pack.decorators, _decorators),
        (pack.overrides, _overrides),
        (pack.assigns, _assigns),
        (pack.entries, _entries),
        (pack.operations, _operations),
        (pack.waits, _waits),
    )
    return [p for rows, make in makers for row in rows for name in row.names for p in make(pack, row, name)]  # type: ignore[operator]


def owner_of(name: str) -> str:
    """The class whose method or attribute this is; empty for what lies in a module."""
    owner = ALL.canonical(name.rpartition(".")[0])
    return name.rpartition(".")[0] if ALL.is_known(owner) else ""


def _imports(pack: Pack, name: str) -> str:
    """Import the library as deep as the pack's own `imports` go, and those whose decorators its rows speak of."""
    root = next((i for i in pack.imports if name.startswith(f"{i}.")), name.partition(".")[0])
    others = [i for i in pack.imports[:1] if root not in pack.imports]
    speaking = (row for table in (pack.runs, pack.overrides, pack.assigns) for row in table)
    decorating = {name.partition(".")[0] for row in speaking for name in row.unless_decorated}
    modules = ["asyncio", "signal", "threading", "weakref", *others, root, *sorted(decorating)]
    return "".join(f"import {module}\n" for module in dict.fromkeys(modules))


def _project(row: StartRow, kind: str = "") -> str:
    return kind or "-".join(row.only_if_called or row.only_if_handed) or ("exit" if row.where == "exit" else "")


def _going(row: StartRow) -> str:
    """A call that sets going what the row speaks of."""
    if row.where == "exit":
        return _DAEMON
    if row.after_call:
        return f"\n\ndef set_going(thing: Case) -> None:\n    thing.{row.after_call}(None)\n"
    calls = [f"thing.{name}()" for name in row.only_if_called] or [f"run(thing.{name})" for name in row.only_if_handed]
    return f"\n\ndef set_going(thing, run) -> None:\n    {calls[0]}\n" if calls else ""


def _mark(expected: bool) -> str:
    return "  # here" if expected else ""


def _variants(row: StartRow) -> Iterator[tuple[str, str, str, bool]]:
    """Kind, what stands before `def`, decorator line, and whether a finding is due."""
    due = row.where in STARTING
    yield "", "", "", due
    yield "async", "async ", "", False
    for name in row.unless_decorated:
        yield "decorated", "", f"    @{name}\n", False


def _handler(prefix: str, decorator: str, expected: bool) -> str:
    return f"{decorator}    {prefix}def handed(self, *args: object, **kwargs: object) -> None:\n        {FILL}{_mark(expected)}\n"


def _case(pack: Pack, name: str, thing: str, body: str, handler: str) -> str:
    given = f", thing: {thing}" if thing else ""
    kept = "        self._thing = thing\n" if thing else ""
    return (
        f"{_imports(pack, name)}\n\nclass Case:\n    def __init__(self{given}) -> None:\n"
        f"        self._queue: asyncio.Queue[int] = asyncio.Queue()\n{kept}\n"
        f"    async def start(self) -> None:\n        {body}\n        await self._queue.get()\n\n{handler}"
    )


def _runs(pack: Pack, row: RunsRow, name: str) -> Iterator[Program]:
    if row.coroutine or row.where not in (*STARTING, "process"):
        return
    owner = owner_of(name)
    function = f"self._thing.{name.rpartition('.')[2]}" if owner else name
    when = [f"{key}={value!r}" for key, value in row.when.items()]

    def program(kind: str, args: list[str], handler: str, project: str = "", going: str = _going(row)) -> Program:
        text = _case(pack, name, owner, f"{function}({', '.join(args)})", handler) + going
        return Program(f"{name}-{kind}", text, project or _project(row))

    for number, given in enumerate(row.callables):
        wanted = Callable(given.position, given.keyword) if given.method_of else given
        for way, args in _ways(wanted):
            for kind, prefix, decorator, due in _variants(row):
                if kind != "async" or not (wanted.iterated or wanted.methods):
                    handler = _taken(wanted, prefix, decorator, due)
                    yield program(f"{number}-{way}-{kind}", [*args, *when], handler)
            if row.when:
                yield program(f"{number}-{way}-unless-when", args, _handler("", "", False))
            for other in row.unless_given:
                if other.keyword:
                    yield program(f"{number}-{way}-given", [*args, f"{other.keyword}=self"], _handler("", "", False))
            if row.only_if_called or row.only_if_handed or row.after_call:
                yield program(f"{number}-{way}-uncalled", args, _handler("", "", False), "uncalled", "")


def _ways(wanted: Callable) -> Iterator[tuple[str, list[str]]]:
    held = _wrapped(wanted)
    if wanted.every_keyword:
        yield "every", [f"news={held}"]
    if wanted.rest_from is not None:
        yield "rest", ["None"] * wanted.rest_from + [held]
    if wanted.position is not None:
        yield "position", ["None"] * wanted.position + [held]
    if wanted.keyword:
        yield "keyword", [f"{wanted.keyword}={held}"]


def _wrapped(wanted: Callable) -> str:
    held = "Listener(self._queue)" if wanted.methods else "self.handed()" if wanted.iterated else "self.handed"
    for step in reversed(wanted.key.split(".") if wanted.key else []):
        held = f'{{"{"any" if step == "*" else step}": {held}}}'
    return held


def _taken(wanted: Callable, prefix: str, decorator: str, due: bool) -> str:
    """The handler, a generator where the library goes through it, or an object with the methods that it calls."""
    if wanted.iterated:
        return f"    def handed(self):\n        {FILL}{_mark(due)}\n        yield 1\n"
    if wanted.methods:
        method = wanted.methods[0].replace("*", "thing")
        return (
            "\n\nclass Listener:\n    def __init__(self, queue: asyncio.Queue[int]) -> None:\n        self._queue = queue\n\n"
            f"    def {method}(self, *args: object) -> None:\n        {FILL}{_mark(due)}\n"
        )
    return _handler(prefix, decorator, due)


def _decorators(pack: Pack, row: DecoratorRow, name: str) -> Iterator[Program]:
    owner = owner_of(name)
    when = ", ".join(f"{key}={value!r}" for key, value in row.when.items())

    def program(kind: str, args: str, prefix: str, due: bool, project: str = "", going: str = _going(row)) -> Program:
        parameters, used = (f"thing: {owner}", f"thing.{name.rpartition('.')[2]}") if owner else ("", name)
        call = f"({args})" if args or kind != "bare" else ""
        text = (
            f"{_imports(pack, name)}\n\ndef build({parameters}) -> None:\n    queue: asyncio.Queue[int] = asyncio.Queue()\n\n"
            f"    @{used}{call}\n    {prefix}def handed(*args: object) -> None:\n        queue.put_nowait(1){_mark(due)}\n"
            f"{going}"
        )
        return Program(f"{name}-{kind}", text, project or _project(row))

    due = row.where in STARTING
    yield program("called", when, "", due)
    yield program("async", when, "async ", False)
    if row.when:
        yield program("unless-when", "", "", False)
    else:
        yield program("bare", "", "", due)
    for other in row.unless_given:
        yield program("given", f"{other.keyword}=object", "", False)
    if row.only_if_called:
        yield program("uncalled", when, "", False, "uncalled", "")


def _overrides(pack: Pack, row: OverrideRow, name: str) -> Iterator[Program]:
    base, _, method = name.rpartition(".")
    base, method = base.replace("*", "case"), method.replace("*", "Thing" if row.matching != "*" else "thing")

    def program(
        kind: str, prefix: str, decorator: str, due: bool, more: str = _going(row), project: str = ""
    ) -> Program:
        text = (
            f"{_imports(pack, base)}\n\nclass Case({base}):\n    def __init__(self) -> None:\n"
            f"        self._queue: asyncio.Queue[int] = asyncio.Queue()\n\n"
            f"{decorator}    {prefix}def {method}(self, *args: object) -> None:\n        {FILL}{_mark(due)}\n{more}"
        )
        return Program(f"{name}-{kind}", text, project or _project(row))

    for kind, prefix, decorator, due in _variants(row):
        yield program(f"override-{kind}", prefix, decorator, due)
    if row.only_if_called:
        yield program("idle", "", "", False, "", "idle")
    if row.twin:
        twin = row.twin.replace("{}", method)
        yield program("twin", "", "", False, f"\n    async def {twin}(self, *args: object) -> None:\n        pass\n")


def _assigns(pack: Pack, row: AssignRow, name: str) -> Iterator[Program]:
    owner, attribute = owner_of(name), name.rpartition(".")[2]
    target = f"self._thing.{attribute}" if owner else name
    for kind, prefix, decorator, due in _variants(row):
        text = _case(pack, name, owner, f"{target} = self.handed", _handler(prefix, decorator, due)) + _going(row)
        yield Program(f"{name}-assign-{kind}", text, _project(row))
    if row.only_if_called:
        text = _case(pack, name, owner, f"{target} = self.handed", _handler("", "", False))
        yield Program(f"{name}-assign-uncalled", text, "uncalled")
    for module in row.unless_imported[:1]:
        text = f"import {module}\n" + _case(pack, name, owner, f"{target} = self.handed", _handler("", "", False))
        yield Program(f"{name}-assign-imported", text, "imported")
    if owner and not row.only_if_called:
        yield from _overrides(pack, OverrideRow(names=(name,), source="", where=row.where), name)


def _entries(pack: Pack, row: EntryRow, name: str) -> Iterator[Program]:
    parameters = ", ".join((*row.parameters, "*rest"))
    if name == "<module>":
        for kind, head in (("own", _imports(pack, f"{pack.imports[0]}.x")), ("other", "import asyncio\n")):
            text = f"{head}\n\ndef look() -> None:\n    asyncio.get_event_loop(){_mark(kind == 'own')}\n\n\nlook()\n"
            yield Program(f"{pack.library}-entry-{kind}", text, "", "LSF203")
        return
    head = f"{_imports(pack, f'{pack.imports[0]}.x')}\nqueue: asyncio.Queue[int] = asyncio.Queue()\n\n\n"
    for kind, prefix, more in (
        ("", "", ""),
        ("async", "async ", ""),
        ("defined", "", f"\n\nasync def {row.unless_defined}(*args: object) -> None:\n    pass\n"),
    ):
        text = f"{head}{prefix}def {name}({parameters}) -> None:\n    queue.put_nowait(1){_mark(not kind)}\n{more}"
        yield Program(f"{name}-entry-{kind}", text, "")


def _operations(pack: Pack, row: OperationRow, name: str) -> Iterator[Program]:
    if row.category not in CODES:
        return
    owner = owner_of(name)
    function = f"self._thing.{name.rpartition('.')[2]}" if owner else name
    for kind, body in _GOES_TO.items():
        due = kind in (row.only_in or _GOES_TO)
        work = f"    def work(self, *args: object) -> None:\n        {function}(){_mark(due)}\n"
        if row.only_in or kind == "thread":
            yield Program(f"{name}-in-{kind}", _case(pack, name, owner, body, work), "", CODES[row.category])
    yield Program(f"{name}-home", _case(pack, name, owner, f"{function}()", ""), "", CODES[row.category])


def _waits(pack: Pack, row: WaitRow, name: str) -> Iterator[Program]:
    owner = owner_of(name)
    waiter = next(
        other for other, known in ALL.waits.items() if not known.seldom and other.rpartition(".")[0] == owner
    )

    def program(kind: str, elsewhere: str) -> Program:
        text = (
            f"{_imports(pack, name)}\n\nclass Case:\n    async def start(self) -> None:\n        self._thing = {owner}()\n"
            f"        threading.Thread(target=self.work).start()\n{_awaited(waiter, '')}\n"
            f"    def work(self) -> None:\n        {elsewhere}(self.elsewhere())\n\n"
            f"    async def elsewhere(self) -> None:\n{_awaited(name, _mark(elsewhere == 'asyncio.run'))}"
        )
        return Program(f"{name}-wait-{kind}", text, "", "LSF204")

    yield program("elsewhere", "asyncio.run")
    yield program("nowhere", "print")


def _awaited(name: str, mark: str) -> str:
    """The statement that awaits this on the thing."""
    method = name.rpartition(".")[2]
    if method == "__aenter__":
        return f"        async with self._thing:{mark}\n            pass\n"
    if method == "__anext__":
        return f"        async for _ in self._thing:{mark}\n            pass\n"
    return f"        await self._thing{'' if method == '__await__' else f'.{method}()'}{mark}\n"


def every_row(pack: Pack) -> Iterator[tuple[str, Row]]:
    """Table and row of a pack."""
    for table in pack.__struct_fields__:
        value = getattr(pack, table)
        if isinstance(value, tuple):
            yield from ((table, row) for row in value if isinstance(row, Row))
