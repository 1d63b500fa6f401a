"""Constants that callers give, and the branches that these rule out.

A function whose tests a constant decides is entered anew for each: `close(wait=False)` never gets where it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from loopsafe.facts.schema import Attr, Call, Collection, Compare, Const, Expr, Name, Not, Parameter, Ref, Scope
from loopsafe.program.graph import Arguments, Graph
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module
from loopsafe.program.python import SAME_FUNCTION
from loopsafe.program.registries import Registries
from loopsafe.program.settings import UNKNOWN, Settings
from loopsafe.program.values import Frame, Function, Instance, Known, Value

_UNKNOWN = UNKNOWN


class _Other:
    """Some string or number that no test names."""

    def __repr__(self) -> str:
        return "other"


_OTHER = _Other()


@dataclass(slots=True)
class _Tests:
    """What tests ask of names: for each name the constants it is compared with."""

    names: dict[str, set[object]] = field(default_factory=dict)
    attributes: set[tuple[str, str]] = field(default_factory=set)

    def note(self, test: Expr) -> None:
        if isinstance(test, Not):
            self.note(test.value)
        elif isinstance(test, Name):
            self.names.setdefault(test.id, set())
        elif isinstance(test, Attr) and isinstance(test.base, Name):
            self.attributes.add((test.base.id, test.name))
        elif isinstance(test, Compare):
            for side, other in ((test.left, test.right), (test.right, test.left)):
                constants = _constants(other)
                if isinstance(side, Attr):
                    self.note(side)
                if isinstance(side, Name) and constants is not None:
                    self.names.setdefault(side.id, set()).update(constants)


_NO_TESTS = _Tests()


class Constants:
    """Knows the constants of frames. Only parameters that tests ask about, and that are never bound anew, have some."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tests: dict[Scope, _Tests] = {}
        self.registries = Registries(graph.index)
        self._settings = Settings(graph.modules, graph.index)
        self._stored: dict[Scope, dict[str, Expr]] = {}
        self._asked: dict[Scope, tuple[_Asked, ...]] = {}
        self._by_key: dict[str, list[Scope]] = {}

    def given(self, function: Function, receiver: Value | None, arguments: Arguments) -> Known:
        """The constants that a call gives to the parameters a function asks about."""
        found: list[tuple[str, object]] = []
        bound = 0 if receiver is None else 1
        for parameter, position, named in self._parameters(function):
            at = position if position is None else position - bound
            value = _UNKNOWN if at == -1 else self._given(function.scope, parameter, at, arguments)
            if value is not _UNKNOWN:
                found.append((parameter.name, _simplified(value, named)))
        return tuple(found)

    def of_object(self, function: Function, receiver: Value | None, arguments: Arguments, site: object) -> Known:
        """What attributes of the receiver hold for this call: those that a constructor, given a constant, has set."""
        caller = arguments.caller
        if not isinstance(receiver, Instance) or caller is None or not isinstance(site, Call):
            return ()
        if not isinstance(site.func, Attr) or not isinstance(site.func.base, Name) or _is_constructor(function.scope):
            return ()
        name = site.func.base.id
        if caller.receiver is receiver and caller.scope.parameters[0].name == name:
            kept = tuple((known, value) for known, value in caller.known if known.startswith("."))
            return self._set_in(caller) if _is_constructor(caller.scope) else kept
        made = caller.scope.bindings.get(name, ())
        if len(made) != 1 or not isinstance(made[0], Call) or any(p.name == name for p in caller.scope.parameters):
            return ()
        return self._made_by(caller, made[0], receiver)

    def _set_in(self, constructor: Frame) -> Known:
        """The attributes that a constructor sets to constants, in a frame of it."""
        stored = self._attributes_asked(constructor.module, constructor.scope)
        values = ((f".{name}", self._value(constructor, value)) for name, value in stored.items())
        return tuple((name, value) for name, value in values if value is None or isinstance(value, bool))

    def _made_by(self, caller: Frame, made: Call, receiver: Instance) -> Known:
        cls = receiver.cls
        body = (cls.module.facts.scopes[v.scope] for v in cls.scope.bindings.get("__init__", ()) if isinstance(v, Ref))
        init = next(body, None)
        if init is None or last_name(made.func) != cls.scope.name:
            return ()
        frame = self._graph.values.frame(cls.module, cls.scope, cls.frame)
        known = self.given(Function(cls.module, init, frame), receiver, self._graph.arguments(caller, made))
        return self._set_in(self._graph.values.frame(cls.module, init, frame, receiver, known=known))

    def _attributes_asked(self, module: Module, init: Scope) -> dict[str, Expr]:
        """What a constructor stores in attributes that tests of its class ask about, and that nothing sets anew."""
        found = self._stored.get(init)
        if found is None:
            found = self._stored[init] = {}
            index, cls = self._graph.index, module.facts.scopes[init.parent]
            stores = index.own_stores.get((module.index, cls.index), {}) if _is_constructor(init) else {}
            methods = index.inner.get(cls, ()) if stores else ()
            asked = {name for method in methods for _, name in self._tests_of(method).attributes}
            for name in sorted(asked & stores.keys()):
                (scope, store), *others = stores[name]
                if scope is init and not others and store.guard < 0 and name not in index.stores:
                    found[name] = store.value
        return found

    def rules_out(self, frame: Frame, guard: int) -> bool:
        """Whether control does not get past a guard in a frame."""
        if guard < 0:
            return False
        if self._settings.rules_out(frame.module, frame.scope, guard):
            return True
        if not _is_special(frame):
            return False
        while guard >= 0:
            row = frame.scope.guards[guard]
            if row.kind == "test" and self.decide(frame, row.test) is (not row.holds):
                return True
            guard = row.outer
        return False

    def decide(self, frame: Frame, test: Expr) -> bool | None:
        """What a test gives in a frame; None where that is not known."""
        if isinstance(test, Not):
            answer = self.decide(frame, test.value)
            return None if answer is None else not answer
        if isinstance(test, Compare):
            return self._compare(frame, test)
        if isinstance(test, Call):
            return False if _asks_for_a_class(test) and self._value(frame, test.args[0]) is None else None
        value = self._value(frame, test)
        return None if value is _UNKNOWN else bool(value)

    def _compare(self, frame: Frame, test: Compare) -> bool | None:
        left, right = self._value(frame, test.left), self._value(frame, test.right)
        if test.operator in ("in", "not in"):
            items = _constants(test.right)
            return None if left is _UNKNOWN or items is None else (left in items) == (test.operator == "in")
        if left is _UNKNOWN or right is _UNKNOWN or (_OTHER in (left, right) and not _has_constant(test)):
            return None
        if test.operator in ("is", "is not"):
            return (left is right) == (test.operator == "is")
        return (left == right) == (test.operator == "==")

    def _value(self, frame: Frame, expr: Expr) -> object:
        if isinstance(expr, Const):
            return expr.value
        if isinstance(expr, Attr) and isinstance(expr.base, Name):
            return self._attribute(frame, expr.base.id, expr.name)
        at: Frame | None = frame if isinstance(expr, Name) else None
        while at is not None and isinstance(expr, Name):
            scope = at.scope
            for name, value in at.known:
                if name == expr.id:
                    return value
            if at.parent is None:
                return self._settings.constant(at.module, expr.id)
            if expr.id in scope.bindings or any(p.name == expr.id for p in scope.parameters):
                return _UNKNOWN
            at = at.parent
        return _UNKNOWN

    def _attribute(self, frame: Frame, base: str, name: str) -> object:
        """What an attribute of the method's own object, or of a class of the module, is known to hold."""
        at: Frame | None = frame
        while at is not None:
            if at.parent is None:
                return self._settings.member(at.module, base, name)
            if any(p.name == base for p in at.scope.parameters):
                own = at.receiver is not None and at.scope.parameters[0].name == base
                return next((v for n, v in at.known if own and n == f".{name}"), _UNKNOWN)
            if base in at.scope.bindings:
                return _UNKNOWN
            at = at.parent
        return _UNKNOWN

    def _given(self, scope: Scope, parameter: Parameter, position: int | None, arguments: Arguments) -> object:
        source = arguments.get(position, parameter.name)
        if source is not None:
            return _UNKNOWN if source.frame is None else self._value(source.frame, source.expr)
        left_out = arguments.whole and not arguments.rest_keywords and (position is None or not arguments.rest)
        # A decorator may give what the caller leaves out.
        if left_out and isinstance(parameter.default, Const) and _is_plain(scope):
            return parameter.default.value
        return _UNKNOWN

    def _parameters(self, function: Function) -> tuple[_Asked, ...]:
        """The parameters that tests ask about, with their positions and what they are compared with."""
        scope = function.scope
        found = self._asked.get(scope)
        if found is None:
            found = self._asked[scope] = tuple(self._find(function.module, scope))
        return found

    def _find(self, module: Module, scope: Scope) -> Iterator[_Asked]:
        tests = self._tests_of(scope)
        positional = [p for p in scope.parameters if p.kind == "positional"]
        bound, keys = self._bound_in(scope), self.registries.keys(module, scope)
        stored = self._attributes_asked(module, scope).values() if _is_constructor(scope) else ()
        kept = {value.id for value in stored if isinstance(value, Name)}
        given = {a.id for call in scope.calls for a in call.args if isinstance(a, Name)}
        given_on = given | {v.id for call in scope.calls for _, v in call.keywords if isinstance(v, Name)}
        for parameter in scope.parameters:
            if parameter.kind in ("positional", "keyword") and parameter.name not in bound:
                position = positional.index(parameter) if parameter.kind == "positional" else None
                name = parameter.name
                if name in keys or (name in given and self._is_key_elsewhere(scope, name)):
                    yield parameter, position, None
                elif name in tests.names:
                    yield parameter, position, tests.names[name]
                elif isinstance(parameter.default, Const) and (
                    name in kept or (name in given_on and self._is_handed_on(scope, name))
                ):
                    yield parameter, position, set()

    def _bound_in(self, scope: Scope) -> set[str]:
        """The names that a function, or a function in it, binds anew."""
        found = set(scope.bindings)
        for inner in self._graph.index.within(scope):
            if inner is not scope:
                found.update(name for name, kind in inner.outer_names.items() if kind == "nonlocal")
        return found

    def _tests_of(self, scope: Scope) -> _Tests:
        """What the tests of a function, and of functions in it, ask."""
        found = self._tests.get(scope)
        if found is None:
            found = _Tests()
            for inner in self._graph.index.within(scope):
                for guard in inner.guards:
                    found.note(guard.test)
            # Of most functions there is nothing to keep.
            found = self._tests[scope] = found if found.names or found.attributes else _NO_TESTS
        return found

    def _is_key_elsewhere(self, scope: Scope, name: str) -> bool:
        """Whether a parameter is handed on to a function that finds handlers by it."""
        for call in scope.calls:
            given = any(isinstance(a, Name) and a.id == name for a in call.args)
            if given and any(other is not scope for other in self._keyed(last_name(call.func))):
                return True
        return False

    def _keyed(self, name: str) -> list[Scope]:
        """The functions of a name that find handlers by a parameter."""
        if name not in self._by_key:
            functions = self._graph.index.functions.get(name, ())
            self._by_key[name] = [scope for module, scope in functions if self.registries.keys(module, scope)]
        return self._by_key[name]

    def exact_key(self, frame: Frame, key: Expr) -> str | int | None:
        """The one constant that a key is in a frame; None where it may be another."""
        value = self._value(frame, key)
        return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None

    def _is_handed_on(self, scope: Scope, name: str) -> bool:
        """Whether a parameter is given to a function that asks about what it is given."""
        for call in scope.calls:
            positional = any(isinstance(a, Name) and a.id == name for a in call.args)
            keywords = [k for k, v in call.keywords if isinstance(v, Name) and v.id == name]
            if positional or keywords:
                for _, other in self._graph.index.functions.get(last_name(call.func), ()):
                    asked = self._tests_of(other).names
                    wanted = [p.name for p in other.parameters] if positional else keywords
                    if any(p in asked for p in wanted):
                        return True
        return False


