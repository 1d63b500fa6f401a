"""What Python's own built-ins and containers do: tables of names, no code."""

from __future__ import annotations

PUTTERS = {
    "append": 0, "add": 0, "appendleft": 0, "insert": 1, "put": 0, "put_nowait": 0, "push": 0, "setdefault": 1,
    "set": 0,  # of a context variable
}  # fmt: skip
# Functions that put their second argument into their first.
PUTTING_FUNCTIONS = frozenset({"heappush", "heappushpop", "heapreplace"})
ADDERS = frozenset({"extend", "extendleft", "update"})
SAME_THINGS = {
    "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted", "builtins.reversed",
    "builtins.iter", "copy.copy", "copy.deepcopy", "builtins.aiter", "collections.deque", "builtins.filter",
    "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext", "weakref.proxy", "types.MappingProxyType",
    "itertools.cycle", "itertools.chain", "itertools.islice",
}  # fmt: skip
# Of these, what they are made of is still the thing that changes.
WRAPPERS = {
    "contextlib.closing", "contextlib.aclosing", "contextlib.nullcontext", "weakref.proxy", "types.MappingProxyType",
    "builtins.iter", "builtins.aiter",
}  # fmt: skip
CONTAINER_METHODS = PUTTERS.keys() | ADDERS | {"values", "copy", "items", "keys", "__getitem__"}
CONTAINER_METHODS |= {"pop", "popleft", "get", "get_nowait", "popitem", "recv", "receive", "sort", "send"}
_FROM_HEAPS = ("heapq.heappop", "heapq.heappushpop", "heapq.heapreplace")
FIRST_OF = {"builtins.next", "builtins.anext", "builtins.max", "builtins.min", *_FROM_HEAPS}
# Copies with other values in some of the fields.
CHANGED_COPIES = {"dataclasses.replace", "copy.replace", "attr.evolve", "attrs.evolve"}
NEW_CONTAINERS = {
    "builtins.list": "list", "builtins.dict": "dict", "builtins.set": "set", "builtins.tuple": "tuple",
    "collections.deque": "list", "collections.defaultdict": "dict", "collections.OrderedDict": "dict",
    "weakref.WeakSet": "set", "weakref.WeakValueDictionary": "dict", "weakref.WeakKeyDictionary": "dict",
    "contextvars.ContextVar": "list",
}  # fmt: skip
GETTERS = {"pop", "popleft", "get", "get_nowait", "popitem", "setdefault", "__getitem__", "recv", "receive"}
VIEWS = {"values", "copy"}
SPECIAL = {
    "importlib.import_module", "builtins.__import__", "typing.cast",
    "builtins.super", "builtins.getattr", "builtins.type", "builtins.map", "builtins.enumerate", "builtins.zip",
    "functools.partial", "functools.partialmethod",
}  # fmt: skip
# What stands for an attribute of a dataclass.
FIELDS = {"dataclasses.field", "attrs.field", "attr.ib", "attr.field"}
_NAMES = FIELDS | CHANGED_COPIES | SAME_THINGS | FIRST_OF | NEW_CONTAINERS.keys() | SPECIAL
# The modules too: `functools` must be followed for `functools.partial` to be found.
UNDERSTOOD = frozenset(_NAMES | {name.rpartition(".")[0] for name in _NAMES})
# What programs ask asyncio for that may run on older Pythons than are supported.
ALWAYS_IN_ASYNCIO = frozenset({"run", "create_task", "get_running_loop", "current_task", "all_tasks", "to_thread"})
# Where Python runs in a browser there are no threads.
BROWSER_PLATFORMS = frozenset({"emscripten", "wasi"})
BROWSER_MODULES = frozenset({"pyodide", "_pyodide", "pyodide_js", "_pyodide_core"})
# Types whose instances are no objects of the project, unless it extends them.
PLAIN_TYPES = frozenset(f"builtins.{name}" for name in ("str", "bytes", "int", "float", "bool", "complex", "bytearray"))
# Bases that make a class a description of what others have.
STRUCTURAL = frozenset({"Protocol", "Interface"})
COROUTINE_FUNCTION_TESTS = frozenset({"iscoroutinefunction"})
COROUTINE_TESTS = frozenset({"iscoroutine", "isawaitable"})
# Modules of the standard library whose classes say what others look like.
DESCRIPTIVE_MODULES = frozenset(
    {"abc", "asyncio", "builtins", "collections", "contextlib", "enum", "importlib", "numbers", "os", "types", "typing"}
)
# Built-in functions that call a method of what they are given.
CALLED_BY = {"len": "__len__", "next": "__next__", "iter": "__iter__", "anext": "__anext__", "aiter": "__aiter__"}
# Those that go through all that they are given.
GOING_THROUGH = frozenset(
    {"list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "any", "all", "max", "min", "enumerate"}
)
# Built-in functions and methods of containers that special methods call in order to look.
IDLE_FUNCTIONS = CALLED_BY.keys() | GOING_THROUGH | {
    "super", "isinstance", "issubclass", "range", "type", "format", "getattr", "hasattr", "zip", "map", "filter", "id",
    "round", "divmod", "vars", "dir", "cast", "bool", "str", "repr", "abs", "hash", "int", "float", "bytes", "reversed",
}  # fmt: skip
IDLE_METHODS = frozenset(
    {"get", "items", "keys", "values", "join", "copy", "format", "startswith", "endswith", "split"}
)
# Decorators that change nothing of what a function is called with.
SAME_FUNCTION = frozenset(
    {
        "property", "cached_property", "staticmethod", "classmethod", "abstractmethod", "override", "overload", "final",
        "contextmanager", "asynccontextmanager",
    }
)  # fmt: skip
