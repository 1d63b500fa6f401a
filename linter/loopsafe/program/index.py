"""Where each name is used, over the whole program: the way from a function to those who may call it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from loopsafe.facts.schema import (
    Annotation,
    Attr,
    Await,
    Call,
    Choice,
    Collection,
    Const,
    Expr,
    Import,
    Item,
    Name,
    Read,
    Ref,
    Scope,
    Store,
    Subscript,
)
from loopsafe.program.modules import Module, Modules
from loopsafe.program.operators import CALLED, is_busy, is_special, special_calls
from loopsafe.program.python import ADDERS, PUTTERS, PUTTING_FUNCTIONS

CallSite = tuple[Module, Scope, Call]
StoreSite = tuple[Module, Scope, Store]
ReadSite = tuple[Module, Scope, Read]

_PASSING = frozenset(
    {"get", "setdefault", "values", "items", "copy", "list", "tuple", "set", "sorted", "reversed", "iter"}
)


@dataclass(frozen=True, slots=True, eq=False)
class WriteSite:
    """Something put into the container `base` under `key` (None where not known); `whole` for `extend` and `update`."""

    module: Module
    scope: Scope
    base: Expr
    key: Expr
    value: Expr
    whole: bool = False


def is_own_call(method: Scope, call: Call) -> bool:
    """Whether a method calls one of its own object."""
    base = call.func.base if isinstance(call.func, Attr) else None
    return isinstance(base, Name) and bool(method.parameters) and base.id == method.parameters[0].name


class Index:
    """Indexes by the last name of what is called, stored, defined or inherited from."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules
        self._keepers: dict[Scope, dict[object, tuple[str, ...]]] = {}
        self._by_place: dict[Module, dict[int, tuple[Scope, Call]]] = {}

    @cached_property
    def calls(self) -> dict[str, list[CallSite]]:
        """Calls by the last name of the callee."""
        found: dict[str, list[CallSite]] = defaultdict(list)
        for module, scope in self._scopes():
            for call in scope.calls:
                name = last_name(call.func)
                if name:
                    found[name].append((module, scope, call))
            for call in self.special.get(scope, ()):
                found[last_name(call.func)].append((module, scope, call))
        return found

    @cached_property
    def busy(self) -> frozenset[str]:
        """The special methods of the project itself that do more than look."""
        own = (scope for module, scope in self._scopes() if not module.library and scope.kind == "function")
        return frozenset(scope.name for scope in own if is_special(scope.name) and is_busy(scope))

    @cached_property
    def special(self) -> dict[Scope, tuple[Call, ...]]:
        """The calls of such methods that are not written as calls: operators, items, `len(x)`."""
        called = self.busy & CALLED
        found = ((scope, tuple(special_calls(scope, called))) for _, scope in self._scopes()) if called else ()
        return {scope: calls for scope, calls in found if calls}

    @cached_property
    def stores(self) -> dict[str, list[StoreSite]]:
        """Attribute stores by attribute, but for those on a method's own first parameter."""
        found: dict[str, list[StoreSite]] = defaultdict(list)
        for module, scope in self._scopes():
            for store in scope.stores:
                # Those on `self` are found by class, in own_stores.
                if store.name and not (isinstance(store.base, Name) and self.own_class(module, scope, store.base.id)):
                    found[store.name].append((module, scope, store))
        return found

    @cached_property
    def reads(self) -> dict[str, list[ReadSite]]:
        """Attribute reads by attribute, but for what is called."""
        found: dict[str, list[ReadSite]] = defaultdict(list)
        for module, scope in self._scopes():
            for read in scope.reads:
                found[read.attr.name].append((module, scope, read))
        return found

    @cached_property
    def own_stores(self) -> dict[tuple[int, int], dict[str, list[tuple[Scope, Store]]]]:
        """Stores on `self` (or `cls`), by (module, class) and attribute."""
        found: dict[tuple[int, int], dict[str, list[tuple[Scope, Store]]]] = {}
        for module, scope in self._scopes():
            for store in scope.stores:
                if store.name and isinstance(store.base, Name):
                    cls = self.own_class(module, scope, store.base.id)
                    if cls is not None:
                        by_name = found.setdefault((module.index, cls.index), defaultdict(list))
                        by_name[store.name].append((scope, store))
        return found

    @cached_property
    def decorated(self) -> dict[str, list[tuple[Module, Scope]]]:
        """Functions and classes by the last name of each of their decorators."""
        found: dict[str, list[tuple[Module, Scope]]] = defaultdict(list)
        for module, scope in self._scopes():
            for decorator in scope.decorators:
                found[last_name(decorator)].append((module, scope))
        return found

    @cached_property
    def writes(self) -> dict[str, list[WriteSite]]:
        """What is put into containers, by the last name of what holds the container, and by the key it stands under."""
        found: dict[str, list[WriteSite]] = defaultdict(list)
        for site in self._write_sites():
            found[holder(site.base)].append(site)
            if under := _item(site.base):
                found[under].append(site)
        return found

    def _write_sites(self) -> Iterator[WriteSite]:
        for module, scope in self._scopes():
            for store in scope.stores:
                if store.name is None:
                    yield WriteSite(module, scope, store.base, store.index, store.value)
            for call in scope.calls:
                func = call.func
                if len(call.args) > 1 and last_name(func) in PUTTING_FUNCTIONS:
                    yield WriteSite(module, scope, call.args[0], None, call.args[1])
                elif isinstance(func, Attr):
                    if func.name == "update":
                        given = ((name, value) for name, value in call.keywords if not isinstance(value, Const))
                        yield from (WriteSite(module, scope, func.base, Const(k), value) for k, value in given if k)
                    # Nothing is known of the receiver here; whoever asks sees whether it is a container.
                    if func.name in ADDERS and call.args:
                        yield WriteSite(module, scope, func.base, None, call.args[0], whole=True)
                    elif func.name in PUTTERS and len(call.args) > PUTTERS[func.name]:
                        key = call.args[0] if func.name == "setdefault" else None
                        value = call.args[PUTTERS[func.name]]
                        yield WriteSite(module, scope, func.base, key, value)

    @cached_property
    def item_writes(self) -> dict[object, list[WriteSite]]:
        """What is put into something under one key, by how the key is written."""
        found: dict[object, list[WriteSite]] = defaultdict(list)
        # Each once: those by the key they stand under are the same ones.
        for site in (site for name, sites in self.writes.items() if not name.startswith("[") for site in sites):
            word = spelling(site.key)
            if word is not None and not site.whole:
                found[word].append(site)
        return found

    @cached_property
    def classes_by_base(self) -> dict[str, list[tuple[Module, Scope]]]:
        """Classes by the last name of each base class, under every name it is imported as."""
        found: dict[str, list[tuple[Module, Scope]]] = defaultdict(list)
        for module, scope in self._scopes():
            if scope.kind == "class":
                for base in scope.bases:
                    for name in self._spellings(module, last_name(base)):
                        found[name].append((module, scope))
        return found

    @cached_property
    def functions(self) -> dict[str, list[tuple[Module, Scope]]]:
        """Functions and methods by name."""
        found: dict[str, list[tuple[Module, Scope]]] = defaultdict(list)
        for module, scope in self._scopes():
            if scope.kind == "function":
                found[scope.name].append((module, scope))
        return found

    @cached_property
    def constructors(self) -> dict[str, list[tuple[Module, Scope]]]:
        """Constructors by the name of their class."""
        found: dict[str, list[tuple[Module, Scope]]] = defaultdict(list)
        for module, scope in self.functions.get("__init__", ()):
            found[module.facts.scopes[scope.parent].name].append((module, scope))
        return found

    @cached_property
    def defined(self) -> Counter[str]:
        """How many functions and classes have each name."""
        return Counter(scope.name for _, scope in self._scopes() if scope.kind in ("function", "class"))

    @cached_property
    def definitions(self) -> frozenset[str]:
        """The names of all functions and classes, and what they are imported as."""
        names = self.defined.keys()
        return frozenset(names | {a for n, found in self.import_aliases.items() if n in names for a in found})

    @cached_property
    def _coroutine_names(self) -> frozenset[str]:
        return frozenset(scope.name for _, scope in self._scopes() if scope.is_async)

    def call_at(self, module: Module, packed_span: int) -> tuple[Scope, Call] | None:
        """The call that stands at a place of a file, and the scope it is in."""
        known = self._by_place.get(module)
        if known is None:
            scopes = module.facts.scopes
            known = self._by_place[module] = {
                call.packed_span: (scope, call) for scope in scopes for call in scope.calls
            }
        return known.get(packed_span)

    def names_coroutine(self, module: Module, scope: Scope, call: Call) -> bool:
        """Whether an argument of the call has the name of some coroutine function, or calls one, as a lambda may.

        What a name of the function stands for may be one.
        """
        given = [*call.args, *(value for _, value in call.keywords)]
        given += [a for value in given if isinstance(value, Call) for a in value.args]
        scopes = module.facts.scopes
        made = [r for value in given if isinstance(value, Ref) for r in scopes[value.scope].returns]
        given += [value.func for value in made if isinstance(value, Call)]
        return any(last_name(value) in self._coroutine_names or _is_own(scope, value) for value in given)

    @cached_property
    def import_aliases(self) -> dict[str, set[str]]:
        """The other names under which a name is imported somewhere (`from m import f as g`)."""
        found: dict[str, set[str]] = defaultdict(set)
        for _, scope in self._scopes():
            for bound, values in scope.bindings.items():
                for value in values:
                    if isinstance(value, Import) and value.name and value.name != bound:
                        found[value.name].add(bound)
        return found

    @cached_property
    def global_writers(self) -> dict[tuple[int, str], list[Scope]]:
        """Functions that assign a module's global, by (module, name)."""
        found: dict[tuple[int, str], list[Scope]] = defaultdict(list)
        for module, scope in self._scopes():
            for name, kind in scope.outer_names.items():
                if kind == "global" and name in scope.bindings:
                    found[module.index, name].append(scope)
        return found

    @cached_property
    def nonlocal_writers(self) -> dict[tuple[Scope, str], list[Scope]]:
        """Functions that assign a name of the scope right around them, by that scope and name."""
        found: dict[tuple[Scope, str], list[Scope]] = defaultdict(list)
        for module, scope in self._scopes():
            for name, kind in scope.outer_names.items():
                if kind == "nonlocal":
                    found[module.facts.scopes[scope.parent], name].append(scope)
        return found

    @cached_property
    def inner(self) -> dict[Scope, list[Scope]]:
        """The scopes right inside each scope."""
        found: dict[Scope, list[Scope]] = defaultdict(list)
        for module, scope in self._scopes():
            if scope.parent >= 0:
                found[module.facts.scopes[scope.parent]].append(scope)
        return found

    def within(self, scope: Scope) -> Iterator[Scope]:
        """A scope and all inside it."""
        pending = [scope]
        while pending:
            at = pending.pop()
            yield at
            pending += reversed(self.inner.get(at, ()))

    def kept_as(self, scope: Scope, made: object) -> list[str]:
        """The names and attributes that the expression `made` is assigned to in its scope, sorted."""
        found = self._keepers.get(scope)
        if found is None:
            found = self._keepers[scope] = {}
            for name, value in _kept(scope):
                for part in _handed_in(value):
                    found[part] = (*found.get(part, ()), name)
        return sorted(set(found.get(made, ())))

    def own_class(self, module: Module, scope: Scope, name: str) -> Scope | None:
        """The class whose method has `name` as its first parameter, seen from `scope` or from closures inside."""
        scopes = module.facts.scopes
        while scope.kind in ("function", "lambda"):
            around = scopes[scope.parent]
            # The nearest function that binds the name decides, as closures do.
            if any(p.name == name for p in scope.parameters):
                first = scope.parameters[0].name == name
                return around if first and around.kind == "class" and method_kind(scope) != "static" else None
            if name in scope.bindings:
                return None
            scope = around
        return None

    def callers(self, name: str) -> list[CallSite]:
        """Calls that may mean a function of this name."""
        sites = list(self.calls.get(name, ()))
        for alias in sorted(self.import_aliases.get(name, ())):
            sites += self.calls.get(alias, ())
        return sites + self._stand_ins.get(name, [])

    @cached_property
    def _stand_ins(self) -> dict[str, list[CallSite]]:
        """Calls of a variable, by the names of the functions and classes that it stands for: `cls = A if x else B`."""
        found: dict[str, list[CallSite]] = defaultdict(list)
        for module, scope in self._scopes():
            for call in scope.calls:
                if isinstance(call.func, Name) and call.func.id in scope.bindings:
                    values = scope.bindings[call.func.id]
                    names = {last_name(part) for value in values for part in _chosen_from(value, module, scope)}
                    for name in sorted(names & self.defined.keys() - {call.func.id}):
                        found[name].append((module, scope, call))
        return found

    def own_callers(self, name: str) -> list[CallSite]:
        """Those of them that are the project's own: of installed packages nothing is reported."""
        return [site for site in self.callers(name) if not site[0].library]

    def _spellings(self, module: Module, name: str) -> Iterator[str]:
        if name:
            yield name
            for value in module.facts.scopes[0].bindings.get(name, ()):
                if isinstance(value, Import) and value.name and value.name != name:
                    yield value.name

    def _scopes(self) -> Iterator[tuple[Module, Scope]]:
        for module in self._modules.all:
            for scope in module.facts.scopes:
                yield module, scope


