"""Handlers that are set by assignment: `client.on_message = f`, `threading.excepthook = f`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.contexts.origins.overrides import Overrides
from loopsafe.contexts.origins.starts import Starts
from loopsafe.contexts.places.flow import Origin
from loopsafe.facts.schema import Ref, Store
from loopsafe.knowledge.schema import AssignRow
from loopsafe.program.index import StoreSite
from loopsafe.program.values import Class, External, Frame, Instance, Object, Value


class Assignments:
    """Watches stores to the attributes that rows name."""

    def __init__(self, given: Starts, overrides: Overrides) -> None:
        self._starts, self._overrides, self._program = given, overrides, given.program

    def seed(self) -> None:
        """Ask what is stored; a subclass may also define the attribute as a method."""
        rows: dict[str, dict[str, AssignRow]] = {}
        for name, row in self._program.knowledge.assigns.items():
            if self._starts.applies(row):
                owner, _, attribute = name.rpartition(".")
                rows.setdefault(attribute, {})[owner] = row
                self._defined(owner, attribute, row)
        for attribute, owners in rows.items():
            for module, scope, store in self._stores(attribute):
                self._starts.watch(
                    module,
                    scope,
                    lambda frame, store=store, owners=owners: self._stored(frame, store, owners),  # type: ignore[misc]
                )

    def _stores(self, attribute: str) -> Iterator[StoreSite]:
        index = self._program.index
        yield from index.stores.get(attribute, ())
        for (module, _), by_name in index.own_stores.items():
            for scope, store in by_name.get(attribute, ()):
                yield self._program.modules.all[module], scope, store

    def _stored(self, frame: Frame, store: Store, owners: dict[str, AssignRow]) -> None:
        program = self._program

        def on(holder: Value) -> None:
            row = next((row for owner, row in owners.items() if self._is(holder, owner)), None)
            if row is not None:
                origin = self._starts.origin(row, frame.module, store.packed_span)
                self._starts.driven.when(row.only_if_called, holder, lambda: self._run(frame, store, row, origin))

        program.solver.listen(program.evaluate(frame, store.base), on)

    def _run(self, frame: Frame, store: Store, row: AssignRow, origin: Origin) -> None:
        stored = self._program.evaluate(frame, store.value)
        self._program.solver.listen(stored, lambda value: self._starts.run(value, row, origin))

    def _is(self, holder: Value, owner: str) -> bool:
        knowledge = self._program.knowledge
        if isinstance(holder, Object):
            return owner in knowledge.lineage(holder.type)
        if isinstance(holder, (Instance, Class)):
            cls = holder.cls if isinstance(holder, Instance) else holder
            return any(owner in knowledge.lineage(base) for base in self._program.classes.library_bases(cls))
        return isinstance(holder, External) and knowledge.canonical(holder.name) == owner

    def _defined(self, owner: str, attribute: str, row: AssignRow) -> None:
        for cls in self._overrides.heirs(owner):
            if any(isinstance(held, Ref) for held in cls.scope.bindings.get(attribute, ())):
                origin = self._starts.origin(row, cls.module, cls.scope.packed_span)
                self._starts.run_method(cls, attribute, row, origin)
