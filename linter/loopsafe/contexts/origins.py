"""Where contexts begin: calls that start threads or set handlers, and methods that libraries call on threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from loopsafe.contexts.flow import Origin
from loopsafe.contexts.lattice import Context, Hop
from loopsafe.contexts.propagate import STARTING, Propagation
from loopsafe.facts.schema import Call, Scope
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.graph import Arguments, Library, Target
from loopsafe.program.values import Class, Frame, Object


class Origins:
    """Finds the origins of a program and lets them flow."""

    def __init__(self, propagation: Propagation) -> None:
        self._flow_from = propagation
        self.program = propagation.program
        self._origin_calls: dict[Scope, list[Call]] = {}
        self._seeded: set[Frame] = set()

    def seed(self) -> None:
        """Ask about every possible origin; the answers flow as the solver runs."""
        self._seed_calls()
        self._seed_overrides()

    def _seed_calls(self) -> None:
        """Every call whose last name is that of a function which starts a context."""
        knowledge, index = self.program.knowledge, self.program.index
        rows = {name: rows for name, rows in knowledge.runs.items() if any(r.where in STARTING for r in rows)}
        names = {name for name in knowledge.classes if any(owner in rows for owner in knowledge.lineage(name))} | rows.keys()
        sites = [s for w in sorted({n.rpartition(".")[2] for n in self._with_aliases(names)}) for s in index.callers(w)]
        keywords = {c.keyword for found in rows.values() for row in found for c in row.callables if c.keyword}
        inits = index.calls.get("__init__", ())
        sites += [site for site in inits if any(name in keywords for name, _ in site[2].keywords)]
        for _, scope, call in sites:
            self._origin_calls.setdefault(scope, []).append(call)
        self.program.on_frame(self._seed_frame)
        for module, scope, _ in sites:
            for frame in self.program.classes.frames(module, scope):
                self._seed_frame(frame)

    def _seed_frame(self, frame: Frame) -> None:
        """Ask about the calls of a frame that may start a context."""
        if frame.scope in self._origin_calls and frame not in self._seeded:
            self._seeded.add(frame)
            for call in self._origin_calls[frame.scope]:
                self._seed_call(frame, call)

    def _with_aliases(self, names: Iterable[str]) -> Iterator[str]:
        """Names as they may be written: a class also by where else it can be imported from."""
        for name in names:
            yield name
            row = self.program.knowledge.classes.get(name)
            yield from row.names if row else ()

    def _seed_call(self, frame: Frame, call: Call) -> None:
        def started(target: Target) -> None:
            if isinstance(target, Library):
                for row in self.program.knowledge.runs.get(target.name, ()):
                    if row.where in STARTING and not self._elsewhere(row, target):
                        self._start(frame, call, row, target)

        self._flow_from.each_target(frame, call, started)

    def _elsewhere(self, row: RunsRow, target: Library) -> bool:
        """Whether the executor given runs things in another process."""
        source = target.arguments.get(row.executor.position, row.executor.keyword) if row.executor else None
        if source is None:
            return False
        held = self.program.node(source).values
        return any(isinstance(v, Object) and "ProcessPool" in v.type for v in held)

    def _start(self, frame: Frame, call: Call, row: RunsRow, target: Library) -> None:
        hop = Hop("starts", frame.module, call.packed_span, not row.likely)
        origin = Origin(Context(row.where), hop, frame, call)  # type: ignore[arg-type]
        self.program.hand_over(row, target, call, lambda entered: self._flow_from.root(entered, origin))

    def _seed_overrides(self) -> None:
        """Methods of library base classes that the library calls on a thread of its own."""
        knowledge = self.program.knowledge
        for name, row in knowledge.overrides.items():
            base, _, method = name.rpartition(".")
            for cls in self._heirs(base):
                if method in cls.scope.bindings:
                    self._seed_override(cls, method, row.where)

    def _heirs(self, base: str) -> Iterator[Class]:
        program, knowledge = self.program, self.program.knowledge
        names = {base.rpartition(".")[2]}
        names |= {c.rpartition(".")[2] for c in knowledge.classes if base in knowledge.lineage(c)}
        names |= {alias for name in names for alias in program.index.import_aliases.get(name, ())}
        seen: set[Class] = set()
        for name in sorted(names):
            for module, scope in program.index.classes_by_base.get(name, ()):
                cls = program.classes.defined_by(module, scope)
                for heir in (cls, *program.classes.subclasses(cls)):
                    bases = program.classes.library_bases(heir)
                    if heir not in seen and any(base in knowledge.lineage(b) for b in bases):
                        seen.add(heir)
                        yield heir

    def _seed_override(self, cls: Class, method: str, where: str) -> None:
        program = self.program
        origin = Origin(Context(where), Hop("starts", cls.module, cls.scope.packed_span), None, None)  # type: ignore[arg-type]
        for heir in (cls, *program.classes.subclasses(cls)):
            if heir is cls or method not in heir.scope.bindings:
                callee = program.attribute(program.classes.instance(heir), method)
                program.solver.listen(
                    callee,
                    lambda value: program.call(value, Arguments(), None, lambda target: self._flow_from.root(target, origin)),
                )