def last_name(expr: Expr) -> str:
    """The last part of a dotted name; empty where there is none."""
    while isinstance(expr, (Subscript, Call)):
        expr = expr.base if isinstance(expr, Subscript) else expr.func
    if isinstance(expr, Attr):
        return expr.name
    return expr.id if isinstance(expr, Name) else ""


def spelling(key: Expr) -> object:
    """How a key is written: a constant, or the last part of a name; None for what is computed."""
    if isinstance(key, Const):
        return key.value
    return ("name", last_name(key)) if isinstance(key, (Name, Attr)) else None


def holder(expr: Expr) -> str:
    """The last name of what holds a container, seen through subscripts, `get`, `setdefault`, `values`, `list(...)`."""
    while True:
        if isinstance(expr, Subscript):
            expr = expr.base
        elif isinstance(expr, Call) and isinstance(expr.func, Attr) and expr.func.name in _PASSING:
            expr = expr.func.base
        elif isinstance(expr, Call) and isinstance(expr.func, Name) and expr.func.id in _PASSING and expr.args:
            expr = expr.args[0]
        else:
            return last_name(expr)


def _item(base: Expr) -> str:
    """The key under which a container is found in another, as `kept_as` has it; empty where that is none."""
    return _item_of(base.index) if isinstance(base, Subscript) else ""


