"""What a name may hold: functions, classes, instances, library things, containers. Values compare by identity; `Values`
makes each one once."""

from __future__ import annotations

from loopsafe.facts.schema import Call, Collection, Scope
from loopsafe.program.modules import Module


class Value:
    """Base class of all values. A node holds only so many light ones: past that they tell nothing."""

    __slots__ = ()
    is_light = False


# Constants by parameter.
Known = tuple[tuple[str, object], ...]


class Frame:
    """A scope as entered in one way: with which `self`, from which closure, and, where it matters, from which call.

    `site` is the call (or decorated scope) that made this frame; None stands for all calls together. `known` are the
    parameters for which every call that enters it so gives this constant.
    """

    __slots__ = ("calls", "known", "module", "nodes", "parent", "receiver", "scope", "site")

    def __init__(
        self,
        module: Module,
        scope: Scope,
        parent: Frame | None,
        receiver: Value | None,
        site: object | None,
        *,
        known: Known,
    ) -> None:
        self.module, self.scope, self.parent, self.receiver, self.site = module, scope, parent, receiver, site
        self.known = known
        # Nodes by expression and by name, and what is known of calls: those who define them import this module.
        self.nodes: dict[object, object] = {}
        self.calls: dict[Call, object] = {}

    def __repr__(self) -> str:
        return f"<frame {self.module.name}.{self.scope.qualname} of {self.receiver}>"

    @property
    def order(self) -> tuple[int, int, str, int, str]:
        """A key that sorts frames the same way on every run."""
        site = getattr(self.site, "packed_span", 0)
        return (self.module.index, self.scope.index, repr(self.receiver), site, repr(self.known))


class Function(Value):
    """A function or lambda, with the frame it closes over."""

    __slots__ = ("frame", "module", "scope")

    def __init__(self, module: Module, scope: Scope, frame: Frame) -> None:
        self.module, self.scope, self.frame = module, scope, frame

    def __repr__(self) -> str:
        return f"<function {self.module.name}.{self.scope.qualname}>"


class Class(Value):
    """A class of the project."""

    __slots__ = ("frame", "module", "scope")

    def __init__(self, module: Module, scope: Scope, frame: Frame) -> None:
        self.module, self.scope, self.frame = module, scope, frame

    def __repr__(self) -> str:
        return f"<class {self.module.name}.{self.scope.qualname}>"

    @property
    def qualname(self) -> str:
        """The dotted name from the top: module and class."""
        return f"{self.module.name}.{self.scope.qualname}"


class Instance(Value):
    """An instance of a project class."""

    __slots__ = ("cls",)

    def __init__(self, cls: Class) -> None:
        self.cls = cls

    def __repr__(self) -> str:
        return f"<{self.cls.qualname}>"


class External(Value):
    """Something outside the project, by dotted name: a module, class or function of a library."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<external {self.name}>"


class Object(Value):
    """An instance of a library class, or whatever an unknown library call gives. `site` says where it was made:
    (frame, call), None where it is known by its declared type only."""

    __slots__ = ("frame", "site", "type")

    def __init__(self, type: str, frame: Frame | None, site: Call | None) -> None:
        self.type, self.frame, self.site = type, frame, site

    def __repr__(self) -> str:
        place = f" made at {self.frame.module.name}:{self.site.span.row}" if self.frame and self.site else ""
        return f"<{self.type}{place}>"


def same_making(a: Value | None, b: Value | None) -> bool:
    """Whether two values are the same, or made by the same call, whatever the frame it was read in."""
    if a is b:
        return True
    return isinstance(a, Object) and isinstance(b, Object) and a.site is not None and a.site is b.site


class Method(Value):
    """A project function bound to a receiver."""

    __slots__ = ("function", "receiver")

    def __init__(self, receiver: Value, function: Function) -> None:
        self.receiver, self.function = receiver, function

    def __repr__(self) -> str:
        return f"<method {self.function!r} of {self.receiver!r}>"


class Member(Value):
    """A library method or attribute of a value, by name."""

    __slots__ = ("name", "receiver")

    def __init__(self, receiver: Value, name: str) -> None:
        self.receiver, self.name = receiver, name

    def __repr__(self) -> str:
        return f"<{self.receiver!r}.{self.name}>"


class Partial(Value):
    """A callable with arguments already given: those of a `functools.partial` call after its first."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: object, arguments: object) -> None:
        self.function, self.arguments = function, arguments


class Container(Value):
    """A list, tuple, set or dict made at one place (`display`, in `frame`)."""

    __slots__ = ("display", "frame", "kind")
    is_light = True

    def __init__(self, kind: str, frame: Frame | None, display: object) -> None:
        self.kind, self.frame, self.display = kind, frame, display

    def __repr__(self) -> str:
        return f"<{self.kind}>"


class Coroutine(Value):
    """A call of a coroutine function, generator function or async generator: its body has not run yet."""

    __slots__ = ("frame",)

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        return f"<call of {self.frame.scope.qualname}>"


class Super(Value):
    """`super()` in a method of `cls`, with the receiver it looks up for."""

    __slots__ = ("cls", "receiver")

    def __init__(self, cls: Class, receiver: Value) -> None:
        self.cls, self.receiver = cls, receiver


class Descriptor(Value):
    """A function wrapped by property, staticmethod or classmethod."""

    __slots__ = ("function", "kind")

    def __init__(self, kind: str, function: Value) -> None:
        self.kind, self.function = kind, function


class Literal(Value):
    """A constant string or integer."""

    __slots__ = ("value",)
    is_light = True

    def __init__(self, value: str | int) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def key_of(value: Value) -> object:
    """What a value is as a key of a container: a constant, or the place where it was made; None where not known."""
    if isinstance(value, Object):
        return value.site
    return value.value if isinstance(value, Literal) else None


class ProjectModule(Value):
    """A module of the project as a value."""

    __slots__ = ("module",)

    def __init__(self, module: Module) -> None:
        self.module = module

    def __repr__(self) -> str:
        return repr(self.module)


class Values:
    """Makes each value and frame once, so that equal means identical."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Value] = {}
        self._frames: dict[tuple[object, ...], Frame] = {}

    def frame(
        self,
        module: Module,
        scope: Scope,
        parent: Frame | None,
        receiver: Value | None = None,
        site: object = None,
        *,
        known: Known = (),
    ) -> Frame:
        """The frame of this scope, parent, receiver, site and constants."""
        key = (module.index, scope.index, parent, receiver, site, known)
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(module, scope, parent, receiver, site, known=known)
        return found

    def make(self, kind: type[Value], *parts: object) -> Value:
        """The value of this kind made of these parts."""
        # Parts compare by identity, so equal keys mean the very same parts.
        key = (kind, *parts)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = kind(*parts)
        return found


__all__ = [
    "Call", "Class", "Collection", "Container", "Coroutine", "Descriptor", "External", "Frame", "Function", "Instance",
    "Literal", "Member", "Method", "Object", "Partial", "ProjectModule", "Super", "Value", "Values",
]  # fmt: skip