def _is_constructor(scope: Scope) -> bool:
    return scope.name == "__init__"


# A parameter, its position, and what it is compared with; None where it is a key.
_Asked = tuple[Parameter, int | None, set[object] | None]


def _simplified(value: object, named: set[object] | None) -> object:
    """Texts and numbers that no test names are all the same; empty ones count as tests of truth see them."""
    if value is None or isinstance(value, bool) or not value or named is None or value in named:
        return value
    return _OTHER


def _has_constant(test: Compare) -> bool:
    return isinstance(test.left, Const) or isinstance(test.right, Const)


def _asks_for_a_class(test: Call) -> bool:
    """Whether this is `isinstance(x, C)` with a class that None is not of."""
    if last_name(test.func) != "isinstance" or len(test.args) != 2:
        return False
    wanted = test.args[1].items if isinstance(test.args[1], Collection) else (test.args[1],)
    return all(isinstance(c, (Name, Attr)) and last_name(c) not in ("object", "NoneType") for c in wanted)


def _constants(expr: Expr) -> tuple[object, ...] | None:
    """The constant, or the constants of a display; None where there is anything else."""
    if isinstance(expr, Const):
        return (expr.value,)
    if isinstance(expr, Collection) and not expr.keys and all(isinstance(item, Const) for item in expr.items):
        return tuple(item.value for item in expr.items if isinstance(item, Const))
    return None


def _is_special(frame: Frame | None) -> bool:
    while frame is not None:
        if frame.known:
            return True
        frame = frame.parent
    return False


def _is_plain(scope: Scope) -> bool:
    """Whether no decorator may change what the function is called with."""
    return all(last_name(decorator) in SAME_FUNCTION for decorator in scope.decorators)
