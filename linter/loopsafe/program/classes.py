"""Classes: bases, method resolution order, what an attribute of an instance or class may hold."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Choice, Expr, Import, Name, Ref, Scope, Subscript
from loopsafe.program.graph import Graph
from loopsafe.program.index import method_kind
from loopsafe.program.modules import Module
from loopsafe.program.values import Class, External, Frame, Instance, Object, ProjectModule, Value

_MOST_SUBCLASSES = 24
_MOST_ALTERNATIVES = 8
Resolved = Class | External | ProjectModule | None


class Classes:
    """Answers about classes that need no propagation: names of classes are followed through imports as written."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known_names: dict[Class, tuple[str, ...]] = {}
        self._bases: dict[Class, list[Class | External]] = {}
        self._library_bases: dict[Class, list[str]] = {}
        self._mro: dict[Class, tuple[Class | External, ...]] = {}
        self._frames: dict[Scope, list[Frame]] = {}
        self._subclasses: dict[Class, tuple[Class, ...]] = {}

    def instance(self, cls: Class) -> Instance:
        """The value that stands for instances of exactly this class."""
        value = self._graph.values.make(Instance, cls)
        assert isinstance(value, Instance)
        return value

    def defined_by(self, module: Module, scope: Scope) -> Class:
        """The class that a scope defines, in the frame where all calls run together."""
        value = self._graph.values.make(
            Class, module, scope, self.plain_frame(module, module.facts.scopes[scope.parent])
        )
        assert isinstance(value, Class)
        return value

    def plain_frame(self, module: Module, scope: Scope) -> Frame:
        """The frame of a scope for all calls together; methods have an instance of their own class as receiver."""
        if scope.parent < 0:
            return self._graph.module_frame(module)
        around = module.facts.scopes[scope.parent]
        receiver = self._receiver(module, scope, around)
        return self._graph.values.frame(module, scope, self.plain_frame(module, around), receiver)

    def frames(self, module: Module, scope: Scope) -> list[Frame]:
        """The plain frame, and for methods one for each known subclass that inherits the method."""
        found = self._frames.get(scope)
        if found is None:
            found = self._frames[scope] = self._all_frames(module, scope)
        return found

    def _all_frames(self, module: Module, scope: Scope) -> list[Frame]:
        if scope.parent < 0:
            return [self.plain_frame(module, scope)]
        around = module.facts.scopes[scope.parent]
        if around.kind != "class":
            parents = self.frames(module, around)
            return [self._graph.values.frame(module, scope, parent) for parent in parents]
        frame = self.plain_frame(module, scope)
        if scope.name == "__init_subclass__" and isinstance(frame.receiver, Class):
            # It runs for each class that is derived.
            derived = self.subclasses(frame.receiver)[:_MOST_SUBCLASSES]
            return [frame, *(self._graph.values.frame(module, scope, frame.parent, cls) for cls in derived)]
        if scope.kind != "function" or not isinstance(frame.receiver, Instance):
            return [frame]
        # A method that subclasses inherit, or extend, runs with each of them as `self`.
        heirs = [c for c in self.subclasses(frame.receiver.cls) if self._reaches(c, scope, module)]
        receivers = [self.instance(c) for c in heirs[:_MOST_SUBCLASSES]]
        return [frame, *(self._graph.values.frame(module, scope, frame.parent, r) for r in receivers)]

    def _receiver(self, module: Module, scope: Scope, around: Scope) -> Value | None:
        if around.kind != "class" or scope.kind != "function" or not scope.parameters:
            return None
        kind = method_kind(scope)
        cls = self.defined_by(module, around)
        return {"plain": self.instance(cls), "class": cls}.get(kind)

    def _reaches(self, cls: Class, scope: Scope, module: Module) -> bool:
        """Whether the method of this name gets to `scope`: inherited, or as each override calls the next one up."""
        for base in self.mro(cls):
            if isinstance(base, Class) and scope.name in base.scope.bindings:
                if base.scope.index == scope.parent and base.module is module:
                    return True
                if not _calls_up(base, scope.name):
                    return False
        return False

    def mro(self, cls: Class) -> tuple[Class | External, ...]:
        """The method resolution order; library classes are included by name."""
        # Not by recursion: classes may inherit from one another a thousand deep.
        pending = [cls] if cls not in self._mro else []
        while pending:
            at = pending[-1]
            if at not in self._bases:
                self._bases[at] = bases = self._direct_bases(at)
                # One that is begun but not done inherits from itself, and is taken as if it stood alone.
                pending += [b for b in reversed(bases) if isinstance(b, Class) and b not in self._bases]
            else:
                pending.pop()
                bases = self._bases[at]
                self._mro.setdefault(at, (at, *_merge([self._linear(b) for b in bases], bases)))
        return self._mro[cls]

    def _direct_bases(self, cls: Class) -> list[Class | External]:
        named = (base for expr in cls.scope.bases for base in self.resolve_all(cls.frame, expr))
        return list(dict.fromkeys(b for b in named if isinstance(b, (Class, External)) and b is not cls))

    def _linear(self, base: Class | External) -> list[Class | External]:
        return list(self._mro.get(base, (base,))) if isinstance(base, Class) else [base]

    def library_bases(self, cls: Class) -> list[str]:
        """The library classes among the bases, nearest first."""
        found = self._library_bases.get(cls)
        if found is None:
            canonical = self._graph.knowledge.canonical
            found = [canonical(base.name) for base in self.mro(cls) if isinstance(base, External)]
            self._library_bases[cls] = found
        return found

    def library_types(self, value: Value | None) -> list[str]:
        """The library classes that an object is of."""
        if isinstance(value, Object):
            return [value.type]
        return self.library_bases(value.cls) if isinstance(value, Instance) else []

    def binding(self, cls: Class, name: str) -> Class | None:
        """The class of the project in whose body a name is bound that objects of a class find first."""
        bases = (base for base in self.mro(cls) if isinstance(base, Class))
        return next((base for base in bases if name in base.scope.bindings), None)

    def known_names(self, cls: Class) -> tuple[str, ...]:
        """The canonical names of the class and its bases, of those that knowledge speaks of, nearest first."""
        found = self._known_names.get(cls)
        if found is None:
            knowledge = self._graph.knowledge
            names = (base.qualname if isinstance(base, Class) else base.name for base in self.mro(cls))
            found = tuple(knowledge.canonical(name) for name in names if knowledge.leads_to(name))
            self._known_names[cls] = found
        return found

    def subclasses(self, cls: Class) -> tuple[Class, ...]:
        """All project classes that inherit from this one, in file order."""
        # Not by recursion, as for `mro`; those that inherit in a circle are begun once.
        pending, begun = [cls] if cls not in self._subclasses else [], {cls}
        while pending:
            at = pending[-1]
            direct = self._direct_heirs(at)
            further = [heir for heir in direct if heir not in self._subclasses and heir not in begun]
            if further:
                begun.update(further)
                pending += reversed(further)
                continue
            pending.pop()
            found: dict[Class, None] = {}
            for heir in direct:
                found[heir] = None
                found.update(dict.fromkeys(self._subclasses.get(heir, ())))
            self._subclasses[at] = tuple(found)
        return self._subclasses[cls]

    def _direct_heirs(self, cls: Class) -> list[Class]:
        named = (self.defined_by(m, s) for m, s in self._graph.index.classes_by_base.get(cls.scope.name, ()))
        return [heir for heir in named if heir is not cls and cls in self.mro(heir)]

    def resolve_all(self, frame: Frame, expr: Expr) -> list[Resolved]:
        """What a class expression names; both of `A if t else B`, and of a name imported from here or else from there.

        The last that means a class comes first: it is what `resolve` gives.
        """
        found: list[Resolved] = []
        pending: list[tuple[Frame, Expr]] = [(frame, expr)]
        for at, option in pending:
            if isinstance(option, Choice):
                pending += [(at, each) for each in option.options]
            elif (inner := self._named(at, option)) and len(pending) < _MOST_ALTERNATIVES:
                pending += inner
            else:
                found.append(self.resolve(at, option))
        return [each for each in dict.fromkeys(found) if each is not None]

    def _named(self, frame: Frame, expr: Expr) -> list[tuple[Frame, Expr]]:
        """What a name is bound to, here or in the module of the project that it is imported from."""
        if isinstance(expr, Name):
            binder, bound = self._bindings(frame, expr.id)
            return [(binder, each) for each in reversed(bound)] if binder is not None else []
        if isinstance(expr, Import) and expr.name is not None:
            modules = self._graph.modules
            module = modules.find(modules.absolute(expr, frame.module), frame.module)
            if module is not None and module is not frame.module and expr.name in module.facts.scopes[0].bindings:
                return [(self._graph.module_frame(module), Name(expr.name))]
        return []

    def _bindings(self, frame: Frame, name: str) -> tuple[Frame | None, tuple[Expr, ...]]:
        """The frame in which a class's name is bound, and to what."""
        at: Frame | None = frame
        while at is not None:
            if name in at.scope.bindings and (at is frame or at.scope.kind != "class"):
                return at, at.scope.bindings[name]
            at = at.parent
        return None, ()

    def resolve(self, frame: Frame, expr: Expr, depth: int = 0) -> Resolved:
        """The class, module or library thing that an expression names, following imports and plain assignments only."""
        if depth > 20:
            return None
        if isinstance(expr, Subscript):
            return self.resolve(frame, expr.base, depth + 1)
        if isinstance(expr, Name):
            return self._resolve_name(frame, expr.id, depth)
        if isinstance(expr, Attr):
            return self._resolve_attribute(self.resolve(frame, expr.base, depth + 1), expr.name, depth)
        if isinstance(expr, Import):
            return self._resolve_import(frame, expr, depth)
        if isinstance(expr, Ref):
            scope = frame.module.facts.scopes[expr.scope]
            return self.defined_by(frame.module, scope) if scope.kind == "class" else None
        return None

    def _resolve_name(self, frame: Frame, name: str, depth: int) -> Resolved:
        at, bound = self._bindings(frame, name)
        if at is None:
            top = _outermost(frame)
            return self._resolve_star(top, name, depth) or self._external(f"builtins.{name}")
        # The last that means a class wins: `try: from a import C`, `except ImportError: C = None`.
        found = [self.resolve(at, e, depth + 1) for e in bound]
        return next((f for f in reversed(found) if f is not None), None)

    def _resolve_star(self, frame: Frame, name: str, depth: int) -> Resolved:
        """What a module takes by `from m import *`, or m by another one; they may lead in circles."""
        modules, seen, pending = self._graph.modules, {frame.module}, [frame.module]
        while pending:
            at = pending.pop()
            if at is not frame.module:
                found = self._own(at, name, depth)
                if found is not None:
                    return found
            stars = [modules.star(star, at, name) for star in at.facts.scopes[0].star_imports]
            fresh = [module for module in dict.fromkeys(stars) if module is not None and module not in seen]
            seen.update(fresh)
            pending += reversed(fresh)
        return None

    def _own(self, module: Module, name: str, depth: int) -> Resolved:
        """What a module has itself under a name: something that it binds, or a module in it."""
        frame = self._graph.module_frame(module)
        if name in frame.scope.bindings:
            return self._resolve_name(frame, name, depth + 1)
        part = self._graph.modules.find(f"{module.name}.{name}", module)
        return self._module(part) if part else None

    def _external(self, name: str) -> External:
        value = self._graph.values.make(External, name)
        assert isinstance(value, External)
        return value

    def _module(self, module: Module) -> ProjectModule:
        value = self._graph.values.make(ProjectModule, module)
        assert isinstance(value, ProjectModule)
        return value

    def _resolve_import(self, frame: Frame, imported: Import, depth: int) -> Resolved:
        modules = self._graph.modules
        dotted = modules.absolute(imported, frame.module)
        module = modules.find(dotted, frame.module)
        if imported.name is None:
            return self._module(module) if module else self._external(dotted)
        if module is frame.module:
            part = modules.find(f"{dotted}.{imported.name}", frame.module)
            return self._module(part) if part else None
        if module is None:
            return self._external(f"{dotted}.{imported.name}")
        return self._resolve_attribute(self._module(module), imported.name, depth)

    def _resolve_attribute(self, base: Resolved, name: str, depth: int) -> Resolved:
        if isinstance(base, External):
            return self._external(f"{base.name}.{name}")
        if isinstance(base, ProjectModule):
            found = self._own(base.module, name, depth)
            return found or self._resolve_star(self._graph.module_frame(base.module), name, depth + 1)
        if isinstance(base, Class) and name in base.scope.bindings:
            body = self._graph.values.frame(base.module, base.scope, base.frame)
            return self._resolve_name(body, name, depth + 1)
        return None


def _outermost(frame: Frame) -> Frame:
    while frame.parent is not None:
        frame = frame.parent
    return frame


def _calls_up(cls: Class, name: str) -> bool:
    """Whether the method calls the one it overrides: `super().name(...)`, `Base.name(self, ...)`."""
    scopes = cls.module.facts.scopes
    own = [scopes[v.scope] for v in cls.scope.bindings[name] if isinstance(v, Ref)]
    return any(isinstance(call.func, Attr) and call.func.name == name for scope in own for call in scope.calls)


def _merge(lines: list[list[Class | External]], bases: list[Class | External]) -> list[Class | External]:
    """C3 linearization; where the bases contradict one another, the order in which they are written."""
    if len(lines) == 1:
        return lines[0]
    pending = [list(line) for line in (*lines, bases) if line]
    merged: list[Class | External] = []
    while pending:
        head = next((line[0] for line in pending if not any(line[0] in other[1:] for other in pending)), pending[0][0])
        merged.append(head)
        pending = [rest for rest in ([x for x in line if x is not head] for line in pending) if rest]
    return merged
