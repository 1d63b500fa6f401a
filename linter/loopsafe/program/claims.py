"""Which methods say that any thread may call them: by their names, their docstrings, or what their class does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from loopsafe.facts.asides import Asides
from loopsafe.facts.parts import expressions_in
from loopsafe.facts.schema import Attr, Call, Expr, Import, Name, Ref, Scope
from loopsafe.facts.spelling import spell
from loopsafe.knowledge.load import Knowledge
from loopsafe.program.index import last_name
from loopsafe.program.modules import Module

_NAME = re.compile(r"(?i)(?:^|_)(?:thread_?safe|(?:from|by|on)_(?:any_|other_|another_)?threads?|any_thread)(?:_|$)")
_CAMEL = re.compile(r"ThreadSafe|FromThread")
_WHICH = r"(?:any|another|other|different|multiple|several|separate|all|background|worker|non-\w+) (?:\w+ )?threads?\b"
_CALLED = r"\b(?:call\w*|us(?:e|ed|able)|safe\w*|invok\w+|access\w*|shared?)\b"
_SAYS = re.compile(rf"(?i)\bthread[- ]?safe|{_CALLED}[^.;]*\b(?:from|by|between|among|across) {_WHICH}")
_DENIES = re.compile(
    r"(?i)\b(?:not|never|cannot|only|unsafe|un-?thread|non-?thread|unless|except|comments|see)\b|n't\b|\bmust be\b"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")
_LONGEST = 100
# Decorators under which a method is no call, or has no body.
_NO_CALL = ("property", "cached_property", "setter", "deleter", "overload", "abstractmethod", "staticmethod")


@dataclass(frozen=True, slots=True)
class Claim:
    """A method, and what `says` that any thread may call it.

    `of_attributes` says so of what it does to single attributes of `self`; `locked` are the rows, first and last, in
    which it holds a lock for threads.
    """

    module: Module
    scope: Scope
    says: tuple[str, ...]
    of_attributes: Mapping[str, str]
    locked: tuple[tuple[str, int, int], ...]


def claims(module: Module, knowledge: Knowledge, read: Callable[[], Asides]) -> Iterator[Claim]:
    """The claims of a module: of methods that may touch what belongs to a loop, and that have no annotation."""
    scopes = module.facts.scopes
    annotated = {remark.scope for remark in module.facts.remarks}
    classes = [scope for scope in scopes if scope.kind == "class" and scope.index not in annotated]
    beside = read() if classes else Asides({}, ())
    for cls in classes:
        methods = [s for s in scopes if s.parent == cls.index and s.kind == "function"]
        siblings = _Siblings(module, methods, knowledge)
        for method in methods:
            touches = any(last_name(call.func) in knowledge.operated for call in method.calls)
            plain = touches and _is_public(method) and method.index not in annotated
            if plain and not siblings.hand_over(method):
                yield from _claim(siblings, cls, method, beside)


def _claim(siblings: _Siblings, cls: Scope, method: Scope, beside: Asides) -> Iterator[Claim]:
    own, around = (beside.docstrings.get(scope.span.row, "") for scope in (method, cls))
    if not _denies(own if _SAYS.search(own) else around):
        words = tuple(_words(method.name, own, around))
        locked = tuple(held for held in beside.held if siblings.locks_in(method, *held))
        attributes = siblings.of_attributes(method)
        if words or locked or attributes:
            yield Claim(siblings.module, method, words, attributes, locked)


def _is_public(method: Scope) -> bool:
    plain = not method.name.startswith("_") and not method.is_async and not method.is_generator
    return plain and all(last_name(decorator) not in _NO_CALL for decorator in method.decorators)


def _words(name: str, own: str, around: str) -> Iterator[str]:
    if _NAME.search(name) or _CAMEL.search(name):
        yield "its name says so"
    for whose, docstring in (("its docstring", own), ("its class", around)):
        if sentence := _said(docstring):
            yield f"{whose} says: {sentence}"


def _denies(docstring: str) -> bool:
    """Whether it speaks of that, and says that it is not so."""
    return any(_SAYS.search(one) for one in _sentences(docstring)) and not _said(docstring)


def _said(docstring: str) -> str:
    """The first sentence that says so, and does not take it back."""
    found = next((one for one in _sentences(docstring) if _SAYS.search(one) and not _DENIES.search(one)), "")
    return found if len(found) <= _LONGEST else f"{found[:_LONGEST]} ..."


def _sentences(docstring: str) -> list[str]:
    return [" ".join(part.split()) for part in _SENTENCE.split(docstring)]


class _Siblings:
    """What the methods of one class do because of threads: locks that they take, and how they cross to the loop."""

    def __init__(self, module: Module, methods: list[Scope], knowledge: Knowledge) -> None:
        self.module, self._methods, self._knowledge = module, methods, knowledge
        self._crossings = [(m, call) for m in methods for call in m.calls if _crosses(call, knowledge)]

    def of_attributes(self, method: Scope) -> dict[str, str]:
        """What other public methods do for the sake of single attributes of `self`."""
        found: dict[str, str] = {}
        for other, call in self._crossings:
            if other is not method and _is_public(other):
                base = call.func.base if isinstance(call.func, Attr) else None
                for name in self._handed(call) - {_of_self(base)}:
                    found.setdefault(name, f"`{other.name}` hands that to the loop with `{spell(call.func)}`")
        return found

    def hand_over(self, method: Scope) -> bool:
        """Whether they hand the method itself to the loop: then it is the loop's."""
        return any(_is_own(part, method.name) for _, call in self._crossings for part in self._given(call))

    def locks_in(self, method: Scope, lock: str, first: int, last: int) -> bool:
        """Whether these rows are the method's, and the attribute is a lock for threads."""
        span = method.span
        return span.row <= first and last <= span.end_row and self._is_lock(lock)

    def _handed(self, call: Call) -> set[str]:
        """The attributes of `self` whose methods a crossing is given."""
        return {_of_self(part.base) for part in self._given(call) if isinstance(part, Attr)} - {""}

    def _given(self, call: Call) -> Iterator[Expr]:
        """What a crossing is given, and what a function does that is written there."""
        for part in expressions_in(call.args, call.keywords):
            yield part
            if isinstance(part, Ref):
                yield from expressions_in(self.module.facts.scopes[part.scope].calls)

    def _is_lock(self, name: str) -> bool:
        stored = (store.value for method in self._methods for store in method.stores if store.name == name)
        made = (_dotted(self.module, value.func) for value in stored if isinstance(value, Call))
        rows = (self._knowledge.classes.get(self._knowledge.canonical(dotted)) for dotted in made)
        return any(row is not None and row.excludes_threads for row in rows)


def _crosses(call: Call, knowledge: Knowledge) -> bool:
    name = last_name(call.func)
    # A plain word such as `run` means many things.
    return "_" in name and name in knowledge.crossings


def _is_own(expr: Expr, name: str) -> bool:
    return _of_self(expr) == name


def _of_self(expr: Expr) -> str:
    """The name of an attribute of `self`, empty for anything else."""
    if isinstance(expr, Attr) and isinstance(expr.base, Name) and expr.base.id == "self":
        return expr.name
    return ""


def _dotted(module: Module, expr: Expr) -> str:
    """The dotted name of what is imported at the top of a module; empty for anything else."""
    if isinstance(expr, Attr):
        base = _dotted(module, expr.base)
        return f"{base}.{expr.name}" if base else ""
    bound = module.facts.scopes[0].bindings.get(expr.id, ()) if isinstance(expr, Name) else ()
    for imported in bound:
        if isinstance(imported, Import) and not imported.level:
            return f"{imported.module}.{imported.name}" if imported.name else imported.module
    return ""
