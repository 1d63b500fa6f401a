"""Who else calls a function: coroutines, what the loop calls back, a module's own code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from loopsafe.facts.schema import Attr, Call, Expr, Name, Scope
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, External, Function, Method, Value

# Sites that may call a function of one name.
_MOST_SITES = 500
_WHERE = ("loop", "home")


class OtherCall(NamedTuple):
    """A call of `scope`, or its hand-over to a loop where `handed`, in the function `by`."""

    scope: Scope
    module: Module
    by: Scope
    call: Call
    handed: bool


class _Site(NamedTuple):
    found: OtherCall
    callees: tuple[Node, ...]


class OtherCalls:
    """Collects, for each function, the calls that may mean it; asks what they call once everything is known."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._sites: dict[Scope, list[_Site]] = {}
        self.uncounted: set[Scope] = set()
        """Functions of so common a name that not all calls were looked at."""

    def prepare(self, module: Module, scope: Scope) -> None:
        """Ask about all that may call the function, and about what calls that."""
        pending = [(module, scope)]
        while pending:
            at, function = pending.pop()
            if function.kind == "function" and function not in self._sites:
                self._sites[function] = list(self._find(at, function))
                pending += [(site.found.module, site.found.by) for site in self._sites[function]]

    def of(self, scopes: Iterable[Scope]) -> Iterator[OtherCall]:
        """The calls of these functions that begin elsewhere than in one of them: see `ends` for where they begin."""
        own = set(scopes)
        for scope in own:
            for site in self._sites.get(scope, ()):
                if site.found.by not in own and self._means(scope, site):
                    yield site.found

    def begin(self, scope: Scope) -> Iterator[OtherCall]:
        """The calls that begin what calls a function in the end: in coroutines, modules, and by hand-over to a loop."""
        seen, pending = {scope}, [scope]
        while pending:
            for call in self.of([pending.pop()]):
                if call.handed or call.by.is_async or call.by.kind != "function":
                    yield call
                elif call.by not in seen:
                    seen.add(call.by)
                    pending.append(call.by)

    def _find(self, module: Module, scope: Scope) -> Iterator[_Site]:
        name = _called(module, scope)
        calls = self._program.index.callers(name)
        if len(calls) > _MOST_SITES:
            self.uncounted.add(scope)
            return
        for at, by, call in calls:
            yield self._site(OtherCall(scope, at, by, call, False), call.func)
        for by, call, given in self._handed(module).get(name, ()):
            yield self._site(OtherCall(scope, module, by, call, True), given)

    def _site(self, found: OtherCall, callee: Expr) -> _Site:
        frames = self._program.classes.frames(found.module, found.by)
        return _Site(found, tuple(self._program.evaluate(frame, callee) for frame in frames))

    def _means(self, scope: Scope, site: _Site) -> bool:
        return any(_is(value, scope) for node in site.callees for value in node.values)

    def _handed(self, module: Module) -> dict[str, list[tuple[Scope, Call, Expr]]]:
        """What the calls of a module hand to a loop, by name."""
        known = self._handed_in.get(module.index)
        if known is None:
            known = self._handed_in[module.index] = defaultdict(list)
            for scope in module.facts.scopes:
                for call in scope.calls:
                    if last_name(call.func) in self._takers and self._hands_to_loop(module, scope, call):
                        for given in (*call.args, *(value for _, value in call.keywords)):
                            if isinstance(given, Attr | Name):
                                known[last_name(given)].append((scope, call, given))
        return known

    def _hands_to_loop(self, module: Module, scope: Scope, call: Call) -> bool:
        """Whether the call is the one that rows speak of, where others of its name start threads."""
        if last_name(call.func) not in self._starters:
            return True
        resolved = self._program.classes.resolve(self._program.classes.plain_frame(module, scope), call.func)
        rows = self._program.knowledge.runs.get(resolved.name, ()) if isinstance(resolved, External) else ()
        return any(row.where in _WHERE for row in rows)

    @cached_property
    def _handed_in(self) -> dict[int, dict[str, list[tuple[Scope, Call, Expr]]]]:
        return {}

    @cached_property
    def _takers(self) -> set[str]:
        """The names of what takes a function that a loop is to call."""
        return self._names(*_WHERE)

    @cached_property
    def _starters(self) -> set[str]:
        return self._names("thread")

    def _names(self, *where: str) -> set[str]:
        runs = self._program.knowledge.runs
        return {name.rpartition(".")[2] for name, rows in runs.items() if any(row.where in where for row in rows)}


def _called(module: Module, scope: Scope) -> str:
    """The name by which a function is called: a constructor by that of its class."""
    return module.facts.scopes[scope.parent].name if scope.name == "__init__" and scope.parent >= 0 else scope.name


def _is(value: Value, scope: Scope) -> bool:
    """Whether calling a value enters the function."""
    if isinstance(value, Method):
        return value.function.scope is scope
    if isinstance(value, Class):
        return scope.name == "__init__" and value.module.facts.scopes[scope.parent] is value.scope
    return isinstance(value, Function) and value.scope is scope
