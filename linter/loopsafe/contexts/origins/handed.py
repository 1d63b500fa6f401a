"""Callables that reach a library inside something else: in dicts and lists, in objects, by the name of a method."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial

import msgspec

from loopsafe.contexts.origins.overrides import Overrides
from loopsafe.contexts.origins.starts import Starts
from loopsafe.contexts.places.flow import Origin
from loopsafe.facts.schema import Const
from loopsafe.knowledge.schema import Callable, RunsRow
from loopsafe.program.graph import Arguments, Library, Source
from loopsafe.program.modules import Module
from loopsafe.program.solver import Node
from loopsafe.program.values import Class, Instance, Literal, Value


class Handed:
    """Finds what `Program.hand_over` does not: callables that are not arguments themselves."""

    def __init__(self, starts: Starts, overrides: Overrides) -> None:
        self._starts, self._overrides, self._program = starts, overrides, starts.program
        self._heirs: dict[str, dict[str, list[Class]]] = {}

    def start(self, row: RunsRow, target: Library, origin: Origin) -> None:
        """Let everything run that the library takes out of the arguments."""
        for wanted in row.callables:
            sources = self._program.callable_sources(
                msgspec.structs.replace(row, callables=(wanted,)), target.arguments
            )
            for source in sources:
                self._take(source, wanted, row, origin)
            for held in () if sources else self._spread(wanted, target.arguments):
                self._run_all(held, row, origin)

    def _take(self, source: Source, wanted: Callable, row: RunsRow, origin: Origin) -> None:
        if wanted.method_of:
            self._named(source, wanted, row, origin)
        elif wanted.iterated:
            started = partial(self._starts.propagation.root_of_generator, origin=origin)
            self._program.solver.listen(self._program.node(source), started)
        elif wanted.key or wanted.methods:
            self._dig(self._program.node(source), wanted.key.split(".") if wanted.key else [], wanted, row, origin)

    def _run_all(self, node: Node, row: RunsRow, origin: Origin) -> None:
        self._program.solver.listen(node, lambda value: self._starts.run(value, row, origin))

    def _spread(self, wanted: Callable, arguments: Arguments) -> Iterator[Node]:
        """What a keyword gets out of `**options`, and every keyword where the row means them all."""
        if wanted.every_keyword:
            yield from (self._program.node(source) for _, source in arguments.keywords)
        for rest in arguments.rest_keywords if wanted.keyword or wanted.every_keyword else ():
            yield self._program.dug(self._program.node(rest), (wanted.keyword or "*",))

    def _dig(self, node: Node, path: list[str], wanted: Callable, row: RunsRow, origin: Origin) -> None:
        node = self._program.dug(node, path)
        if wanted.methods:
            self._objects(node, wanted, row, origin)
        else:
            self._run_all(node, row, origin)

    def _objects(self, node: Node, wanted: Callable, row: RunsRow, origin: Origin) -> None:
        def given(value: Value) -> None:
            if isinstance(value, Instance):
                for method in self._methods(value.cls, wanted.methods):
                    self._run_all(self._program.attribute(value, method), row, origin)

        self._program.solver.listen(node, given)

    def _methods(self, cls: Class, patterns: tuple[str, ...]) -> list[str]:
        owners = [c for c in self._program.classes.mro(cls) if isinstance(c, Class)]
        names = {name for owner in owners for name in owner.scope.bindings if not name.startswith("_")}
        return sorted(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))

    def _named(self, source: Source, wanted: Callable, row: RunsRow, origin: Origin) -> None:
        """A string names a method of the project's classes."""
        if isinstance(source.expr, Const) and isinstance(source.expr.value, str):
            self._named_method(source.expr.value, wanted, row, origin)
        else:
            self._program.solver.listen(
                self._program.node(source), lambda value: self._literal(value, wanted, row, origin)
            )

    def _literal(self, value: Value, wanted: Callable, row: RunsRow, origin: Origin) -> None:
        if isinstance(value, Literal) and isinstance(value.value, str):
            self._named_method(value.value, wanted, row, origin)

    def _named_method(self, method: str, wanted: Callable, row: RunsRow, origin: Origin) -> None:
        # Services are registered in the folder that has the entities; names repeat across folders.
        for cls in self._heirs_in(_folder(origin.frame.module) if origin.frame else "", wanted.method_of):
            if method in cls.scope.bindings:
                self._starts.run_method(cls, method, row, origin)

    def _heirs_in(self, folder: str, base: str) -> list[Class]:
        """The classes of one folder that inherit from a library class."""
        if base not in self._heirs:
            by_folder: dict[str, list[Class]] = defaultdict(list)
            for cls in self._overrides.heirs(base):
                by_folder[_folder(cls.module)].append(cls)
            self._heirs[base] = by_folder
        return self._heirs[base].get(folder, [])


def _folder(module: Module) -> str:
    return module.path.rpartition("/")[0]
