"""What is the same for the whole run of a program: constants of modules, and that a browser has no threads."""

from __future__ import annotations

from loopsafe.facts.schema import Attr, Call, Compare, Const, Expr, Import, Name, Not, Ref, Scope
from loopsafe.program.index import Index, last_name
from loopsafe.program.modules import Module, Modules
from loopsafe.program.python import ALWAYS_IN_ASYNCIO, BROWSER_MODULES, BROWSER_PLATFORMS

UNKNOWN = object()
# Constants are followed through so many imports and names.
_FURTHEST = 4


class Settings:
    """Decides tests that no caller and no moment changes. Of constants those count that nothing sets anew."""

    def __init__(self, modules: Modules, index: Index) -> None:
        self._modules, self._index = modules, index
        self._ruled_out: dict[tuple[Scope, int], bool] = {}

    def rules_out(self, module: Module, scope: Scope, guard: int) -> bool:
        """Whether control never gets past a guard."""
        # Not by calling itself: a function may have a thousand `if ...: return` in a row.
        pending = []
        while guard >= 0 and (scope, guard) not in self._ruled_out:
            pending.append(guard)
            guard = scope.guards[guard].parent
        found = guard >= 0 and self._ruled_out[scope, guard]
        for inner in reversed(pending):
            row = scope.guards[inner]
            found = found or (row.kind == "test" and self.decide(module, scope, row.test) is (not row.holds))
            self._ruled_out[scope, inner] = found
        return found

    def decide(self, module: Module, scope: Scope, test: Expr, depth: int = 0) -> bool | None:
        """What a test gives; None where that is not known."""
        if isinstance(test, Not):
            answer = self.decide(module, scope, test.value, depth)
            return None if answer is None else not answer
        value = self._value(module, scope, test, depth)
        return None if value is UNKNOWN else bool(value)

    def _value(self, module: Module, scope: Scope, expr: Expr, depth: int) -> object:
        if isinstance(expr, Const):
            return expr.value
        if isinstance(expr, Call):
            return True if _asks_for_known(expr) else UNKNOWN
        if isinstance(expr, Compare):
            return self._compare(module, scope, expr, depth)
        if depth < _FURTHEST and isinstance(expr, Name):
            return self._named(module, scope, expr.id, depth + 1)
        if depth < _FURTHEST and isinstance(expr, Attr) and isinstance(expr.base, Name):
            other = self._module_named(module, scope, expr.base.id)
            return self.constant(other, expr.name, depth + 1) if other is not None else UNKNOWN
        return UNKNOWN

    def _compare(self, module: Module, scope: Scope, test: Compare, depth: int) -> object:
        wanted = test.operator in ("==", "in", "is")
        if _is_of_sys(test.right, "modules") and isinstance(test.left, Const):
            return UNKNOWN if test.left.value not in BROWSER_MODULES else not wanted
        if _is_of_sys(test.left, "platform") and isinstance(test.right, Const):
            return UNKNOWN if test.right.value not in BROWSER_PLATFORMS else not wanted
        if test.operator in ("in", "not in"):
            return UNKNOWN
        left = self._value(module, scope, test.left, depth)
        right = self._value(module, scope, test.right, depth)
        return UNKNOWN if left is UNKNOWN or right is UNKNOWN else (left == right) == wanted

    def _named(self, module: Module, scope: Scope, name: str, depth: int) -> object:
        """A name that only the module binds, seen from a scope in it."""
        while scope.parent >= 0 and scope.outer_names.get(name) != "global":
            if name in scope.bindings or any(p.name == name for p in scope.parameters):
                return UNKNOWN
            scope = module.facts.scopes[scope.parent]
        if name == "__name__" and module.library:
            return module.name
        return self.constant(module, name, depth)

    def constant(self, module: Module, name: str, depth: int = 0) -> object:
        """The constant that a name of a module is for good; UNKNOWN where it is none."""
        top = module.facts.scopes[0]
        bound = top.bindings.get(name, ())
        if len(bound) != 1 or name in self._index.stores or (module.index, name) in self._index.global_writers:
            return UNKNOWN
        value = bound[0]
        if isinstance(value, Import):
            other = self._modules.find(self._modules.absolute(value, module), module) if value.name else None
            known = other is not None and other is not module and depth < _FURTHEST
            return self.constant(other, value.name, depth + 1) if known else UNKNOWN  # type: ignore[arg-type]
        under = top.bound_under.get(name, (-1,))[0]
        return self._value(module, top, value, depth) if under < 0 else UNKNOWN

    def member(self, module: Module, cls: str, name: str, depth: int = 0) -> object:
        """The constant that an attribute of a class is for good, and which member of an enumeration; else UNKNOWN."""
        bound = module.facts.scopes[0].bindings.get(cls, ())
        held = bound[0] if len(bound) == 1 else None
        if isinstance(held, Import) and held.name and depth < _FURTHEST:
            other = self._modules.find(self._modules.absolute(held, module), module)
            known = other is not None and other is not module
            return self.member(other, held.name, name, depth + 1) if known else UNKNOWN  # type: ignore[arg-type]
        scope = module.facts.scopes[held.scope] if isinstance(held, Ref) else None
        values = scope.bindings.get(name, ()) if scope is not None and scope.kind == "class" else ()
        if scope is None or len(values) != 1 or name in self._index.stores:
            return UNKNOWN
        if any(last_name(base).endswith(("Enum", "Flag")) for base in scope.bases):
            return f"{module.name}.{scope.qualname}.{name}"
        return values[0].value if isinstance(values[0], Const) else UNKNOWN

    def _module_named(self, module: Module, scope: Scope, name: str) -> Module | None:
        bound = module.facts.scopes[0].bindings.get(name, ())
        if name in scope.bindings or len(bound) != 1 or not isinstance(bound[0], Import):
            return None
        dotted = self._modules.absolute(bound[0], module)
        return self._modules.find(f"{dotted}.{bound[0].name}" if bound[0].name else dotted, module)


def _asks_for_known(test: Call) -> bool:
    """Whether this is `hasattr(asyncio, "run")`, of what every supported Python has."""
    if not isinstance(test.func, Name) or test.func.id != "hasattr" or len(test.args) != 2:
        return False
    base, name = test.args
    of_asyncio = isinstance(base, Name) and base.id == "asyncio"
    return of_asyncio and isinstance(name, Const) and name.value in ALWAYS_IN_ASYNCIO


def _is_of_sys(expr: Expr, name: str) -> bool:
    return isinstance(expr, Attr) and expr.name == name and isinstance(expr.base, Name) and expr.base.id == "sys"
