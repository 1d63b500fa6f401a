"""Who is foreign to the loops that live in threads: the main thread, and whoever calls a public function.

Both are looked for backwards, from what is done to the objects of such a loop: everybody calls everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property

from loopsafe.contexts.places.flow import Origin
from loopsafe.contexts.places.place import CALLER, MAIN, Hop, Place
from loopsafe.contexts.spread.propagate import Propagation
from loopsafe.facts.schema import Attr, Call, Choice, Expr, Item, Name, Ref, Scope, Subscript
from loopsafe.program.graph import Entered
from loopsafe.program.index import CallSite, is_own_call, last_name, method_kind
from loopsafe.program.modules import Module
from loopsafe.program.parameters import argument
from loopsafe.program.python import ADDERS, PUTTERS
from loopsafe.program.values import Frame, Function

Thing = tuple[Frame, Expr]
"""An object of a thread's loop: the expression that makes it, and where."""

_MOST_SITES = 200
_MOST_FUNCTIONS = 1000
_FURTHEST = 8
_CALLED_BY_CLASS = ("__init__", "__post_init__", "__enter__", "__exit__")
_ON_LOOP = ("loop", "home")
_PUTTING = (*ADDERS, *PUTTERS)
_TAKING = ("pop", "popleft", "popitem", "get", "get_nowait", "values", "items", "copy")
_CALLED_BY_USERS = ("__enter__", "__exit__", "__call__", "__del__")


