"""What the parts of the program stage share: nodes, values, and the questions they ask one another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from loopsafe.facts.schema import Call, Expr, Import, Name
from loopsafe.knowledge.load import Knowledge
from loopsafe.knowledge.schema import RunsRow
from loopsafe.program.index import Index
from loopsafe.program.modules import Module, Modules
from loopsafe.program.python import UNDERSTOOD
from loopsafe.program.solver import Node, Solver, with_one
from loopsafe.program.values import (
    Class,
    Container,
    Coroutine,
    External,
    Frame,
    Function,
    Instance,
    Value,
    Values,
)


# Structs of msgspec: a frozen dataclass takes several times as long to make, and there are hundreds of thousands.
class Source(msgspec.Struct, frozen=True, eq=False):
    """Where an argument's value comes from: an expression read in a frame, under a guard, or a node."""

    frame: Frame | None
    expr: Expr
    node: Node | None = None
    guard: int = -1


class Arguments(msgspec.Struct, frozen=True, eq=False):
    """The arguments of one call. `rest` and `rest_keywords` hold the containers given with `*` and `**`.

    `skip` elements of the containers in `rest` have been taken already. `partials` counts the partials they went
    through one after the other, `passed` holds all that the call came to. They are the `whole` where nobody adds to
    them: a library gives its callbacks more than the text shows. `caller` is the frame in which the call stands as it
    is.
    """

    positional: tuple[Source, ...] = ()
    keywords: tuple[tuple[str, Source], ...] = ()
    rest: tuple[Source, ...] = ()
    rest_keywords: tuple[Source, ...] = ()
    skip: int = 0
    partials: int = 0
    passed: set[Value] | None = None
    whole: bool = False
    caller: Frame | None = None

    def get(self, position: int | None, keyword: str) -> Source | None:
        """The argument given at this position or under this keyword."""
        for name, source in self.keywords:
            if name == keyword:
                return source
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    def after(self, start: int, keywords: bool) -> Arguments:
        """The positional arguments from `start` on, with or without the keywords."""
        kept = (self.keywords, self.rest_keywords) if keywords else ((), ())
        taken = self.skip + (max(0, start - len(self.positional)) if self.rest else 0)
        counted = (self.partials, self.passed)
        return Arguments(self.positional[start:], kept[0], self.rest, kept[1], taken, *counted, self.whole)

    def before(self, more: Arguments, passed: set[Value]) -> Arguments:
        """These arguments, given in a partial, then those of its call."""
        return Arguments(
            self.positional + more.positional,
            self.keywords + more.keywords,
            self.rest + more.rest,
            self.rest_keywords + more.rest_keywords,
            self.skip + more.skip,
            self.partials + more.partials + 1,
            passed,
            self.whole and more.whole,
        )


class Entered(msgspec.Struct, frozen=True, eq=False):
    """A call that enters a function of the project."""

    frame: Frame
    function: Function


class Library(msgspec.Struct, frozen=True, eq=False):
    """A call of something outside the project: its canonical name, the receiver of a method, and the arguments."""

    name: str
    receiver: Value | None
    arguments: Arguments


Target = Entered | Library
OnTarget = Callable[[Target], None]


# Programs in which everything may be everything (expression builders, plug-in registries) would take time without end:
# the work grows with the program and no faster. Ordinary programs use a tenth of it.
_LEAST_WORK = 1_000_000
_WORK_A_CALL = 20
_LEAST_IN_LIBRARY = 50_000
_LIBRARY_WORK_A_CALL = 10


def _budgets(modules: Modules) -> dict[str, int]:
    calls = Counter({"": 0})
    for module in modules.all:
        calls[module.library] += sum(len(scope.calls) for scope in module.facts.scopes)
    return {
        owner: _LEAST_IN_LIBRARY + _LIBRARY_WORK_A_CALL * n if owner else _LEAST_WORK + _WORK_A_CALL * n
        for owner, n in calls.items()
    }


