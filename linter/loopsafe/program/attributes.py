"""What an attribute of a value holds: class attributes bound to it, and what the program stores on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from loopsafe.facts.schema import Annotation, Call, Expr, Scope
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Arguments, Entered, Graph, Source, Target
from loopsafe.program.index import method_kind
from loopsafe.program.modules import Module
from loopsafe.program.python import CONTAINER_METHODS
from loopsafe.program.solver import Node
from loopsafe.program.values import (
    Class,
    Container,
    Descriptor,
    External,
    Frame,
    Function,
    Instance,
    Literal,
    Member,
    Method,
    Object,
    Partial,
    ProjectModule,
    Super,
    Value,
)

_MOST_STORES = 120


@dataclass(slots=True, eq=False)
class _Stored:
    """What is stored under one name, by the objects and classes it is stored `on`, and who has `asked` for it."""

    on: dict[Value, list[Node]] = field(default_factory=dict)
    asked: dict[Class, list[Node]] = field(default_factory=dict)


class Attributes:
    """Fills the node of `value.name`. Each kind of value has its own way of looking a name up."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._stored: dict[str, _Stored] = {}

    def fill(self, value: Value, name: str, node: Node) -> None:
        """Add to `node` whatever `value.name` may hold."""
        if isinstance(value, Instance):
            self._instance(value, name, node)
        elif isinstance(value, Class):
            self._class(value, name, node)
        elif isinstance(value, Super):
            self._super(value, name, node)
        elif isinstance(value, ProjectModule):
            self._module(value.module, name, node)
        elif isinstance(value, External):
            self._graph.add_external(node, f"{value.name}.{name}")
        elif isinstance(value, Object):
            self._object(value, name, node)
        elif isinstance(value, Descriptor):
            # `@prop.setter` gives the property again.
            self._graph.solver.add(node, value)
        elif isinstance(value, (Container, Literal)) and self._is_member(value, name):
            self._add(node, Member, value, name)

    def _is_member(self, value: Value, name: str) -> bool:
        """Whether an attribute of a built-in value is worth following."""
        return self._graph.complete or (isinstance(value, Container) and name in CONTAINER_METHODS)

    def _add(self, node: Node, kind: type[Value], *parts: object) -> None:
        self._graph.solver.add(node, self._graph.values.make(kind, *parts))

    def _object(self, value: Object, name: str, node: Node) -> None:
        held = self._graph.knowledge.attribute(value.type, name)
        if held is not None:
            self._add(node, Object, held, None, None)
            return
        if self._graph.complete or name in self._graph.knowledge.members or name in CONTAINER_METHODS:
            self._add(node, Member, value, name)
        keeper = self._graph.knowledge.keeper(value.type, "attributes")
        if keeper:
            self._given(value, name, node)
            one = self._graph.values.make(Object, keeper, None, None)
            if value is one:
                self._kept(keeper, name, node)
            else:
                self._graph.solver.listen(self._graph.attribute(one, name), self._unless_of, node, one)

    def _given(self, value: Object, name: str, node: Node) -> None:
        """What an object that keeps attributes was made with: `SimpleNamespace(name=...)`."""
        if isinstance(value.site, Call) and value.frame is not None:
            for keyword, given in value.site.keywords:
                if keyword == name:
                    self._graph.solver.link(self._graph.evaluate(value.frame, given), node)

    def _unless_of(self, node: Node, one: Object, value: Value) -> None:
        """What is stored on any of them; their own methods each has for itself."""
        if not isinstance(value, Member) or value.receiver is not one:
            self._graph.solver.add(node, value)

    def _kept(self, keeper: str, name: str, node: Node) -> None:
        """What the program stores under a name on any object of a library class, or of a class that extends it."""
        graph = self._graph
        sites = graph.index.stores.get(name, ())

        def stored(held: Node, holder: Value) -> None:
            if isinstance(holder, Object) and graph.knowledge.keeper(holder.type, "attributes") == keeper:
                graph.solver.link(held, node)

        for module, scope, store in sites if len(sites) <= _MOST_STORES else ():
            for frame in self._classes.frames(module, scope)[:1]:
                base, value = graph.evaluate(frame, store.base), graph.evaluate(frame, store.value)
                graph.solver.listen(base, stored, value)
        for (module_index, cls_index), by_name in graph.index.own_stores.items():
            if name in by_name:
                module = graph.modules.all[module_index]
                cls = self._classes.defined_by(module, module.facts.scopes[cls_index])
                self._of_heir(cls, keeper, name, node)
        defined = graph.index.functions.get(name, ())
        for module, scope in defined if len(defined) <= _MOST_STORES else ():
            around = module.facts.scopes[scope.parent]
            if around.kind == "class":
                self._of_heir(self._classes.defined_by(module, around), keeper, name, node)

    def _of_heir(self, cls: Class, keeper: str, name: str, node: Node) -> None:
        """What an object that a library gives may be of a class of the project has under a name."""
        if any(self._graph.knowledge.keeper(b, "attributes") == keeper for b in self._classes.library_bases(cls)):
            self._graph.solver.link(self._graph.attribute(self._classes.instance(cls), name), node)

    def _instance(self, value: Instance, name: str, node: Node) -> None:
        cls = value.cls
        if name == "__class__":
            self._graph.solver.add(node, cls)
            return
        given = self._graph.gate(node, self._declarations(cls, name))
        # All of these may hold at once: a class attribute is a default that methods overwrite.
        known = self._class_level(cls, name, value, node)
        known = self._own_stores(cls, value, name, given) or known
        known = self._other_stores(cls, name, given) or known
        if not known:
            self._inherited(value, name, node)

    def _inherited(self, value: Instance, name: str, node: Node) -> None:
        """What library base classes give: objects of known classes, and methods."""
        knowledge, bases = self._graph.knowledge, self._classes.library_bases(value.cls)
        held = next((held for base in bases if (held := knowledge.attribute(base, name))), None)
        if held is not None:
            self._add(node, Object, held, None, None)
        elif bases and (self._graph.complete or name in knowledge.members or name == "__init__"):
            self._add(node, Member, value, name)

    def _class(self, cls: Class, name: str, node: Node) -> None:
        if name == "__class__":
            return
        known = self._class_level(cls, name, None, node)
        known = self._own_stores(cls, cls, name, node) or known
        known = self._other_stores(cls, name, node) or known
        bases = self._classes.library_bases(cls)
        if not known and bases:
            self._graph.add_external(node, f"{bases[0]}.{name}")

    def _super(self, value: Super, name: str, node: Node) -> None:
        receiver = value.receiver
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        if not isinstance(cls, Class):
            return
        order = list(self._classes.mro(cls))
        after = order[order.index(value.cls) + 1 :] if value.cls in order else []
        for base in after:
            # Whether the library class has the method is not known, so the search goes on as well.
            if isinstance(base, External):
                self._add(node, Member, receiver, name)
            elif name in base.scope.bindings:
                self._bound(base, name, receiver if isinstance(receiver, Instance) else None, cls, node)
                return

    def _class_level(self, cls: Class, name: str, receiver: Instance | None, node: Node) -> bool:
        """Class attributes by the resolution order. Annotations without a value count, and so do overrides."""
        for base in self._classes.mro(cls):
            if isinstance(base, Class):
                if name in base.scope.bindings:
                    self._bound(base, name, receiver, cls, node)
                    return True
                if name in base.scope.annotations:
                    body = self._body(base)
                    self._graph.solver.link(self._graph.instance_of(body, base.scope.annotations[name]), node)
                    return True
        return False

    def _declarations(self, cls: Class, name: str) -> list[tuple[Frame, Expr]]:
        """The types that the nearest class which says so declares for an attribute."""
        for base in self._classes.mro(cls):
            if isinstance(base, Class):
                stores = self._graph.index.own_stores.get((base.module.index, base.scope.index), {}).get(name, ())
                frames = self._classes.plain_frame
                found = [
                    (frames(base.module, s), store.value.type)
                    for s, store in stores
                    if isinstance(store.value, Annotation)
                ]
                if name in base.scope.annotations:
                    found.append((self._body(base), base.scope.annotations[name]))
                if found:
                    return found
        return []

    def _bound(self, owner: Class, name: str, receiver: Instance | None, cls: Class, node: Node) -> None:
        held = self._graph.variable(self._body(owner), name)
        self._graph.solver.listen(held, self._bind, receiver, cls, node)

    def _bind(self, receiver: Instance | None, cls: Class, node: Node, value: Value) -> None:
        if isinstance(value, Descriptor):
            self._descriptor(value, receiver, cls, node)
        elif isinstance(value, Function) and receiver is not None:
            self._add(node, Method, receiver, value)
        elif isinstance(value, Function) and value.scope.name == "__new__":
            # `__new__` is static, yet called with the class.
            self._add(node, Method, cls, value)
        elif isinstance(value, Instance) and receiver is not None and self._has(value.cls, "__get__"):
            getter = self._graph.attribute(value, "__get__")
            given = tuple(Source(None, None, self._graph.holding([each])) for each in (receiver, cls))
            self._graph.solver.listen(getter, self._get, Arguments(given), node)
        else:
            self._graph.solver.add(node, value)

    def _has(self, cls: Class, name: str) -> bool:
        return any(isinstance(base, Class) and name in base.scope.bindings for base in self._classes.mro(cls))

    def _get(self, arguments: Arguments, node: Node, getter: Value) -> None:
        """What a descriptor of the project's own gives."""
        self._graph.call(getter, arguments, None, lambda target: self._property(target, node))

    def _descriptor(self, value: Descriptor, receiver: Instance | None, cls: Class, node: Node) -> None:
        function = value.function
        if value.kind == "staticmethod":
            self._graph.solver.add(node, function)
        elif value.kind == "classmethod" and isinstance(function, Function):
            self._add(node, Method, cls, function)
        elif value.kind == "partialmethod" and receiver is not None and isinstance(function, Partial):
            own = Node()
            self._graph.solver.listen(self._graph.node(function.function), self._bind, receiver, receiver.cls, own)  # type: ignore[arg-type]
            self._add(node, Partial, Source(None, None, own), function.arguments)
        elif value.kind == "property" and receiver is not None and isinstance(function, Function):
            method = self._graph.values.make(Method, receiver, function)
            self._graph.call(method, Arguments(), None, lambda target: self._property(target, node))

    def _property(self, target: Target, node: Node) -> None:
        if isinstance(target, Entered):
            self._graph.solver.link(self._graph.result(target.frame), node)

    def _own_stores(self, cls: Class, receiver: Value, name: str, node: Node) -> bool:
        """`self.name = value` in the methods of the class and its bases."""
        found = False
        for base in self._classes.mro(cls):
            if isinstance(base, Class):
                by_name = self._graph.index.own_stores.get((base.module.index, base.scope.index), {})
                for scope, store in by_name.get(name, ()):
                    found = True
                    for frame in self._store_frames(base, scope, receiver):
                        self._graph.solver.link(self._graph.evaluate(frame, store.value), node)
        return found

    def _store_frames(self, owner: Class, scope: Scope, receiver: Value) -> list[Frame]:
        """The frames in which a store in this scope (a method, or a closure in one) is made on `receiver`."""
        scopes, chain = owner.module.facts.scopes, [scope]
        while scopes[chain[-1].parent].index != owner.scope.index:
            chain.append(scopes[chain[-1].parent])
        cls = receiver.cls if isinstance(receiver, Instance) else receiver
        made_on = cls if method_kind(chain[-1]) == "class" else self._classes.instance(cls)  # type: ignore[arg-type]
        if isinstance(receiver, Class) and method_kind(chain[-1]) != "class":
            return []
        frame = self._graph.values.frame(owner.module, chain[-1], self._body(owner), made_on)
        # From the method inwards to the closure that stores.
        for inner in reversed(chain[:-1]):
            frame = self._graph.values.frame(owner.module, inner, frame)
        return [frame]

    def _other_stores(self, cls: Class, name: str, node: Node) -> bool:
        """`thing.name = value` anywhere else, where `thing` turns out to be of this class."""
        sites = self._graph.index.stores.get(name, ())
        # A name stored everywhere says nothing of one class.
        if not sites or len(sites) > _MOST_STORES:
            return False
        stored = self._stored.get(name)
        if stored is None:
            stored = self._stored[name] = _Stored()
            for module, scope, store in sites:
                for frame in self._classes.frames(module, scope)[:1]:
                    value = self._graph.evaluate(frame, store.value)
                    self._graph.solver.listen(self._graph.evaluate(frame, store.base), self._put, stored, value)
        stored.asked.setdefault(cls, []).append(node)
        for holder in (self._classes.instance(cls), *self._classes.mro(cls)):
            for value in stored.on.get(holder, ()):
                self._graph.solver.link(value, node)
        return False

    def _put(self, stored: _Stored, value: Node, holder: Value) -> None:
        """A store is made on this holder: on an object of one class, or on a class, which its heirs see."""
        if isinstance(holder, Instance):
            asked = stored.asked.get(holder.cls, ())
        elif isinstance(holder, Class):
            asked = [node for cls, nodes in stored.asked.items() if holder in self._classes.mro(cls) for node in nodes]
        else:
            return
        stored.on.setdefault(holder, []).append(value)
        for node in asked:
            self._graph.solver.link(value, node)

    def _module(self, module: Module, name: str, node: Node) -> None:
        frame = self._graph.module_frame(module)
        if name in frame.scope.bindings or (module.index, name) in self._graph.index.global_writers:
            self._graph.solver.link(self._graph.variable(frame, name), node)
        else:
            self._graph.solver.link(self._graph.lookup(frame, name), node)
        # A submodule is an attribute of its package as soon as anyone imports it.
        sub = self._graph.modules.find(f"{module.name}.{name}", module)
        if sub is not None and name not in frame.scope.bindings:
            self._add(node, ProjectModule, sub)

    def _body(self, cls: Class) -> Frame:
        return self._graph.values.frame(cls.module, cls.scope, cls.frame)
