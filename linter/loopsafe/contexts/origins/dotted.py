"""The dotted name of a function as imports spell it, whether it is a library's or the project's own."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Call, Expr, Import, Name, Ref
from loopsafe.program.modules import Module
from loopsafe.program.program import Program
from loopsafe.program.values import Frame

_LONGEST_CHAIN = 12


class DottedNames:
    """Follows imports as written, without asking what runs when."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def of(self, frame: Frame, expr: Expr) -> str:
        """The dotted name of what a decorator (or what it calls) is; empty where it is not a name."""
        return self._named(frame, expr.func if isinstance(expr, Call) else expr, 0)

    def _named(self, frame: Frame, expr: Expr, depth: int) -> str:
        if depth > _LONGEST_CHAIN:
            return ""
        if isinstance(expr, Attr):
            base = self._named(frame, expr.base, depth + 1)
            return self._inside(frame.module, base, expr.name, depth) if base else ""
        if isinstance(expr, Name):
            return self._by_scopes(frame, expr.id, depth)
        if isinstance(expr, Import):
            dotted = self._program.modules.absolute(expr, frame.module)
            return self._inside(frame.module, dotted, expr.name, depth) if expr.name else dotted
        if isinstance(expr, Ref):
            return f"{frame.module.name}.{frame.module.facts.scopes[expr.scope].qualname}"
        return ""

    def _by_scopes(self, frame: Frame, name: str, depth: int) -> str:
        at: Frame | None = frame
        while at is not None:
            if name in at.scope.bindings and (at is frame or at.scope.kind != "class"):
                found = [self._named(at, e, depth + 1) for e in at.scope.bindings[name]]
                return next((f for f in found if f), "")
            at = at.parent
        return ""

    def _inside(self, near: Module, dotted: str, name: str, depth: int) -> str:
        """`name` of a module; where the project's module only imports it, the name of the original."""
        module = self._program.modules.find(dotted, near)
        if module is not None and module is not near:
            top = self._program.module_frame(module)
            for expr in top.scope.bindings.get(name, ()):
                if isinstance(expr, Import):
                    return self._named(top, expr, depth + 1) or f"{dotted}.{name}"
            return f"{module.name}.{name}"
        return f"{dotted}.{name}"