def _item_of(key: Expr) -> str:
    word = spelling(key)
    return f"[{word}]" if word is not None else ""


def _kept(scope: Scope) -> Iterator[tuple[str, Expr]]:
    """What is bound to names and stored in attributes, also by a declaration or as a default."""
    for name, values in scope.bindings.items():
        yield from ((name, value) for value in values)
    yield from ((store.name or _item_of(store.index), store.value) for store in scope.stores)
    # Of these no part counts.
    yield from ((name, Annotation(annotation)) for name, annotation in scope.annotations.items())
    for parameter in scope.parameters:
        yield parameter.name, Annotation(parameter.annotation)
        yield parameter.name, Annotation(parameter.default)


def _handed_in(value: Expr) -> Iterator[Expr]:
    """What may be behind a value: itself, what it chooses from, and what calls that give it are given."""
    pending = [value]
    while pending:
        at = pending.pop()
        if isinstance(at, Await):
            pending.append(at.value)
        elif isinstance(at, Item):
            pending.append(at.base)
        elif isinstance(at, Choice):
            pending += at.options
        elif isinstance(at, Call):
            yield at
            pending += [*at.args, *(given for _, given in at.keywords)]
        elif isinstance(at, Annotation):
            yield at.type
        elif at is not None:
            yield at