class Callees:
    """What a call in a frame is given, what it enters and the node of what it gives: worked out once for all who ask.

    A function may run on many loops.
    """

    __slots__ = ("arguments", "found", "given", "is_followed", "listeners")

    def __init__(self) -> None:
        self.arguments: Arguments | None = None
        self.given: Node | None = None
        self.is_followed = False
        self.found: tuple[Target, ...] = ()
        self.listeners: tuple[OnTarget, ...] = ()

    def tell(self, target: Target) -> None:
        """One more thing that it enters."""
        self.found += (target,)
        for listener in self.listeners:
            listener(target)


class Graph(ABC):
    """The nodes of the whole program. Everything is built when it is first asked for.

    Things outside the project of which nothing is known are left out, unless it is to be `complete`.
    """

    def __init__(self, modules: Modules, knowledge: Knowledge, complete: bool = False) -> None:
        self.modules, self.knowledge, self.complete = modules, knowledge, complete
        self.index = Index(modules)
        self.values, self.solver = Values(), Solver(_budgets(modules))

    def module_frame(self, module: Module) -> Frame:
        """The frame of a module's own body."""
        return self.values.frame(module, module.facts.scopes[0], None)

    def node(self, source: Source) -> Node:
        """The node of an argument."""
        if source.node is not None:
            return source.node
        assert source.frame is not None
        return self.under(source.frame, source.expr, source.guard)

    def add_external(self, node: Node, name: str) -> None:
        """Add a thing outside the project, if anything is known of it or of what it contains."""
        if self.complete or self.knowledge.leads_to(name.removesuffix(".__init__")) or name in UNDERSTOOD:
            self.solver.add(node, self.values.make(External, name))

    def holding(self, values: Iterable[Value]) -> Node:
        """A node that holds just these values."""
        node = Node()
        for value in dict.fromkeys(values):
            node.values = with_one(node.values, value)
        return node

    @abstractmethod
    def evaluate(self, frame: Frame, expr: Expr) -> Node:
        """What an expression holds."""

    @abstractmethod
    def under(self, frame: Frame, expr: Expr, guard: int) -> Node:
        """What an expression holds where a guard of its scope holds."""

    @abstractmethod
    def rules_out(self, frame: Frame, guard: int) -> bool:
        """Whether the constants that a frame is entered with keep control from getting past a guard."""

    @abstractmethod
    def decide(self, frame: Frame, test: Expr) -> bool | None:
        """What a test gives by the constants that a frame is entered with; None where that is not known."""

    @abstractmethod
    def variable(self, frame: Frame, name: str) -> Node:
        """What a name bound in this very scope holds."""

    @abstractmethod
    def read_name(self, frame: Frame, name: Name) -> Node:
        """What a name in the text of a function holds there."""

    @abstractmethod
    def lookup(self, frame: Frame, name: str) -> Node:
        """What a name holds by Python's scoping rules, seen from inside the frame."""

    @abstractmethod
    def bind_import(self, frame: Frame, imported: Import, node: Node) -> None:
        """What an import in this frame's module gives."""

    @abstractmethod
    def attribute(self, value: Value, name: str) -> Node:
        """What an attribute of a value holds."""

    @abstractmethod
    def instance_of(self, frame: Frame, annotation: Expr) -> Node:
        """What something annotated like this holds."""

    @abstractmethod
    def gate(self, node: Node, declarations: Iterable[tuple[Frame, Expr]]) -> Node:
        """Where to link what comes into `node`, so that it holds nothing that its declared types rule out."""

    @abstractmethod
    def result(self, frame: Frame) -> Node:
        """What a function gives back when entered as this frame."""

    @abstractmethod
    def yielded(self, frame: Frame) -> Node:
        """What a generator gives, one by one."""

    @abstractmethod
    def content(self, container: Value, key: object) -> Node:
        """What may be read under a key of a container; `None` stands for any key."""

    def dug(self, node: Node, path: Sequence[str]) -> Node:
        """What stands inside of dicts and lists, by keys of which `*` is any."""
        for step in path:
            inner = Node()
            self.solver.listen(node, self._link_content, None if step == "*" else step, inner)
            node = inner
        return node

    def _link_content(self, key: str | None, inner: Node, value: Value) -> None:
        if isinstance(value, Container):
            self.solver.link(self.content(value, key), inner)

    @abstractmethod
    def exact_key(self, frame: Frame, key: Expr) -> str | int | None:
        """The one constant that a key is in a frame; None where it may be another."""

    @abstractmethod
    def finds_handlers(self, frame: Frame, around: bool = True) -> bool:
        """Whether a function, or one `around` it, finds handlers by a name that it is given."""

    @abstractmethod
    def entered_plainly(self, frame: Frame) -> None:
        """A call enters a function without constants that tell its calls apart."""

    @abstractmethod
    def find_kept(self, keeper: Value, key: Expr) -> None:
        """Find what the program puts under a key, written like this, into objects that `keeper` stands for."""

    @abstractmethod
    def slot(self, container: Value, key: object) -> Node:
        """Where to put what is stored under a key of a container; `None` where the key is not known."""

    @abstractmethod
    def include(self, container: Value, node: Node, shift: int | None = 0) -> None:
        """All that the containers in `node` hold, `container` holds too: under a position less by `shift`.

        Where the shift is not known (None) it may have any position.
        """

    def elements(self, source: Source, node: Node) -> None:
        """Have `node` hold what going through an argument gives."""

        def element(value: Value) -> None:
            if isinstance(value, Container):
                self.solver.link(self.content(value, None), node)
            elif isinstance(value, Coroutine):
                self.solver.link(self.yielded(value.frame), node)

        self.solver.listen(self.node(source), element)

    @abstractmethod
    def call(self, callee: Value, arguments: Arguments, site: object, on_target: OnTarget) -> None:
        """Call a value; hear of every function or library thing that this enters."""

    def callees(self, frame: Frame, call: Call) -> Callees:
        """What is known of a call in a frame."""
        known = frame.calls.get(call)
        if known is None:
            known = frame.calls[call] = Callees()
        assert isinstance(known, Callees)
        return known

    def follow(self, frame: Frame, call: Call) -> Callees:
        """Have a call give its arguments to whatever it enters."""
        known = self.callees(frame, call)
        if not known.is_followed:
            known.is_followed = True
            self.solver.listen(self.under(frame, call.func, call.guard), self._called, frame, call, known)
        return known

    def called_with(self, arguments: Arguments, site: object, on_target: OnTarget, callee: Value) -> None:
        """The same as `call`, for listeners."""
        self.call(callee, arguments, site, on_target)

    def targets(self, frame: Frame, call: Call, on_target: OnTarget) -> None:
        """Hear of everything that a call in the text enters."""
        known = self.follow(frame, call)
        known.listeners += (on_target,)
        for target in known.found:
            self.solver.later(on_target, target)

    def _called(self, frame: Frame, call: Call, known: Callees, callee: Value) -> None:
        if isinstance(callee, Class) and known.given is not None:
            # There is an instance even where no constructor of the project runs.
            self.solver.add(known.given, self.values.make(Instance, callee))
        self.call(callee, self.arguments(frame, call), call, known.tell)

    def arguments_of(self, frame: Frame, exprs: Iterable[Expr]) -> tuple[Source, ...]:
        """Positional arguments from expressions."""
        return tuple(Source(frame, expr) for expr in exprs)

    @abstractmethod
    def hand_over(self, row: RunsRow, target: Library, site: object, on_target: OnTarget) -> None:
        """Enter the callables that a library call runs, with the arguments it gives them."""

    @abstractmethod
    def arguments(self, frame: Frame, call: Call) -> Arguments:
        """The arguments written in a call."""

    @abstractmethod
    def demand_arguments(self, frame: Frame) -> None:
        """Find the calls that enter this frame, so that its parameters have values."""
