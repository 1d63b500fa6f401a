"""What a library does with functions and objects that it is given, found by a program that gives it everything.

The program calls each public function and method of the library, hands a function of its own to each parameter, and
overrides each method that does nothing by itself. It is analysed with the library's source, never run. Which of its own
functions get onto a thread says what the library's rows are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from loopsafe.facts.schema import Attr, Expr, FileFacts, Name, Parameter, Scope
from loopsafe.program.index import last_name

_PLAIN = ("str", "int", "float", "bool", "bytes")
# A value that may be more than that may be anything.
_MOST_HOOKS = 100


class Use(NamedTuple):
    """What one function of the program stands for: a row's table, the name it is about, and the parameter."""

    table: str
    name: str
    position: int = -1
    keyword: str = ""


@dataclass
class Trial:
    """The program as it grows. `uses` says of its functions, by name, what each stands for."""

    uses: dict[str, Use] = field(default_factory=dict)
    _head: list[str] = field(default_factory=list)
    _body: list[str] = field(default_factory=list)
    _hooks: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The program."""
        hooks = ["def hook():", *(f"    if {made}: return {made}()" for made in self._hooks), "    return None"]
        return "\n".join([*self._head, *hooks, "def use():", *self._body, "    pass", ""])

    def add(self, module: str, facts: FileFacts) -> None:
        """Use all that is public in a module of the library."""
        alias = f"m{len(self._head)}"
        self._head.append(f"import {module} as {alias}")
        for scope in facts.scopes:
            if scope.parent == 0 and not scope.name.startswith("_"):
                if scope.kind == "class":
                    self._add_class(f"{module}.{scope.name}", f"{alias}.{scope.name}", scope, facts)
                elif scope.kind == "function" and not scope.is_async:
                    self._call(f"{module}.{scope.name}", f"{alias}.{scope.name}", scope.parameters)

    def _add_class(self, name: str, spelled: str, cls: Scope, facts: FileFacts) -> None:
        made = f"o{len(self._body)}"
        self._body.append(f"    {made} = {spelled}()")
        empty = []
        for method in (s for s in facts.scopes if s.parent == cls.index and s.kind == "function"):
            parameters = method.parameters[1:]
            if method.name == "__init__":
                self._call(name, spelled, parameters)
            elif not method.name.startswith("_") and not method.is_async and _is_plain_method(method):
                self._call(f"{name}.{method.name}", f"{made}.{method.name}", parameters)
                empty += [method.name] if _does_nothing(method) else []
        if empty:
            self._override(name, spelled, empty)
        for attribute in sorted(_called_attributes(cls, facts) | _properties(cls, facts)):
            number = self._function(Use("assigns", f"{name}.{attribute}"))
            self._body.append(f"    {made}.{attribute} = {number}")

    def _call(self, name: str, spelled: str, parameters: tuple[Parameter, ...]) -> None:
        self._body.append(f"    {spelled}()")
        for position, parameter in enumerate(parameters):
            if parameter.kind in ("positional", "keyword") and not _is_plain(parameter.annotation):
                use = Use("runs", name, position if parameter.kind == "positional" else -1, parameter.name)
                self._body.append(f"    {spelled}({parameter.name}={self._function(use)})")
                self._body.append(f"    {spelled}({parameter.name}=hook())")

    def _override(self, name: str, spelled: str, methods: list[str]) -> None:
        if len(self._hooks) < _MOST_HOOKS:
            made = f"S{len(self._hooks)}"
            self._hooks.append(made)
            self.uses.update((f"{made}.{method}", Use("overrides", f"{name}.{method}")) for method in methods)
            written = (f"    def {method}(self, *args, **kwargs): pass" for method in methods)
            self._head.append("\n".join([f"class {made}({spelled}):", *written]))
            self._body.append(f"    {made}()")

    def _function(self, use: Use) -> str:
        name = f"f{len(self.uses)}"
        self.uses[name] = use
        self._head.append(f"def {name}(*args, **kwargs): pass")
        return name


def _is_plain_method(method: Scope) -> bool:
    return all(last_name(decorator) == "abstractmethod" for decorator in method.decorators)


def _does_nothing(method: Scope) -> bool:
    """Whether a method is there to be overridden: its body is empty, or only raises."""
    return not method.stores and all(method.raises and call.role == "value" for call in method.calls)


def _called_attributes(cls: Scope, facts: FileFacts) -> set[str]:
    """The public attributes of a class that hold nothing at first, or what is given, and are called."""
    methods = [s for s in facts.scopes if s.parent == cls.index]
    defined = {s.name for s in methods}
    stored = {store.name for s in methods for store in s.stores if store.name and _is_self(store.base)} - defined
    stored |= {name for name in cls.bindings if name not in defined}
    called = {c.func.name for s in methods for c in s.calls if isinstance(c.func, Attr) and _is_self(c.func.base)}
    return {name for name in stored & called if not name.startswith("_")}


def _properties(cls: Scope, facts: FileFacts) -> set[str]:
    """The public properties of a class that may be set."""
    methods = (s for s in facts.scopes if s.parent == cls.index and not s.name.startswith("_"))
    return {s.name for s in methods for d in s.decorators if isinstance(d, Attr) and d.name == "setter"}


def _is_self(expr: Expr) -> bool:
    return isinstance(expr, Name) and expr.id == "self"


def _is_plain(annotation: Expr) -> bool:
    return isinstance(annotation, Name) and annotation.id in _PLAIN


def rows(found: Mapping[Use, tuple[str, bool, str]]) -> Iterator[str]:
    """The rows, as TOML, of what was found: for each use where the function runs, whether that is sure, and why."""
    for use, (where, certain, source) in sorted(found.items()):
        yield f"[[{use.table}]]"
        yield f'names = ["{use.name}"]'
        yield f'where = "{where}"'
        if use.table == "runs":
            position = f"position = {use.position}, " if use.position >= 0 else ""
            yield f'callables = [{{ {position}keyword = "{use.keyword}" }}]'
        if not certain:
            yield "likely = true"
        yield f'source = "{source}"'
        yield ""


def classes(found: Mapping[Use, tuple[str, bool, str]], known: set[str]) -> Iterator[str]:
    """The classes that the rows speak of, each with the source of one of these rows."""
    owners = {part: source for use, (_, _, source) in found.items() for part in _owners(use.name) if part in known}
    for name, source in sorted(owners.items()):
        yield f'[[classes]]\nnames = ["{name}"]\nsource = "{source}"\n'


def _owners(name: str) -> Iterator[str]:
    yield name
    yield name.rpartition(".")[0]