class Callers:
    """Lets `main` and `caller` flow, inside the cone of functions that lead to such an operation."""

    def __init__(self, propagation: Propagation) -> None:
        self._propagation, self._program = propagation, propagation.program

    def seed(self, things: Iterable[Thing], starts: set[Scope], on_loops: set[Scope]) -> None:
        """Start at module level and at public functions, but for those that are seen to run `on_loops`.

        `starts` are the functions in which the threads start: what comes before and after is told by them.
        """
        operating = dict.fromkeys((*self._operating_on(things), *self._marked()))
        leading, from_main = self._leading(operating), self._leading_from_main()
        found = bool(leading or from_main)
        starting = [(m, s) for m in self._program.modules.all for s in m.facts.scopes if s in starts] if found else []
        within = {scope for _, scope in (*leading, *from_main, *self._leading(starting))}
        within |= {taker for module, scope in leading for taker in self._taking(module, scope)}
        self._propagation.cone = within
        tops = {scope: module for module, scope in (*leading, *from_main) if scope.kind == "module"}
        for module in tops.values():
            if not module.library:
                self._start(self._program.module_frame(module), MAIN)
        for module, scope in leading:
            if module.library or scope.kind == "module":
                continue
            if _is_public(module, scope) and not self._is_loops(module, scope, on_loops):
                for frame in self._program.classes.frames(module, scope):
                    self._start(frame, CALLER)

    def _leading_from_main(self) -> list[tuple[Module, Scope]]:
        """The ways from module level to what needs a running loop, in a program of which only threads run any."""
        if self._propagation.flow.runs_on_main:
            return []
        rows = self._program.knowledge.operations.items()
        words = sorted({name.rpartition(".")[2] for name, row in rows if row.needs_running_loop})
        needing = [(m, s) for word in words for m, s, _ in self._program.index.callers(word)[:_MOST_SITES]]
        found = self._leading(needing)
        return found if any(scope.kind == "module" for _, scope in found) else []

    def _is_loops(self, module: Module, scope: Scope, on_loops: set[Scope]) -> bool:
        """Whether a function runs on loops: it is seen to, a library calls it there, or such methods alone call it."""
        seen, pending = set[Scope](), [(module, scope)]
        while pending:
            at, function = pending.pop()
            if function in seen or function in on_loops or self._is_called_back(at, function):
                continue
            seen.add(function)
            callers = self._program.index.callers(function.name)
            # Another object of the same file calls it: then it must be on a loop itself.
            apart = [by for _, by, call in callers if not is_own_call(by, call)]
            if not callers or not all(place is at for place, _, _ in callers):
                return False
            if not all(by in on_loops or self._is_called_back(at, by) for by in apart):
                return False
            pending += [(place, by) for place, by, _ in callers]
        return True

    def _is_called_back(self, module: Module, scope: Scope) -> bool:
        """Whether a method overrides one that a library calls on the loop."""
        around = module.facts.scopes[scope.parent]
        if around.kind != "class":
            return False
        knowledge, classes = self._program.knowledge, self._program.classes
        bases = classes.library_bases(classes.defined_by(module, around)) or self._looked_like(around)
        rows = (knowledge.member(knowledge.overrides, base, scope.name) for base in bases)
        return any(row is not None and row.where in _ON_LOOP for row in rows)

    def _looked_like(self, cls: Scope) -> list[str]:
        """The classes of libraries of which a class without a base has more than one such method."""
        return [owner for owner, names in self._called_back.items() if len(names & cls.bindings.keys()) > 1]

    @cached_property
    def _called_back(self) -> dict[str, set[str]]:
        """The methods that libraries call on the loop, by class."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, row in self._program.knowledge.overrides.items():
            if row.where in _ON_LOOP:
                owner, _, method = name.rpartition(".")
                found[owner].add(method)
        return found

    def _start(self, frame: Frame, place: Place) -> None:
        function = self._program.values.make(Function, frame.module, frame.scope, frame.parent or frame)
        assert isinstance(function, Function)
        origin = Origin(place, Hop("calls", frame.module, frame.scope.packed_span), None, None)
        self._propagation.root(Entered(frame, function), origin)

    def _marked(self) -> Iterator[tuple[Module, Scope]]:
        """The functions that call what the project itself says belongs on a loop."""
        for scope in self._propagation.remarks.bound:
            for module, caller, _ in self._program.index.callers(scope.name)[:_MOST_SITES]:
                yield module, caller

    def _operating_on(self, things: Iterable[Thing]) -> Iterator[tuple[Module, Scope]]:
        pending = list(dict.fromkeys(things))
        seen = set(pending)
        while pending and len(seen) < _MOST_FUNCTIONS:
            for module, scope, call in self._operating(pending.pop()):
                yield module, scope
                made: Thing = (self._program.classes.plain_frame(module, scope), call)
                # More such things are made out of one: `loop.create_task`.
                if last_name(call.func) in self._program.knowledge.making and made not in seen:
                    seen.add(made)
                    pending.append(made)

    def _operating(self, thing: Thing) -> Iterator[CallSite]:
        """The functions that do something to an object by the names that it is kept under."""
        frame, made = thing
        names = set(self._program.index.kept_as(frame.scope, made))
        given = self._parameters(frame, names)
        if made in frame.scope.returns or any(isinstance(v, Name) and v.id in names for v in frame.scope.returns):
            received = list(self._received(frame.scope))
            given |= {(scope, name) for scope, name in received if scope is not None}
            names = names | {name for scope, name in received if scope is None}
        names = names | {name for kept in names for name in self._getters.get(kept, ())}
        holders = frozenset(_holders(frame.scope, names, made))
        of_loop = self._program.knowledge.of_loop
        for word in self._words:
            for module, scope, call in self._program.index.calls.get(word, ())[:_MOST_SITES]:
                base = call.func.base if isinstance(call.func, Attr) else None
                if isinstance(base, Attr) and isinstance(base.base, Name) and base.base.id in names:
                    base = base.base  # what it keeps: `bot.loop`
                if isinstance(base, Name):
                    known = module is frame.module and base.id in names and _sees(module, scope, frame.scope, base.id)
                    held = scope.bindings.get(base.id, ())
                    known = known or (scope, base.id) in given
                    known = known or any(_is_attribute(e, names) or _is_out_of(e, holders) for e in held)
                else:
                    known = _is_attribute(base, names) or _is_out_of(base, holders)
                told = [given for keyword, given in call.keywords if keyword == "loop"]
                told += [argument(call, row)] if (row := of_loop.get(word)) else []
                if known or any(self._gives(given, names) for given in told):
                    yield module, scope, call

    @cached_property
    def _getters(self) -> dict[str, set[str]]:
        """The functions, properties among them, that give back an attribute of their object, by that attribute."""
        found: dict[str, set[str]] = defaultdict(set)
        for module in self._program.modules.all:
            for scope in module.facts.scopes:
                for value in scope.returns if scope.kind == "function" else ():
                    if isinstance(value, Attr):
                        found[value.name].add(scope.name)
        return found

    def _received(self, maker: Scope) -> Iterator[tuple[Scope | None, str]]:
        """The variables, and attributes, that hold what a function has made for its caller, a coroutine among them."""
        for _, scope, call in self._program.index.callers(maker.name)[:_MOST_SITES]:
            for name, values in scope.bindings.items():
                if any(_is_result_of(value, call) for value in values):
                    yield scope, name
            yield from ((None, s.name) for s in scope.stores if s.name and _is_result_of(s.value, call))

    def _gives(self, expr: Expr, names: set[str]) -> bool:
        """Whether an argument is the object, or a call of what returns it."""
        if isinstance(expr, Call):
            found = self._program.index.functions.get(last_name(expr.func), ())[:_FURTHEST]
            return any(_is_attribute(value, names) for _, scope in found for value in scope.returns)
        return _is_attribute(expr, names)

    def _parameters(self, frame: Frame, names: set[str]) -> set[tuple[Scope, str]]:
        """The parameters for which the maker gives the object."""
        found: set[tuple[Scope, str]] = set()
        for call in frame.scope.calls:
            for position, given in enumerate(call.args):
                if isinstance(given, Name) and given.id in names:
                    found |= set(self._taken(call.func, position))
        return found

    def _taken(self, func: Expr, position: int) -> Iterator[tuple[Scope, str]]:
        name = func.id if isinstance(func, Name) else func.name if isinstance(func, Attr) else ""
        for _, scope in self._program.index.functions.get(name, ())[:_FURTHEST]:
            plain = [p.name for p in scope.parameters if p.kind == "positional"]
            at = position + (isinstance(func, Attr) and plain[:1] == ["self"])
            if at < len(plain):
                yield scope, plain[at]

    @cached_property
    def _words(self) -> list[str]:
        """The last names of all operations, of what is waited for, and of what makes things on a loop it is given."""
        knowledge = self._program.knowledge
        tables = (knowledge.operations, knowledge.waits)
        return sorted({name.rpartition(".")[2] for table in tables for name in table} | knowledge.making)

    def _leading(self, functions: Iterable[tuple[Module, Scope]]) -> list[tuple[Module, Scope]]:
        """Some functions and those that call them by name, backwards; coroutines run on loops, and lead no further."""
        seen = {scope: module for module, scope in functions if not scope.is_async}
        front = list(seen.items())
        for _ in range(_FURTHEST):
            fresh: list[tuple[Scope, Module]] = []
            for scope, module in front:
                for caller_module, caller, _ in self._calling(module, scope):
                    if caller not in seen and not caller.is_async and len(seen) < _MOST_FUNCTIONS:
                        seen[caller] = caller_module
                        fresh.append((caller, caller_module))
            front = fresh
        return [(module, scope) for scope, module in seen.items()]

    def _calling(self, module: Module, scope: Scope) -> Iterator[CallSite]:
        """The calls that may mean a function, by its name or that under which a closure is kept."""
        if scope.kind not in ("function", "lambda"):
            return
        around = module.facts.scopes[scope.parent]
        names = {around.name if scope.name in _CALLED_BY_CLASS else scope.name}
        if around.kind in ("function", "lambda"):
            names |= {store.name for store in around.stores if store.name and _means(store.value, scope)}
            yield from ((module, around, call) for call in around.calls[:1])
        for name in sorted(names):
            sites = self._program.index.callers(name)
            yield from sites if len(sites) <= _MOST_SITES else ()

    def _taking(self, module: Module, scope: Scope) -> Iterator[Scope]:
        """The functions to which a closure is given where it is made."""
        around = module.facts.scopes[scope.parent] if scope.parent >= 0 else None
        for call in around.calls if around is not None and around.kind in ("function", "lambda") else ():
            if any(_means(given, scope) for given in (*call.args, *(value for _, value in call.keywords))):
                for _, taker in self._program.index.functions.get(last_name(call.func), ())[:_FURTHEST]:
                    yield taker


def _means(expr: Expr, scope: Scope) -> bool:
    """Whether an expression is a function of the same scope, by its name or as a lambda."""
    if isinstance(expr, Ref):
        return expr.scope == scope.index
    return isinstance(expr, Name) and expr.id == scope.name


def _is_attribute(expr: Expr, names: AbstractSet[str]) -> bool:
    func = expr.func if isinstance(expr, Call) else expr
    return isinstance(func, Attr) and func.name in names


def _holders(scope: Scope, names: set[str], made: Expr) -> Iterator[str]:
    """The names of the containers, queues among them, into which a function puts what it makes."""

    def is_it(value: Expr) -> bool:
        return value is made or (isinstance(value, Name) and value.id in names)

    yield from (last_name(store.base) for store in scope.stores if store.name is None and is_it(store.value))
    for call in scope.calls:
        if isinstance(call.func, Attr) and call.func.name in _PUTTING and any(map(is_it, call.args)):
            yield last_name(call.func.base)


def _is_out_of(expr: Expr, holders: AbstractSet[str]) -> bool:
    """Whether an expression takes something out of one of these containers."""
    if isinstance(expr, (Item, Subscript)):
        return last_name(expr.base) in holders or _is_out_of(expr.base, holders)
    func = expr.func if isinstance(expr, Call) else None
    return isinstance(func, Attr) and func.name in _TAKING and last_name(func.base) in holders


def _sees(module: Module, scope: Scope, maker: Scope, name: str) -> bool:
    """Whether a name in `scope` is the one that `maker` binds, in itself or as a global."""
    while name in maker.outer_names and maker.parent >= 0:
        maker = module.facts.scopes[0 if maker.outer_names[name] == "global" else maker.parent]
    at = scope
    while at is not maker:
        if at.parent < 0 or name in at.bindings or any(p.name == name for p in at.parameters):
            return False
        at = module.facts.scopes[at.parent]
    return True


def _is_public(module: Module, scope: Scope) -> bool:
    """A plain function that users of the class or module call, and may call from any thread.

    By a common convention a plain function named `async_...` is for callers on the loop.
    """
    if scope.name.startswith("async_") or scope.kind != "function" or method_kind(scope) != "plain":
        return False
    # A generator under a decorator may be a coroutine.
    if scope.is_async or (scope.is_generator and scope.decorators):
        return False
    around = module.facts.scopes[scope.parent]
    return around.kind in ("module", "class") and (not scope.name.startswith("_") or scope.name in _CALLED_BY_USERS)


def _is_result_of(value: Expr, call: Call) -> bool:
    """Whether an expression is what came out of a call, or of one that was handed over: `run(call, loop).result()`."""
    if value is call or (isinstance(value, Choice) and any(_is_result_of(option, call) for option in value.options)):
        return True
    while isinstance(value, Call):
        if any(argument is call for argument in value.args):
            return True
        value = value.func.base if isinstance(value.func, Attr) else None
    return False
