"""Who else runs a function: coroutines, what the loop calls back, a module's own code, whoever has it in hand."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from loopsafe.contexts.places.flow import Flow
from loopsafe.facts.schema import Attr, Call, Choice, Collection, Const, Expr, Name, Scope, unpack_span
from loopsafe.facts.spelling import spell
from loopsafe.locations import Span
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Function, Method, Value

# Sites that may call a function of one name.
_MOST_SITES = 500
# Of `operator`.
_BY_NAME = ("methodcaller", "attrgetter")
# These leave it to a call by its name what is called.
_PLAIN_DECORATORS = {"staticmethod", "classmethod", "override", "abstractmethod", "final"}


class OtherCall(NamedTuple):
    """A call of `scope` in the function `by`, or, with `handed`, that somebody is given the function there."""

    scope: Scope
    module: Module
    by: Scope
    packed_span: int
    handed: bool = False

    @property
    def span(self) -> Span:
        """Where the call or the name stands."""
        return unpack_span(self.packed_span)


class _Site(NamedTuple):
    found: OtherCall
    callees: tuple[Node, ...]
    is_method: bool


@dataclass(slots=True)
class _Question:
    own: list[Scope]
    is_answered: Callable[[], bool]
    furthest: int


class OtherCalls:
    """Collects, for each function, the places that may mean it; asks what they mean once everything is known."""

    def __init__(self, program: Program, flow: Flow) -> None:
        self._program, self._flow = program, flow
        self._sites: dict[Scope, list[_Site]] = {}
        self._asked: list[_Question] = []
        self._modules: dict[Scope, Module] = {}
        self._uncounted: set[Scope] = set()
        self._mentions: dict[int, dict[str, list[tuple[Module, Scope, Expr, int]]]] = {}

    def ask(
        self, functions: Iterable[tuple[Module, Scope]], is_answered: Callable[[], bool], furthest: int = sys.maxsize
    ) -> None:
        """Ask who runs these functions, and step by step who runs those, until it `is_answered`."""
        own = list(functions)
        for module, scope in own:
            self._modules[scope] = module
            self._look_up(module, scope)
        self._asked.append(_Question([scope for _, scope in own], is_answered, furthest))

    def follow(self) -> bool:
        """Go one step further where there is no answer yet; whether there was any to go."""
        known = len(self._sites)
        self._asked = [asked for asked in self._asked if asked.furthest > 0 and not asked.is_answered()]
        for asked in self._asked:
            asked.furthest -= 1
            for scope in list(self._behind(asked.own)):
                self._look_up(self._modules[scope], scope)
        return len(self._sites) > known

    def _behind(self, functions: Iterable[Scope]) -> Iterator[Scope]:
        """These functions, and those that are known by now to run them."""
        seen = dict.fromkeys(functions)
        pending = list(seen)
        while pending:
            at = pending.pop()
            yield at
            for call in self.of(at):
                if not _begins(call) and call.by not in seen:
                    seen[call.by] = None
                    pending.append(call.by)

    def _look_up(self, module: Module, scope: Scope) -> None:
        """Find the places that may run a function."""
        if scope.kind == "function" and scope not in self._sites:
            self._sites[scope] = list(self._find(module, scope))

    def doubts(self, scopes: set[Scope]) -> Iterator[str]:
        """Where else these functions, which lead from one to the next, may run."""
        for scope in sorted(scopes, key=lambda one: (one.qualname, one.index)):
            name = scope.name
            if scope in self._uncounted:
                yield f"`{name}` is too common a name to see all its callers"
            elif scope.kind == "function" and _is_special(scope):
                yield f"`{name}` may run wherever its object is used"
            elif self._is_looked_up(scope):
                yield f"`{name}` may be called by a name that is put together"
            else:
                first = next(self._elsewhere(scope, scopes), None)
                if first is not None:
                    yield first

    def _elsewhere(self, scope: Scope, own: set[Scope]) -> Iterator[str]:
        found = list(self.of(scope))
        # Under each other name that a thread calls it by, somebody was given it.
        places = {(call.module.index, call.packed_span) for call in found if call.handed}
        explained = len(places) <= len(self._aliases.get(scope, ()))
        for call in found:
            row = call.span.row
            if (call.by in own and not call.handed) or (call.handed and explained):
                continue
            if call.handed:
                yield f"`{scope.name}` is also handed on in line {row}"
            elif call.by.is_async:
                yield f"`{scope.name}` also runs on a loop: it is called in line {row}"
            elif call.by.kind != "function" or any(one.by not in own for one in self.begin(call.by)):
                yield f"`{scope.name}` may also run elsewhere: it is called in line {row}"

    def of(self, scope: Scope) -> Iterator[OtherCall]:
        """The places that call the function, or hand it on."""
        return (site.found for site in self._sites.get(scope, ()) if self._means(scope, site))

    def begin(self, scope: Scope) -> Iterator[OtherCall]:
        """The places at which what calls a function begins: in coroutines and modules, or nobody can tell."""
        for at in self._behind([scope]):
            if at.kind == "function" and (_is_special(at) or self._is_called_back(at)):
                yield OtherCall(at, self._modules[at], at, at.packed_span, True)
            yield from filter(_begins, self.of(at))

    def _is_called_back(self, scope: Scope) -> bool:
        """Whether a library may call a method, since it is of a class that has a base there; threads are known."""
        module = self._modules[scope]
        around = module.facts.scopes[scope.parent] if scope.parent >= 0 else None
        if around is None or around.kind != "class" or scope.name == "__init__" or scope in self._on_threads:
            return False
        classes, knowledge = self._program.classes, self._program.knowledge
        bases = classes.library_bases(classes.defined_by(module, around))
        return any(knowledge.member(knowledge.overrides, base, scope.name) is not None for base in bases)

    @cached_property
    def _on_threads(self) -> set[Scope]:
        return {state.frame.scope for state in self._flow.roots if state.place.kind == "thread"}

    def _find(self, module: Module, scope: Scope) -> Iterator[_Site]:
        name = _called(module, scope)
        calls = self._program.index.callers(name)
        if len(calls) > _MOST_SITES:
            self._uncounted.add(scope)
            return
        aliased = [site for alias in self._aliases.get(scope, ()) for site in self._program.index.callers(alias)]
        for at, by, call in [*calls, *aliased]:
            yield self._site(OtherCall(scope, at, by, call.packed_span), call.func)
        if scope.name != "__init__":
            for at, by, given, place in self._spoken_of(name):
                if given not in self._given and not self._starts(at, unpack_span(place)):
                    yield self._site(OtherCall(scope, at, by, place, True), given)

    def _site(self, found: OtherCall, callee: Expr) -> _Site:
        self._modules[found.by] = found.module
        frames = self._program.classes.frames(found.module, found.by)
        nodes = tuple(self._program.evaluate(frame, callee) for frame in frames)
        return _Site(found, nodes, isinstance(callee, Attr))

    def _means(self, scope: Scope, site: _Site) -> bool:
        # What a decorator makes of it is not followed.
        if any(last_name(decorator) not in _PLAIN_DECORATORS for decorator in scope.decorators):
            return True
        values = [value for node in site.callees for value in node.values]
        # Of what is called nothing is known: in the same file, the name is enough.
        if not values and site.is_method and not site.found.handed:
            return site.found.module is self._modules.get(scope)
        return any(_is(value, self._modules[scope], scope) for value in values)

    def _spoken_of(self, name: str) -> Iterator[tuple[Module, Scope, Expr, int]]:
        """Where a function of this name is spoken of without being called."""
        for module in self._mentioning.get(name, ()):
            known = self._mentions.get(module.index)
            if known is None:
                known = self._mentions[module.index] = defaultdict(list)
                for mentioned, by, given, place in _mentions(module):
                    known[mentioned].append((module, by, given, place))
            yield from known[name]

    @cached_property
    def _mentioning(self) -> dict[str, list[Module]]:
        """The modules that speak of functions, by name."""
        found: dict[str, list[Module]] = defaultdict(list)
        functions = self._program.index.functions
        for module in self._program.modules.all:
            for name in _mentioned(module) & functions.keys():
                found[name].append(module)
        return found

    def _starts(self, module: Module, span: Span) -> bool:
        """Whether a place is about the start of a thread."""
        return any(start.contains(span) or start.row == span.row for start in self._started.get(module.index, ()))

    @cached_property
    def _started(self) -> dict[int, list[Span]]:
        found: dict[int, list[Span]] = defaultdict(list)
        for hops in self._flow.roots.values():
            for hop in hops:
                found[hop.module.index].append(unpack_span(hop.packed_span))
        return found

    @cached_property
    def _aliases(self) -> dict[Scope, set[str]]:
        """The other names by which threads are seen to call a function."""
        found: dict[Scope, set[str]] = defaultdict(set)
        for state, targets in self._flow.edges.items():
            places = {hop.packed_span: target for target, hops in targets.items() for hop in hops}
            for call in state.frame.scope.calls:
                target = places.get(call.packed_span)
                name = last_name(call.func)
                held = isinstance(call.func, Attr) and target is not None and target.frame.receiver is None
                if target is not None and name and (held or name != target.frame.scope.name):
                    found[target.frame.scope].add(name)
        return found

    @cached_property
    def _given(self) -> set[Expr]:
        """What is bound to the names that are given to the starts of threads."""
        calls = [start for starts in self._flow.origins.values() for start in starts]
        names = [
            value
            for frame, call in calls
            for given in (*call.args, *(v for _, v in call.keywords))
            if isinstance(given, Name)
            for value in frame.scope.bindings.get(given.id, ())
        ]
        return {part for value in names for part in ([value, *value.args] if isinstance(value, Call) else [value])}

    def _is_looked_up(self, scope: Scope) -> bool:
        """Whether the module reads attributes whose names it puts together."""
        module = self._modules.get(scope)
        if module is None or scope.parent < 0 or module.facts.scopes[scope.parent].kind != "class":
            return False
        calls = self._program.index.calls
        named = (call for word in _BY_NAME for _, _, call in calls.get(word, ()) if call.args)
        return any(isinstance(call.args[0], Const) and call.args[0].value == scope.name for call in named) or any(
            at is module and len(call.args) > 1 and not isinstance(call.args[1], Const)
            for at, _, call in calls.get("getattr", ())
        )


def _mentions(module: Module) -> Iterator[tuple[str, Scope, Expr, int]]:
    """Where a module speaks of something without calling it, by its name."""
    for scope in module.facts.scopes:
        for read in scope.reads:
            yield read.attr.name, scope, read.attr, read.packed_span
        # What comes in as a parameter was handed on before.
        own = {parameter.name for parameter in scope.parameters}
        for value, place in _values(scope):
            for name in _plain_names(value):
                if name.id not in own:
                    yield name.id, scope, name, place


def _mentioned(module: Module) -> set[str]:
    """The names that `_mentions` gives and a few more: of all modules they are asked for."""
    found: set[str] = set()
    for scope in module.facts.scopes:
        # Lists, as `_values` goes through them: what makes pairs one by one takes several times as long.
        values = [*scope.returns, *scope.yields, *[store.value for store in scope.stores]]
        for call in scope.calls:
            values += call.args
            values += [value for _, value in call.keywords]
        for bound in scope.bindings.values():
            values += bound
        found.update([read.attr.name for read in scope.reads])
        found.update([value.id for value in values if type(value) is Name])
        several = [value for value in values if type(value) is Collection or type(value) is Choice]
        found.update(name.id for value in several for name in _plain_names(value))
    return found


def _values(scope: Scope) -> Iterator[tuple[Expr, int]]:
    """What a function gives away, puts somewhere or returns."""
    for call in scope.calls:
        for given in (*call.args, *(value for _, value in call.keywords)):
            yield given, call.packed_span
    for store in scope.stores:
        yield store.value, store.packed_span
    for value in (*(v for values in scope.bindings.values() for v in values), *scope.returns, *scope.yields):
        yield value, scope.packed_span


def _plain_names(value: Expr) -> Iterator[Name]:
    if isinstance(value, Name):
        yield value
    elif isinstance(value, Collection):
        for item in value.items:
            yield from _plain_names(item)
    elif isinstance(value, Choice):
        for option in value.options:
            yield from _plain_names(option)


def _begins(call: OtherCall) -> bool:
    """Whether no function is behind a call: a coroutine or a module makes it, or whoever is given what is called."""
    return call.handed or call.by.is_async or call.by.kind != "function"


def _called(module: Module, scope: Scope) -> str:
    """The name by which a function is called: a constructor by that of its class."""
    return module.facts.scopes[scope.parent].name if scope.name == "__init__" and scope.parent >= 0 else scope.name


def _is_special(scope: Scope) -> bool:
    """Whether Python runs the function where nobody writes a call of its name."""
    dunder = scope.name.startswith("__") and scope.name.endswith("__") and scope.name != "__init__"
    return dunder or any(spell(d).endswith(("property", ".setter", ".getter")) for d in scope.decorators)


def _is(value: Value, module: Module, scope: Scope) -> bool:
    """Whether calling a value enters the function."""
    if isinstance(value, Method):
        return value.function.scope is scope
    if isinstance(value, Class):
        return scope.name == "__init__" and module.facts.scopes[scope.parent] is value.scope
    return isinstance(value, Function) and value.scope is scope
