"""What users say of their own functions: `# loopsafe:` comments and `[tool.loopsafe.annotations]`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from loopsafe.contexts.places.place import Place
from loopsafe.facts.comments import items
from loopsafe.facts.schema import Scope
from loopsafe.knowledge.schema import OperationRow
from loopsafe.program.lookup import names_of
from loopsafe.program.modules import Module, Modules

_RUNS_ON = ("loop", "thread", "any")
_KEYS = ("runs-on", "loop-bound", "thread-entry")
_OPERATION = OperationRow(names=(), source="said by the project", category="project")
_Place = tuple[Module, Scope, str]


@dataclass(frozen=True, slots=True)
class Unclear:
    """A remark that cannot be used, and why. `module` is None and `row` 0 for those of the configuration."""

    module: Module | None
    row: int
    message: str


class Remarks:
    """All remarks of a program, by the functions they speak of.

    `threads` are the functions that threads start with; `runners` the parameters whose callables run on a thread;
    `unclear` what could not be used, in order of file and row.
    """

    def __init__(self, modules: Modules, annotations: Sequence[tuple[str, str]] = ()) -> None:
        self.threads: dict[Scope, Module] = {}
        self.runners: dict[Scope, list[str]] = defaultdict(list)
        self.unclear: list[Unclear] = []
        self._on_loop: set[Scope] = set()
        self._loop_bound: set[Scope] = set()
        self._silent: set[Scope] = set()
        self._read_comments(modules)
        if annotations:
            self._read_annotations(modules, annotations)

    @property
    def bound(self) -> list[Scope]:
        """The functions that belong on a loop."""
        return sorted((*self._on_loop, *self._loop_bound), key=lambda scope: (scope.packed_span, scope.qualname))

    def operation(self, scope: Scope, context: Place) -> OperationRow | None:
        """What to know of a function that may not run in this context; None where it may."""
        if context.kind == "loop" or scope.is_async:
            return None
        return _OPERATION if scope in self._on_loop or scope in self._loop_bound else None

    def is_silent(self, module: Module, scope: Scope) -> bool:
        """Whether what a function, or a lambda in it, does itself is not to be reported."""
        while scope.kind == "lambda":
            scope = module.facts.scopes[scope.parent]
        return scope in self._silent

    def _read_comments(self, modules: Modules) -> None:
        for module in modules.all:
            for remark in module.facts.remarks:
                if remark.scope < 0:
                    wrong = "stands at no function, class or parameter"
                else:
                    wrong = self._take(
                        (module, module.facts.scopes[remark.scope], remark.parameter), remark.key, remark.value
                    )
                if wrong:
                    self.unclear.append(
                        Unclear(module, remark.row, f"`# loopsafe: {_text(remark.key, remark.value)}` {wrong}")
                    )

    def _read_annotations(self, modules: Modules, annotations: Sequence[tuple[str, str]]) -> None:
        places = _by_name(modules)
        for name, text in annotations:
            for key, value in items(text):
                for place in places.get(name, ()):
                    if wrong := self._take(place, key, value):
                        self.unclear.append(Unclear(None, 0, f"`{_text(key, value)}` of `{name}` {wrong}"))
            if name not in places:
                hint = _hint(name, places)
                self.unclear.append(
                    Unclear(None, 0, f"`{name}` is no function, class or parameter of the project{hint}")
                )

    def _take(self, place: _Place, key: str, value: str) -> str:
        """Note one remark; gives the reason where it cannot be used."""
        module, scope, parameter = place
        if key not in _KEYS:
            return f"is not known{_hint(key, _KEYS) or '; known are ' + ', '.join(_KEYS)}"
        if key == "runs-on" and value not in _RUNS_ON:
            return f"is not one of {', '.join(_RUNS_ON)}{_hint(value, _RUNS_ON)}"
        if key != "runs-on" and value:
            return "takes no value"
        if parameter:
            return self._take_parameter(scope, parameter, key)
        wanted = self._functions(module, scope, key, value)
        return self._take_functions(module, wanted, key, value)

    def _take_parameter(self, scope: Scope, parameter: str, key: str) -> str:
        if key != "thread-entry":
            return "says nothing of a parameter; only `thread-entry` does"
        self.runners[scope].append(parameter)
        return ""

    def _take_functions(self, module: Module, functions: Sequence[Scope], key: str, value: str) -> str:
        if key == "thread-entry" or value == "thread":
            if any(f.is_async for f in functions):
                return "does nothing here: an `async def` runs where its loop does"
            self.threads.update(dict.fromkeys(functions, module))
        elif key == "loop-bound":
            self._loop_bound.update(functions)
        else:
            (self._on_loop if value == "loop" else self._silent).update(functions)
        return ""

    def _functions(self, module: Module, scope: Scope, key: str, value: str) -> list[Scope]:
        """The function itself; of a class all methods, or where it is about callers, those that others call."""
        if scope.kind == "function":
            return [scope]
        methods = [s for s in module.facts.scopes if s.parent == scope.index and s.kind == "function"]
        if key == "runs-on" and value != "thread":
            return methods
        return [m for m in methods if not m.name.startswith("_") and not m.is_async]


def _by_name(modules: Modules) -> dict[str, list[_Place]]:
    """Functions, classes and parameters by their dotted names."""
    found: dict[str, list[_Place]] = defaultdict(list)
    for module, scope in _definitions(modules):
        for prefix in names_of(module):
            name = f"{prefix}.{scope.qualname}"
            found[name].append((module, scope, ""))
            for parameter in scope.parameters:
                found[f"{name}.{parameter.name}"].append((module, scope, parameter.name))
    return found


def _definitions(modules: Modules) -> Iterator[tuple[Module, Scope]]:
    for module in modules.all:
        for scope in module.facts.scopes:
            if scope.kind in ("function", "class"):
                yield module, scope


def _hint(word: str, known: Sequence[str] | dict[str, list[_Place]]) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"; did you mean `{close[0]}`?" if close else ""


def _text(key: str, value: str) -> str:
    return f"{key}={value}" if value else key
