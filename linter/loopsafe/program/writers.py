"""Who puts things into a container that someone reads from."""

from __future__ import annotations

from loopsafe.facts.schema import Call, Const, Expr, Parameter, Scope, Subscript
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Graph
from loopsafe.program.index import WriteSite, last_name, spelling
from loopsafe.program.modules import Module
from loopsafe.program.values import Container, Frame, Object, Value, key_of

_MOST_WRITERS = 200


class Writers:
    """When a container is first read, looks for writes by the names under which its maker keeps it."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._asked: set[Value] = set()
        self._followed: set[str] = set()
        self._kept: set[tuple[Value, object]] = set()
        self._closures: dict[Scope, list[Frame]] = {}
        self._in_closures: dict[Scope, list[WriteSite]] = {}
        self._plain: set[Frame] = set()
        self._keyed: dict[Scope, list[Frame]] = {}
        self._by_scope: dict[str, dict[Scope, list[WriteSite]]] = {}
        self._held_back: dict[Frame, list[tuple[Frame, WriteSite]]] = {}

    def demand(self, container: Value) -> None:
        """Find what is put into this container elsewhere."""
        if container in self._asked or not isinstance(container, (Container, Object)) or container.frame is None:
            return
        self._asked.add(container)
        made = container.display if isinstance(container, Container) else container.site
        if isinstance(made, Parameter):
            # `**options`, to which the function itself adds.
            for site in self._own_sites(made.name).get(container.frame.scope, ()):
                self._follow_in(container.frame, site)
            return
        # Each name is followed once, for every container that turns out to be behind it.
        for name in self._graph.index.kept_as(container.frame.scope, made):
            if name not in self._followed:
                self._followed.add(name)
                sites = self._graph.index.writes.get(name, ())
                for site in sites if len(sites) <= _MOST_WRITERS else ():
                    self._follow(site)

    def _own_sites(self, name: str) -> dict[Scope, list[WriteSite]]:
        """The writes to what a name holds, by the functions that make them."""
        if name not in self._by_scope:
            found: dict[Scope, list[WriteSite]] = {}
            for site in self._graph.index.writes.get(name, ()):
                found.setdefault(site.scope, []).append(site)
            self._by_scope[name] = found
        return self._by_scope[name]

    def kept(self, keeper: Value, key: Expr) -> None:
        """Find what is put under a key into library objects that keep things for the program."""
        word = spelling(key)
        if word is not None and (keeper, word) not in self._kept:
            self._kept.add((keeper, word))
            for site in self._graph.index.item_writes.get(word, ()):
                for frame in self._classes.frames(site.module, site.scope)[:1]:
                    base = self._graph.evaluate(frame, site.base)
                    self._graph.solver.listen(base, self._put, keeper, frame, site)

    def _put(self, keeper: Value, frame: Frame, site: WriteSite, held: Value) -> None:
        graph = self._graph
        if not isinstance(held, Object) or graph.knowledge.keeper(held.type, "items") != keeper.type:  # type: ignore[attr-defined]
            return
        value = graph.evaluate(frame, site.value)
        if isinstance(site.key, Const):
            graph.solver.link(value, graph.slot(keeper, site.key.value))
        else:
            keys = graph.evaluate(frame, site.key)
            graph.solver.listen(keys, lambda key: graph.solver.link(value, graph.slot(keeper, key_of(key))))

    def entered(self, frame: Frame) -> None:
        """A closure, or a function that keeps handlers, is entered: it writes for what it closes over, or is given."""
        if self._graph.finds_handlers(frame):
            self._keyed.setdefault(frame.scope, []).append(frame)
        elif _is_closure(frame.module, frame.scope):
            self._closures.setdefault(frame.scope, []).append(frame)
        for site in self._in_closures.get(frame.scope, ()):
            self._follow_decided(frame, site)

    def entered_plainly(self, frame: Frame) -> None:
        """A function is called with what is no constant: it may write under any key."""
        if frame not in self._plain:
            self._plain.add(frame)
            for held, site in self._held_back.pop(frame, ()):
                self._follow_decided(held, site)

    def _follow_decided(self, frame: Frame, site: WriteSite) -> None:
        """Each call writes under its own key; the frame for all calls only if there is one with an unknown key."""
        at: Frame | None = frame
        while at is not None:
            if not at.known and at not in self._plain and self._graph.finds_handlers(at, around=False):
                self._held_back.setdefault(at, []).append((frame, site))
                return
            at = at.parent
        self._follow_in(frame, site)

    def _follow_keyed(self, site: WriteSite) -> None:
        self._in_closures.setdefault(site.scope, []).append(site)
        frames = dict.fromkeys((*self._keyed.get(site.scope, ()), *self._classes.frames(site.module, site.scope)))
        for frame in frames:
            self._follow_decided(frame, site)
            at: Frame | None = frame
            while at is not None:
                if self._graph.finds_handlers(at, around=False):
                    self._graph.demand_arguments(at)
                at = at.parent

    def _follow(self, site: WriteSite) -> None:
        if self._graph.finds_handlers(self._classes.plain_frame(site.module, site.scope)):
            self._follow_keyed(site)
            return
        frames = list(self._classes.frames(site.module, site.scope))
        if _is_closure(site.module, site.scope):
            self._in_closures.setdefault(site.scope, []).append(site)
            # Whoever has entered it before knows what is written there.
            frames += self._closures.get(site.scope, ())
        for frame in dict.fromkeys(frames):
            self._follow_in(frame, site)

    def _follow_in(self, frame: Frame, site: WriteSite) -> None:
        base = self._graph.evaluate(frame, site.base)
        self._graph.solver.listen(base, self._written, frame, site)

    def _written(self, frame: Frame, site: WriteSite, held: Value) -> None:
        if not isinstance(held, (Container, Object)):
            return
        graph = self._graph
        key = _key_of_base(site.base)
        if _is_default(held) and key is not None and graph.exact_key(frame, key) is not None:
            return  # what is there under this very key takes it
        value, exact = graph.evaluate(frame, site.value), graph.exact_key(frame, site.key)
        if site.whole:
            graph.include(held, value)
        else:
            graph.solver.link(value, graph.slot(held, exact))


def _is_closure(module: Module, scope: Scope) -> bool:
    return scope.parent >= 0 and module.facts.scopes[scope.parent].kind == "function"


def _key_of_base(base: Expr) -> Expr:
    """The key by which a container is found in another: `x[key]`, `x.setdefault(key, [])`."""
    if isinstance(base, Call) and last_name(base.func) in ("get", "setdefault") and base.args:
        return base.args[0]
    return base.index if isinstance(base, Subscript) else None


def _is_default(held: Value) -> bool:
    """Whether this is what a `defaultdict` gives, or a type declares, for every key."""
    made = held.display if isinstance(held, Container) and held.kind != "dict" else None
    if isinstance(made, Subscript):
        return True
    return isinstance(made, Call) and last_name(made.func) == "defaultdict"
