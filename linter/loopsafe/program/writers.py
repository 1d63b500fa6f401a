"""Who puts things into a container that someone reads from."""

from __future__ import annotations

from loopsafe.facts.schema import Await, Call, Choice, Const, Expr, Scope
from loopsafe.program.classes import Classes
from loopsafe.program.graph import Graph
from loopsafe.program.index import WriteSite
from loopsafe.program.values import Container, Frame, Object, Value

_MOST_WRITERS = 200


class Writers:
    """When a container is first read, looks for writes by the names under which its maker keeps it."""

    def __init__(self, graph: Graph, classes: Classes) -> None:
        self._graph, self._classes = graph, classes
        self._asked: set[Value] = set()
        self._followed: set[str] = set()
        self._in_closures: dict[Scope, list[WriteSite]] = {}

    def demand(self, container: Value) -> None:
        """Find what is put into this container elsewhere."""
        if container in self._asked or not isinstance(container, (Container, Object)) or container.frame is None:
            return
        self._asked.add(container)
        made = container.display if isinstance(container, Container) else container.site
        # Each name is followed once, for every container that turns out to be behind it.
        for name in sorted(kept_as(container.frame, made)):
            if name not in self._followed:
                self._followed.add(name)
                sites = self._graph.index.writes.get(name, ())
                for site in sites if len(sites) <= _MOST_WRITERS else ():
                    self._follow(site)

    def entered(self, frame: Frame) -> None:
        """A closure is entered: it writes for whatever it closes over there."""
        for site in self._in_closures.get(frame.scope, ()):
            self._follow_in(frame, site)

    def _follow(self, site: WriteSite) -> None:
        if site.scope.parent >= 0 and site.module.facts.scopes[site.scope.parent].kind == "function":
            self._in_closures.setdefault(site.scope, []).append(site)
        for frame in self._classes.frames(site.module, site.scope):
            self._follow_in(frame, site)

    def _follow_in(self, frame: Frame, site: WriteSite) -> None:
        base = self._graph.evaluate(frame, site.base)
        self._graph.solver.listen(base, lambda held: self._written(held, frame, site))

    def _written(self, held: Value, frame: Frame, site: WriteSite) -> None:
        if not isinstance(held, (Container, Object)):
            return
        graph = self._graph
        value = graph.evaluate(frame, site.value)
        if site.whole:
            graph.include(held, value)
        elif isinstance(site.key, Const) and site.key.value is not None:
            graph.solver.link(value, graph.slot(held, site.key.value))
        else:
            graph.solver.link(value, graph.slot(held, None))


def kept_as(frame: Frame, made: object) -> set[str]:
    """The names and attributes that the expression `made` is assigned to in its scope."""
    scope = frame.scope
    names = {name for name, values in scope.bindings.items() if any(_holds(v, made) for v in values)}
    names |= {name for name, annotation in scope.annotations.items() if annotation is made}
    names |= {store.name for store in scope.stores if store.name and _holds(store.value, made)}
    for parameter in scope.parameters:
        if parameter.annotation is made or parameter.default is made:
            names.add(parameter.name)
    return names


def _holds(value: Expr, made: object) -> bool:
    if isinstance(value, Await):
        return _holds(value.value, made)
    if isinstance(value, Choice):
        return any(_holds(option, made) for option in value.options)
    if isinstance(value, Call):
        return (
            value is made or any(_holds(a, made) for a in value.args) or any(_holds(v, made) for _, v in value.keywords)
        )
    return value is made or getattr(value, "type", None) is made
