"""What calls of library and built-in functions give."""

from __future__ import annotations

from collections.abc import Callable

from loopsafe.facts.schema import Call, Scope, Star
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Arguments, Entered, Graph, Library, Source, Target
from loopsafe.program.modules import imported_by_name
from loopsafe.program.parameters import argument
from loopsafe.program.put_together import beginnings, names_of
from loopsafe.program.python import (
    ADDERS,
    CHANGED_COPIES,
    FIELDS,
    FIRST_OF,
    GETTERS,
    NEW_CONTAINERS,
    PUTTERS,
    SAME_THINGS,
    VIEWS,
    WRAPPERS,
)
from loopsafe.program.solver import Node
from loopsafe.program.values import (
    Class,
    Container,
    Coroutine,
    Descriptor,
    External,
    Frame,
    Instance,
    Literal,
    Object,
    Partial,
    Super,
    Value,
    key_of,
)

_SEVERAL = 2


class LibraryResults:
    """Gives the result of a call of something outside the project."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._special: dict[str, Callable[[Frame, Call, Library, Node], None]] = {
            "builtins.super": self._super,
            "builtins.getattr": self._getattr,
            "builtins.__import__": self._module,
            "importlib.import_module": self._module,
            "builtins.type": self._type,
            "builtins.map": self._map,
            "typing.cast": self._cast,
            "builtins.enumerate": self._enumerate,
            "builtins.zip": self._zip,
            "functools.partial": self._partial,
            "functools.partialmethod": self._partial,
            **dict.fromkeys(FIELDS, self._field),
            **dict.fromkeys(CHANGED_COPIES, self._changed_copy),
        }

    def give(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """Add to `node` what this call gives."""
        special = self._special.get(target.name)
        if special is not None:
            special(frame, call, target, node)
        elif target.name == "builtins.iter" and len(target.arguments.positional) > 1:
            self._until(frame, call, target.arguments.positional[0], node)
        elif target.name in SAME_THINGS and target.arguments.positional:
            for source in target.arguments.positional[:1]:
                self._copied(frame, call, target.name, source, node)
        elif target.name in FIRST_OF:
            for source in target.arguments.positional[:1]:
                self._graph.elements(source, node)
        elif target.name in NEW_CONTAINERS:
            self._new_container(frame, call, target, node)
        elif isinstance(target.receiver, (Container, Object)) and self._of_container(frame, call, target, node):
            return
        else:
            self._by_knowledge(frame, call, target, node)

    def _by_knowledge(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        graph = self._graph
        row = graph.knowledge.result(target.name)
        if row is None or any(target.arguments.get(c.position, c.keyword) for c in row.unless_given):
            if graph.complete or graph.knowledge.is_known(target.name):
                graph.solver.add(node, graph.values.make(Object, target.name, frame, call))
        elif row.gives == "result":
            # It hands on what the callable gives.
            self._result_of_callable(frame, call, target, node)
        elif row.gives.startswith("argument "):
            position = int(row.gives.split()[1])
            for source in target.arguments.positional[position : position + 1]:
                graph.solver.link(graph.node(source), node)
        elif row.gives == "known argument":
            for source in target.arguments.positional:
                graph.node(source)
            # Which of them are known shows at the end.
            graph.solver.when_idle(self._known, target, node)
        elif row.gives == "held" and target.receiver is not None:
            graph.solver.link(graph.content(target.receiver, None), node)
        elif row.gives == "instance":
            for source in target.arguments.positional:
                graph.solver.listen(graph.node(source), self._instance_of, node)
        elif row.each:
            own = graph.values.make(Container, "set", frame, call)
            graph.solver.add(node, own)
            graph.solver.add(graph.slot(own, None), graph.values.make(Object, row.each, frame, call))
            if row.of_loop is not None:
                # Whose they are is asked when all is known.
                graph.evaluate(frame, argument(call, row.of_loop))
        elif row.items:
            own = graph.values.make(Container, "tuple", frame, call)
            graph.solver.add(node, own)
            for position, name in enumerate(row.items):
                if name.startswith("*"):
                    several = graph.values.make(Container, "list", frame, (call, position))
                    graph.solver.add(graph.slot(own, position), several)
                    graph.solver.add(graph.slot(several, None), graph.values.make(Object, name[1:], frame, call))
                elif name:
                    graph.solver.add(graph.slot(own, position), graph.values.make(Object, name, frame, call))
        else:
            # Without a place of making all calls give one and the same object.
            made = (None, None) if row.existing else (frame, call)
            own = graph.values.make(Object, row.gives or row.awaited, *made)
            graph.solver.add(node, own)
            for source in target.arguments.positional[: row.holds_result]:
                graph.solver.listen(graph.node(source), self._keep_result, own)
            for source in target.arguments.positional[: row.holds_argument]:
                graph.solver.link(graph.node(source), graph.slot(own, None))

    def _known(self, target: Library, node: Node) -> None:
        known: dict[Value, str] = {}
        for source in target.arguments.positional:
            values = self._graph.node(source).values
            known.update((value, value.type) for value in values if isinstance(value, Object))
            if not values and self._is_result(source):
                return
        for value in known or (target.receiver,):
            if value is not None and len(set(known.values())) < _SEVERAL:
                self._graph.solver.add(node, value)

    def _is_result(self, source: Source) -> bool:
        """Whether an argument is what a call gives that the packs know, even if not of what."""
        if source.frame is None or not isinstance(source.expr, Call):
            return False
        found = self._graph.callees(source.frame, source.expr).found
        return any(isinstance(one, Library) and self._graph.knowledge.result(one.name) for one in found)

    def _keep_result(self, own: Value, given: Value) -> None:
        """What a coroutine returns is the result of the future that a hand-over gives."""
        if isinstance(given, Coroutine):
            self._graph.solver.link(self._graph.result(given.frame), self._graph.slot(own, None))

    def _instance_of(self, node: Node, given: Value) -> None:
        """One of the class that is given, if it is one; it was there before."""
        graph = self._graph
        if isinstance(given, Class):
            graph.solver.add(node, graph.values.make(Instance, given))
        elif isinstance(given, External) and graph.knowledge.is_known(given.name):
            graph.solver.add(node, graph.values.make(Object, graph.knowledge.canonical(given.name), None, None))

    def _result_of_callable(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        graph = self._graph

        def entered(found: Target) -> None:
            if isinstance(found, Entered):
                graph.solver.link(graph.result(found.frame), node)
            elif found.name != target.name:
                self.give(frame, call, found, node)

        for row in graph.knowledge.runs.get(target.name, ()):
            graph.hand_over(row, target, call, entered)

    def _field(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """`subs: list = field(default_factory=list)`: what the attribute holds where it is not given."""
        if self._is_always_given(frame.scope, call):
            return
        for name, source in target.arguments.keywords:
            if name in ("default_factory", "factory"):
                self._default(frame, call, source, node)
            elif name == "default":
                self._graph.solver.link(self._graph.node(source), node)

    def _is_always_given(self, cls: Scope, default: Call) -> bool:
        """Whether all calls that make such objects give what the default is for."""
        name = next((name for name, values in cls.bindings.items() if default in values), "")
        made = [call for _, _, call in self._graph.index.callers(cls.name)]
        if not made or name not in cls.annotations or cls.name in self._graph.index.classes_by_base:
            return False
        place = list(cls.annotations).index(name)
        return all(_gives(call, name, place) for call in made)

    def _super(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        at: Frame | None = frame
        # In a closure `super()` means the method around it.
        while at is not None and at.receiver is None:
            at = at.parent
        if at is not None and at.receiver is not None and at.scope.parent >= 0:
            cls = self._classes.defined_by(at.module, at.module.facts.scopes[at.scope.parent])
            self._graph.solver.add(node, self._graph.values.make(Super, cls, at.receiver))

    def _getattr(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        graph = self._graph
        given = target.arguments.positional
        if len(given) < 2:
            return
        names, base = graph.node(given[1]), graph.node(given[0])

        def named(name: Value) -> None:
            if isinstance(name, Literal) and isinstance(name.value, str):
                text = name.value
                graph.solver.listen(base, lambda value: graph.solver.link(graph.attribute(value, text), node))

        graph.solver.listen(names, named)
        for beginning in sorted(beginnings(given[1])):
            graph.solver.listen(base, self._all_that_begin, beginning, node)
        for default in given[2:3]:
            graph.solver.link(graph.node(default), node)

    def _all_that_begin(self, beginning: str, node: Node, value: Value) -> None:
        for name in names_of(value, beginning, self._classes):
            self._graph.solver.link(self._graph.attribute(value, name), node)

    def _module(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """A module that is imported by its name."""
        imported = imported_by_name(call)
        if imported is not None and imported.module:
            self._graph.bind_import(frame, imported, node)

    def _type(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        graph = self._graph

        def typed(value: Value) -> None:
            if isinstance(value, Instance):
                graph.solver.add(node, value.cls)

        for source in target.arguments.positional[:1]:
            graph.solver.listen(graph.node(source), typed)

    def _partial(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        given = target.arguments
        if given.positional:
            arguments = given.after(1, keywords=True)
            made = self._graph.values.make(Partial, given.positional[0], arguments)
            is_method = target.name.endswith(".partialmethod")
            self._graph.solver.add(
                node, self._graph.values.make(Descriptor, "partialmethod", made) if is_method else made
            )

    def _changed_copy(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """A copy of a dataclass's object with other values in some fields: all objects of a class are one."""
        graph = self._graph

        def change(value: Value) -> None:
            graph.solver.add(node, value)
            for name, source in target.arguments.keywords if isinstance(value, Instance) else ():
                graph.solver.link(graph.node(source), graph.attribute(value, name))

        for source in target.arguments.positional[:1]:
            graph.solver.listen(graph.node(source), change)

    def _map(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """What the function gives for the elements of what follows it."""
        graph, given = self._graph, target.arguments.positional
        rows = graph.values.make(Container, "list", frame, call)
        graph.solver.add(node, rows)
        columns = []
        for source in given[1:]:
            columns.append(Source(None, None, Node()))
            graph.elements(source, graph.node(columns[-1]))
        arguments = Arguments(tuple(columns))

        def called(callee: Value) -> None:
            if isinstance(callee, Class):
                graph.solver.add(graph.slot(rows, None), self._classes.instance(callee))
            graph.call(callee, arguments, call, entered)

        def entered(found: Target) -> None:
            if not isinstance(found, Entered) or found.function.scope.name == "__init__":
                return
            if found.function.scope.is_async or found.function.scope.is_generator:
                graph.solver.add(graph.slot(rows, None), graph.values.make(Coroutine, found.frame))
            else:
                graph.solver.link(graph.result(found.frame), graph.slot(rows, None))

        for source in given[:1]:
            graph.solver.listen(graph.node(source), called)

    def _until(self, frame: Frame, call: Call, source: Source, node: Node) -> None:
        """What a function gives, called again and again: `iter(queue.get, None)`."""
        graph = self._graph
        rows = graph.values.make(Container, "list", frame, call)
        graph.solver.add(node, rows)

        def entered(found: Target) -> None:
            if isinstance(found, Entered):
                graph.solver.link(graph.result(found.frame), graph.slot(rows, None))
            else:
                self.give(frame, call, found, graph.slot(rows, None))

        graph.solver.listen(graph.node(source), lambda callee: graph.call(callee, Arguments(), call, entered))

    def _cast(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        """What it is said to be."""
        if len(call.args) > 1:
            self._graph.solver.link(self._graph.instance_of(frame, call.args[0]), node)

    def _enumerate(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        self._tuples(frame, call, [None, *target.arguments.positional[:1]], node)

    def _zip(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        self._tuples(frame, call, list(target.arguments.positional), node)

    def _tuples(self, frame: Frame, call: Call, columns: list[Source | None], node: Node) -> None:
        """A sequence of tuples whose positions hold the elements of each column."""
        graph = self._graph
        rows, row = (
            graph.values.make(Container, "list", frame, call),
            graph.values.make(Container, "tuple", frame, call),
        )
        graph.solver.add(node, rows)
        graph.solver.add(graph.slot(rows, None), row)
        for position, source in enumerate(columns):
            if source is not None:
                graph.elements(source, graph.slot(row, position))

    def _copied(self, frame: Frame, call: Call, name: str, source: Source, node: Node) -> None:
        """A copy of a container is another one, that may change later; what is made of other things stands for them."""
        graph = self._graph

        def copy(value: Value) -> None:
            if name in WRAPPERS or not isinstance(value, Container):
                graph.solver.add(node, value)
            else:
                self._copy_of(value, NEW_CONTAINERS.get(name, value.kind), frame, call, node)

        graph.solver.listen(graph.node(source), copy)

    def _copy_of(self, value: Container, kind: str, frame: Frame, call: Call, node: Node) -> None:
        own = self._graph.values.make(Container, kind, frame, call)
        self._graph.solver.add(node, own)
        if own is not value:
            self._graph.include(own, self._graph.holding([value]))

    def _new_container(self, frame: Frame, call: Call, target: Library, node: Node) -> None:
        kind = NEW_CONTAINERS.get(target.name)
        if kind is None:
            return
        graph = self._graph
        own = graph.values.make(Container, kind, frame, call)
        graph.solver.add(node, own)
        for name, source in target.arguments.keywords:
            graph.solver.link(graph.node(source), graph.slot(own, name))
        if target.name.endswith("defaultdict"):
            for source in target.arguments.positional[:1]:
                self._default(frame, call, source, graph.slot(own, None))
        else:
            for source in target.arguments.positional[:1]:
                if kind == "dict":
                    graph.solver.listen(graph.node(source), self._take_pairs, own)
                else:
                    graph.include(own, graph.node(source))

    def _take_pairs(self, own: Value, given: Value) -> None:
        """What a dict is made of: another, or pairs of a key and a value."""
        graph = self._graph
        if isinstance(given, Container) and given.kind != "dict":
            graph.solver.listen(graph.content(given, None), self._take_pair, own)
        else:
            graph.include(own, graph.holding([given]))

    def _take_pair(self, own: Value, pair: Value) -> None:
        if isinstance(pair, Container):
            self._graph.solver.link(self._graph.content(pair, 1), self._graph.slot(own, None))

    def _default(self, frame: Frame, call: Call, source: Source, into: Node) -> None:
        """What a factory makes when it is called for a missing key."""
        graph = self._graph

        def made(factory: Value) -> None:
            if isinstance(factory, Class):
                graph.solver.add(into, graph.values.make(Instance, factory))
            else:
                graph.call(factory, Arguments(), call, entered)

        def entered(found: Target) -> None:
            if isinstance(found, Entered):
                graph.solver.link(graph.result(found.frame), into)
            else:
                self.give(frame, call, found, into)

        graph.solver.listen(graph.node(source), made)

    def _of_container(self, frame: Frame, call: Call, target: Library, node: Node) -> bool:
        """The methods of containers and of queues of any library: what is put in may come out."""
        graph, own = self._graph, target.receiver
        assert own is not None
        method, arguments = target.name.rpartition(".")[2], target.arguments
        if isinstance(own, Object) and (keeper := graph.knowledge.keeper(own.type, "items")):
            own = graph.values.make(Object, keeper, None, None)
            for source in arguments.positional[:1]:
                graph.find_kept(own, source.expr)
        # Of other library objects only queues count: elsewhere `get` and `pop` may mean anything.
        elif isinstance(own, Object) and (
            own.site is None or (method not in PUTTERS and method not in ("get", "get_nowait"))
        ):
            return False
        if method in PUTTERS and method != "setdefault":
            for source in arguments.positional[PUTTERS[method] :][:1]:
                graph.solver.link(graph.node(source), graph.slot(own, None))
        elif method in ADDERS:
            for source in arguments.positional[:1]:
                graph.include(own, graph.node(source))
        elif method == "popitem" and isinstance(own, Container):
            graph.solver.add(node, self._pair(frame, call, own))
        elif method in GETTERS:
            self._got(frame, own, method, arguments, node)
        elif method == "copy" and isinstance(own, Container):
            self._copy_of(own, own.kind, frame, call, node)
        elif method in VIEWS:
            graph.solver.add(node, own)
            if isinstance(own, Container) and own.kind == "dict" and method == "values":
                view = graph.values.make(Container, "list", frame, call)
                graph.solver.add(node, view)
                graph.solver.link(graph.content(own, None), graph.slot(view, None))
        elif method == "items":
            self._items(frame, call, own, node)
        else:
            return isinstance(own, Container)
        return True

    def _got(self, frame: Frame, own: Value, method: str, arguments: Arguments, node: Node) -> None:
        graph = self._graph
        # `pop(0)` of a list and `get(timeout)` of a queue name no key.
        keyed = method in ("get", "pop", "setdefault", "__getitem__") and arguments.positional
        if keyed and (own.kind == "dict" if isinstance(own, Container) else own.site is None):  # type: ignore[attr-defined]
            first = arguments.positional[0]
            keys = graph.node(first)
            exact = graph.exact_key(first.frame, first.expr) if first.frame is not None else None
            if exact is not None and isinstance(own, Container):
                keys = graph.holding([graph.values.make(Literal, exact)])
            graph.solver.listen(keys, self._under_key, own, node)
            graph.solver.when_idle(self._unknown_key, own, keys, node)
            for source in arguments.positional[1:2]:
                graph.solver.link(graph.node(source), node)
                # What a registry keeps under which key, its callers decide: see `Writers`.
                if method == "setdefault" and not graph.finds_handlers(frame):
                    graph.solver.link(graph.node(source), graph.slot(own, None))
        else:
            graph.solver.link(graph.content(own, None), node)

    def _under_key(self, own: Value, node: Node, key: Value) -> None:
        self._graph.solver.link(self._graph.content(own, key_of(key)), node)

    def _unknown_key(self, own: Value, keys: Node, node: Node) -> None:
        if not keys.values:
            self._graph.solver.link(self._graph.content(own, None), node)

    def _items(self, frame: Frame, call: Call, own: Value, node: Node) -> None:
        graph = self._graph
        rows = graph.values.make(Container, "list", frame, call)
        graph.solver.add(node, rows)
        graph.solver.add(graph.slot(rows, None), self._pair(frame, call, own))

    def _pair(self, frame: Frame, call: Call, own: Value) -> Value:
        """Some key and what is kept under it."""
        row = self._graph.values.make(Container, "tuple", frame, call)
        self._graph.solver.link(self._graph.content(own, None), self._graph.slot(row, 1))
        return row


def _gives(call: Call, name: str, place: int) -> bool:
    """Whether a call surely gives a field of this name and place."""
    plain = not any(isinstance(argument, Star) for argument in call.args)
    return any(keyword == name for keyword, _ in call.keywords) or (plain and len(call.args) > place)
