"""Calls: which functions and library things a call enters, and with which arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, partial

from msgspec.structs import replace

from loopsafe.facts.schema import Attr, Call, Collection, Const, Expr, Name, Ref, Scope, Star
from loopsafe.facts.spelling import is_same_name
from loopsafe.knowledge.schema import Callable as CallableRow
from loopsafe.knowledge.schema import Passed, RunsRow
from loopsafe.program.classes import Classes
from loopsafe.program.constants import Constants
from loopsafe.program.graph import Arguments, Entered, Graph, Library, OnTarget, Source, Target
from loopsafe.program.index import CallSite, last_name, method_kind
from loopsafe.program.names import Names
from loopsafe.program.parameters import depends_on_call
from loopsafe.program.put_together import names_of
from loopsafe.program.solver import Listener, Node
from loopsafe.program.subscribed import Subscribed
from loopsafe.program.values import (
    Class,
    Container,
    External,
    Frame,
    Function,
    Instance,
    Literal,
    Member,
    Method,
    Object,
    Partial,
    Value,
)

_MOST_CALLERS = 150
_FOR_ONE = 4
_MOST_PARTIALS = 3
_FACTORY = "default_factory"


class Calls:
    """Enters callees, binds arguments, and finds callers when a parameter's values are asked for."""

    def __init__(self, graph: Graph, names: Names, classes: Classes, constants: Constants) -> None:
        self._graph, self._names, self._classes, self._constants = graph, names, classes, constants
        self._subscribed = Subscribed(graph, classes, self._one)
        self._demanded: set[Frame] = set()
        self._followed: set[tuple[tuple[str, ...], int]] = set()
        self._sensitive: dict[Scope, bool] = {}
        # What closures call, and the frames in which they are entered: the decorated functions decide those.
        self._from_closures: dict[Scope, list[Call]] = defaultdict(list)
        self._closures: dict[Scope, list[Frame]] = defaultdict(list)
        names.entered.append(self._entered)

    def arguments(self, frame: Frame, call: Call) -> Arguments:
        """The arguments as written, each to be read only if someone asks."""
        known = self._graph.callees(frame, call)
        if known.arguments is None:
            args, keywords, guard = call.args, call.keywords, call.guard
            # Lists are made faster than what makes their items one by one, and mostly there is no star.
            plain = tuple([Source(frame, a, None, guard) for a in args if not isinstance(a, Star)])
            starred = [a.value for a in args if isinstance(a, Star)] if len(plain) < len(args) else []
            rest = tuple([Source(frame, a, None, guard) for a in starred])
            named = tuple([(name, Source(frame, value, None, guard)) for name, value in keywords if name])
            spread = tuple([Source(frame, value, None, guard) for name, value in keywords if not name])
            known.arguments = Arguments(plain, named, rest, spread, whole=True, caller=frame)
        return known.arguments

    def call(self, callee: Value, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        """Enter whatever `callee` is; `on_target` hears of each function and library thing."""
        if isinstance(callee, Function) and self._wants_receiver(callee):
            self._unbound(callee, arguments, site, on_target)
        elif isinstance(callee, Function):
            self._enter(callee, None, arguments, site, on_target)
        elif isinstance(callee, Method):
            given = self._of_one(callee.receiver, arguments, site)
            self._enter(callee.function, callee.receiver, given, site, on_target)
        elif isinstance(callee, Class):
            self._construct(callee, arguments, site, on_target)
        elif isinstance(callee, Instance):
            called = self._graph.attribute(callee, "__call__")
            self._graph.solver.listen(called, self._through, arguments, site, on_target)
        elif isinstance(callee, Partial):
            self._partial(callee, arguments, site, on_target)
        elif isinstance(callee, External):
            self._external(callee.name, arguments, on_target)
        elif isinstance(callee, Member):
            name = self._member_name(callee)
            on_target(Library(name.removesuffix(".__init__"), callee.receiver, arguments))
        elif isinstance(callee, Object):
            on_target(Library(f"{callee.type}.__call__", callee, arguments))

    def _of_one(self, receiver: Value, arguments: Arguments, site: object) -> Arguments:
        """The arguments where the receiver is this one: in `x.start(x.run)` the methods are those of one object."""
        if not isinstance(site, Call) or not isinstance(site.func, Attr) or arguments.caller is None:
            return arguments
        base = site.func.base
        if not any(isinstance(s.expr, Attr) and is_same_name(s.expr.base, base) for s in arguments.positional):
            return arguments

        def of_one(source: Source) -> Source:
            if not isinstance(source.expr, Attr) or not is_same_name(source.expr.base, base):
                return source
            return replace(source, node=self._graph.attribute(receiver, source.expr.name))

        return replace(arguments, positional=tuple(map(of_one, arguments.positional)))

    def _external(self, name: str, arguments: Arguments, on_target: OnTarget) -> None:
        if name.endswith(".__init__"):  # `Base.__init__(self, ...)` makes a Base of self
            name, arguments = name.removesuffix(".__init__"), arguments.after(1, keywords=True)
        on_target(Library(self._graph.knowledge.canonical(name), None, arguments))

    def _through(self, arguments: Arguments, site: object, on_target: OnTarget, value: Value) -> None:
        if not isinstance(value, Instance):
            self.call(value, arguments, site, on_target)

    def _partial(self, callee: Partial, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        function, given = callee.function, callee.arguments
        assert isinstance(function, Source)
        assert isinstance(given, Arguments)
        passed = set() if arguments.passed is None else arguments.passed
        together = given.before(arguments, passed)
        if callee in passed or together.partials > _MOST_PARTIALS:
            return  # a partial of itself, wrapped again and again
        passed.add(callee)
        self._graph.solver.listen(self._graph.node(function), self._graph.called_with, together, site, on_target)

    def _member_name(self, callee: Member) -> str:
        """The canonical dotted name of a library method: that of the class which has it."""
        knowledge, receiver = self._graph.knowledge, callee.receiver
        types: list[str] = []
        if isinstance(receiver, Object):
            types = [receiver.type]
        elif isinstance(receiver, Instance):
            types = self._classes.library_bases(receiver.cls)
        elif isinstance(receiver, Container):
            types = [f"builtins.{receiver.kind}"]
        elif isinstance(receiver, Literal):
            types = [f"builtins.{type(receiver.value).__name__}"]
        # The first class in line that knowledge speaks of has the method.
        for type_ in types:
            for owner in knowledge.lineage(type_):
                name = f"{owner}.{callee.name}"
                if name in knowledge.called:
                    return name
        return f"{types[0]}.{callee.name}" if types else f"?.{callee.name}"

    def _construct(self, cls: Class, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        instance = self._classes.instance(cls)
        # Each of them runs, from the first class in line that has it.
        for name in ("__init__", "__post_init__", "__new__"):
            for base in self._classes.mro(cls):
                if isinstance(base, Class) and name in base.scope.bindings:
                    made = self._graph.attribute(cls if name == "__new__" else instance, name)
                    self._graph.solver.listen(made, self._graph.called_with, arguments, site, on_target)
                    break
        self._fields(cls, arguments)
        self._make_defaults(cls, arguments, site, on_target)
        for base_name in self._classes.library_bases(cls):
            if base_name in self._graph.knowledge.runs:
                on_target(Library(base_name, instance, arguments))

    def _fields(self, cls: Class, arguments: Arguments) -> None:
        """Dataclasses and named tuples: what is given for a field is held by the attribute."""
        if any(isinstance(b, Class) and "__init__" in b.scope.bindings for b in self._classes.mro(cls)):
            return
        graph, instance = self._graph, self._classes.instance(cls)
        fields: dict[str, tuple[Frame, Expr]] = {}
        for base in reversed(self._classes.mro(cls)):
            if isinstance(base, Class):
                body = graph.values.frame(base.module, base.scope, base.frame)
                fields.update((name, (body, annotation)) for name, annotation in base.scope.annotations.items())
        for position, (name, declared) in enumerate(fields.items()):
            source = arguments.get(position, name)
            if source is not None:
                graph.solver.link(graph.node(source), graph.gate(graph.attribute(instance, name), [declared]))

    def _make_defaults(self, cls: Class, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        """`field(default_factory=f)`: f is called for each object, where the field is not given."""
        given = {name for name, _ in arguments.keywords}
        for base in (base for base in self._classes.mro(cls) if isinstance(base, Class)):
            names = sorted(base.scope.annotations.keys() - given)
            for value in (value for name in names for value in base.scope.bindings.get(name, ())):
                factory = dict(value.keywords).get(_FACTORY) if isinstance(value, Call) else None
                if isinstance(factory, (Ref, Name, Attr)):
                    body = self._graph.values.frame(base.module, base.scope, base.frame)
                    made = self._graph.evaluate(body, factory)
                    self._graph.solver.listen(made, self._graph.called_with, Arguments(), site, on_target)

    def _wants_receiver(self, function: Function) -> bool:
        around = function.module.facts.scopes[function.scope.parent]
        return around.kind == "class" and function.scope.kind == "function" and method_kind(function.scope) == "plain"

    def _unbound(self, function: Function, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        """A method called as a plain function: its first argument is the receiver."""

        # Only instances: a function called on anything else is not a method call that could succeed.
        def received(value: Value) -> None:
            if isinstance(value, Instance):
                self._enter(function, value, arguments.after(1, keywords=True), site, on_target)

        for source in arguments.positional[:1]:
            self._graph.solver.listen(self._graph.node(source), received)
        if not arguments.positional:
            for rest in arguments.rest:
                self._graph.solver.listen(self._graph.node(rest), lambda held: self._first(held, arguments, received))

    def _first(self, held: Value, arguments: Arguments, received: Listener) -> None:
        if isinstance(held, Container):
            self._graph.solver.listen(self._graph.content(held, arguments.skip), received)

    def _enter(
        self, function: Function, receiver: Value | None, arguments: Arguments, site: object, on_target: OnTarget
    ) -> None:
        frames = self._graph.values.frame
        # The plain frame hears of every call: whoever asks for a parameter without a call in mind gets all.
        plain, called = frames(function.module, function.scope, function.frame, receiver), site
        self._names.give(plain, arguments)
        if not isinstance(site, Value) and not self._is_sensitive(function):
            site = None
        known = self._constants.given(function, receiver, arguments)
        known += self._constants.of_object(function, receiver, arguments, called)
        entered = plain
        if site is not None or known:
            entered = frames(function.module, function.scope, function.frame, receiver, site, known=known)
            self._names.give(entered, arguments)
        if not known:
            self._graph.entered_plainly(plain)
        on_target(Entered(entered, function))

    def _is_sensitive(self, function: Function) -> bool:
        """Whether a function must be entered anew for each call: it makes closures, or calls or returns its parameters.

        What it calls may be the elements of one, too. One that is given a loop and what is to be done there must be,
        since each goes with the other. Decorators (their site is what they decorate) always are.
        """
        scope = function.scope
        found = self._sensitive.get(scope)
        if found is None:
            makes = any(inner.kind != "class" for inner in self._graph.index.inner.get(scope, ()))
            found = makes or depends_on_call(scope, self._graph.knowledge.onto_loops)
            self._sensitive[scope] = found
        return found

    def handed_over(self, row: RunsRow, target: Library, site: object, on_target: OnTarget) -> None:
        """A library call that runs a callable of its arguments: enter that callable as the library does."""
        for wanted in row.callables:
            sources = self._callables(wanted, target.arguments)
            if wanted.held and target.receiver is not None:
                names = self._held_under(wanted.held, target.receiver)
                sources = [Source(None, None, self._graph.attribute(target.receiver, name)) for name in names]
            if wanted.given_to and target.receiver is not None:
                sources = [Source(None, None, self._subscribed.node(target.receiver, wanted))]
            if wanted.key and row.where == "here":
                path = wanted.key.split(".")
                sources = [Source(None, None, self._graph.dug(self._graph.node(s), path)) for s in sources]
            for source in sources:
                # What a loop gives its handlers is made on that loop.
                maker = site if isinstance(site, Call) and row.where == "loop" else None
                given = self._given(row.passes, target.arguments, maker)
                self._graph.solver.listen(self._graph.node(source), self._graph.called_with, given, site, on_target)

    def callable_sources(self, row: RunsRow, arguments: Arguments) -> list[Source]:
        """The arguments that the row says are callables."""
        found = [source for wanted in row.callables for source in self._callables(wanted, arguments)]
        # `gather(*(work(n) for n in numbers))`, `gather(*map(work, numbers))`: what is written out there, since all
        # else would be followed far.
        written = row.coroutine and any(wanted.rest_from is not None for wanted in row.callables)
        for starred in arguments.rest if written else ():
            if isinstance(starred.expr, Collection) or _is_map(starred.expr):
                found.append(Source(None, None, Node()))
                self._graph.elements(starred, self._graph.node(found[-1]))
        return found

    def _callables(self, wanted: CallableRow, arguments: Arguments) -> list[Source]:
        if wanted.given_to:
            return []
        sources = list(self._one(wanted, arguments))
        if wanted.rest_from is not None:
            sources += arguments.positional[wanted.rest_from :]
        return sources

    def _given(self, passes: Passed, arguments: Arguments, maker: Call | None) -> Arguments:
        if passes.objects:
            made = (arguments.caller, maker) if maker and arguments.caller else (None, None)
            nodes = [self._graph.holding([self._graph.values.make(Object, cls, *made)]) for cls in passes.objects]
            return Arguments(tuple(Source(None, None, node) for node in nodes))
        if passes.each_from is not None:
            nodes = [Node() for _ in arguments.positional[passes.each_from :]]
            for source, node in zip(arguments.positional[passes.each_from :], nodes, strict=True):
                self._graph.elements(source, node)
            each = tuple(Source(None, None, node) for node in nodes)
            return Arguments(rest=each) if passes.spread else Arguments(each)
        if passes.rest_from is not None:
            return arguments.after(passes.rest_from, passes.keywords)
        given = Arguments((), (), self._one(passes.args, arguments), self._one(passes.kwargs, arguments))
        seen = arguments.whole and not arguments.rest and not arguments.rest_keywords
        return replace(_written_out(given), whole=seen and passes.args is not None)

    def _one(self, wanted: CallableRow | None, arguments: Arguments) -> tuple[Source, ...]:
        """An argument as it is written, else what a dict has for it that is spread into the call."""
        if wanted is None:
            return ()
        source = arguments.get(wanted.position, wanted.keyword)
        if source is not None or not wanted.keyword or wanted.key or wanted.methods:
            return (source,) if source is not None else ()
        return tuple(self._of_spread(rest, wanted.keyword) for rest in arguments.rest_keywords)

    def _of_spread(self, rest: Source, keyword: str) -> Source:
        node, solver = Node(), self._graph.solver

        def take(value: Value) -> None:
            if isinstance(value, Container):
                solver.link(self._graph.content(value, keyword), node)

        solver.listen(self._graph.node(rest), take)
        return Source(None, None, node)

    def _held_under(self, held: str, receiver: Value) -> Iterator[str]:
        """The names under which an object holds what a row says."""
        beginning = held.removesuffix("*")
        return iter((held,)) if beginning == held else names_of(receiver, beginning, self._classes)

    def demand(self, frame: Frame) -> None:
        """Find the calls that may enter this frame and bind their arguments. Frames of one call have theirs already."""
        if frame.site is not None or frame.known or frame in self._demanded:
            return
        self._demanded.add(frame)
        index = self._graph.index
        names = [self._called_as(frame), *self._decorated_by_maker(frame)]
        # A name that everything calls (`get`, `run`) would lead everywhere, unless it means one function alone.
        most = _MOST_CALLERS * (_FOR_ONE if index.defined[frame.scope.name] == 1 else 1)
        self._follow_all(tuple(dict.fromkeys(names)), most)
        for name in (frame.scope.name, *self._makers(frame)):
            for module, scope in index.decorated.get(name, ())[:_MOST_CALLERS]:
                around = self._classes.plain_frame(module, module.facts.scopes[scope.parent])
                self._graph.variable(around, scope.name)
        self._take_from_library(frame)

    def _follow_all(self, names: tuple[str, ...], most: int) -> None:
        """Follow the calls by these names, once: whichever function of the name is asked about, they are the same."""
        if (names, most) in self._followed:
            return
        self._followed.add((names, most))
        sites = [site for name in names for site in self._graph.index.callers(name)]
        for module, scope, call in _few_of_each(sites, most):
            self._from_closures[scope].append(call)
            for caller in (*self._classes.frames(module, scope), *self._closures.get(scope, ())):
                self._graph.follow(caller, call)

    def _take_from_library(self, frame: Frame) -> None:
        """Bind what a library hands to a function that it is given, or to a method of those who extend its class."""
        for module, scope, call in self._given_to_libraries.get(frame.scope.name, ()):
            for caller in self._classes.frames(module, scope):
                self._graph.targets(caller, call, partial(self._hand_objects, call))
        if not isinstance(frame.receiver, Instance):
            return
        graph = self._graph
        for base in self._classes.library_bases(frame.receiver.cls):
            held = graph.knowledge.handed_to(base, frame.scope.name)
            if held is not None:
                node = graph.holding([graph.values.make(Object, held, None, None)])
                self._names.give(frame, Arguments((Source(None, None, node),)))
                return

    @cached_property
    def _given_to_libraries(self) -> dict[str, list[CallSite]]:
        """The calls of what hands objects of its own to a function, by the function's name."""
        found: dict[str, list[CallSite]] = defaultdict(list)
        for name in sorted(self._handing):
            for site in self._graph.index.callers(name)[:_MOST_CALLERS]:
                for given in (*site[2].args, *(value for _, value in site[2].keywords)):
                    if isinstance(given, (Name, Attr)):
                        found[last_name(given)].append(site)
        return found

    @cached_property
    def _handing(self) -> set[str]:
        runs = self._graph.knowledge.runs
        return {name.rpartition(".")[2] for name, rows in runs.items() if any(row.passes.objects for row in rows)}

    def _hand_objects(self, call: Call, target: Target) -> None:
        if isinstance(target, Library):
            for row in self._graph.knowledge.runs.get(target.name, ()):
                if row.passes.objects:
                    self.handed_over(row, target, call, _ignore)

    def _entered(self, frame: Frame) -> None:
        if isinstance(frame.parent and frame.parent.site, Function):
            self._closures[frame.scope].append(frame)
            for call in self._from_closures.get(frame.scope, ()):
                self._graph.follow(frame, call)

    def _decorated_by_maker(self, frame: Frame) -> list[str]:
        """A function made inside a decorator is called by the names of what is decorated."""
        makers = self._makers(frame)
        return [scope.name for maker in makers for _, scope in self._graph.index.decorated.get(maker, ())]

    def _makers(self, frame: Frame) -> list[str]:
        """The functions in which a function is made."""
        scopes, at = frame.module.facts.scopes, frame.scope
        names: list[str] = []
        while at.parent >= 0 and scopes[at.parent].kind == "function":
            at = scopes[at.parent]
            names.append(at.name)
        return names

    def _called_as(self, frame: Frame) -> str:
        scope = frame.scope
        if scope.name in ("__init__", "__new__") and isinstance(frame.receiver, (Instance, Class)):
            # A constructor is called by the name of its class.
            cls = frame.receiver.cls if isinstance(frame.receiver, Instance) else frame.receiver
            return cls.scope.name
        return scope.name


def _is_map(expr: Expr | None) -> bool:
    return isinstance(expr, Call) and isinstance(expr.func, Name) and expr.func.id == "map"


def _ignore(_: object) -> None:
    """The arguments are bound by the call itself."""


def _written_out(arguments: Arguments) -> Arguments:
    """`args=(a, b)` and `kwargs={"c": d}` as they would stand in a call."""
    for source in arguments.rest:
        items = _shown(source)
        if items is not None:
            arguments = replace(arguments, positional=tuple(item for _, item in items), rest=())
    for source in arguments.rest_keywords:
        named = _shown(source, "dict")
        if named is not None:
            arguments = replace(arguments, keywords=tuple((str(key), item) for key, item in named), rest_keywords=())
    return arguments


def _shown(source: Source, *kinds: str) -> list[tuple[object, Source]] | None:
    """Keys and items of a display, if they all stand in the text."""
    shown = source.expr
    if not isinstance(shown, Collection) or shown.kind not in (kinds or ("tuple", "list")):
        return None
    keys = shown.keys or (Const(None),) * len(shown.items)
    pairs = list(zip(keys, shown.items, strict=True))
    if any(not isinstance(key, Const) or isinstance(item, Star) for key, item in pairs):
        return None
    return [(key.value, replace(source, expr=item)) for key, item in pairs if isinstance(key, Const)]


def _few_of_each(sites: list[CallSite], most: int) -> Iterator[CallSite]:
    """The sites in the project's own files, and those in each library, where they are not too many."""
    by_library: dict[str, list[CallSite]] = defaultdict(list)
    for site in sites:
        by_library[site[0].library].append(site)
    for some in by_library.values():
        yield from some if len(some) <= most else ()