def _chosen_from(value: Expr, module: Module, scope: Scope) -> Iterator[Expr]:
    """The names that a value may be, one of several or out of a display: `a if x else b`, `{"a": a}[x]`."""
    if isinstance(value, (Name, Attr)):
        yield value
    elif isinstance(value, Choice):
        for option in value.options:
            yield from _chosen_from(option, module, scope)
    elif isinstance(value, Call) and isinstance(value.func, Attr) and value.func.name == "get":
        yield from _shown(value.func.base, module, scope)
        yield from (default for default in value.args[1:] if isinstance(default, (Name, Attr)))
    elif isinstance(value, (Item, Subscript)):
        yield from _shown(value.base, module, scope)


def _shown(value: Expr, module: Module, scope: Scope) -> Iterator[Expr]:
    """The names in a display, or in that which a variable of the function or the module holds."""
    values: tuple[Expr, ...] = (value,)
    if isinstance(value, Name):
        values = scope.bindings.get(value.id) or module.facts.scopes[0].bindings.get(value.id, ())
    for held in values:
        if isinstance(held, Collection):
            yield from (item for item in held.items if isinstance(item, (Name, Attr)))


# Methods of classes without a decorator that says so.
_OF_CLASSES = ("__new__", "__init_subclass__")


def method_kind(scope: Scope) -> str:
    """`static`, `class` or `plain`, by the decorators of a method."""
    names = {last_name(d) for d in scope.decorators}
    if "staticmethod" in names:
        return "static"
    return "class" if "classmethod" in names or scope.name in _OF_CLASSES else "plain"


def _is_own(scope: Scope, value: Expr) -> bool:
    """Whether a name is bound by the function that it stands in, but for a function in it."""
    name = value.id if isinstance(value, Name) and scope.kind == "function" else ""
    if any(parameter.name == name for parameter in scope.parameters):
        return True
    return any(not isinstance(held, (Ref, Import)) for held in scope.bindings.get(name, ()))
