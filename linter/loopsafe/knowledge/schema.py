"""The form of a pack: one library's classes, functions, thread origins, crossings and loop-bound operations.

Every row names what it is about (`names`, dotted; a method is `package.Class.method`) and its `source`. Positions count
from 0 and leave `self` out.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Runs = Literal["thread", "loop", "own-loop", "home", "here", "signal", "finalizer", "exit", "process", "anywhere"]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all rows have: the names it speaks of, and where that was read or measured."""

    names: tuple[str, ...]
    source: str
    note: str = ""


class ClassRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A class. The first of `names` is the one used elsewhere; the others are where else it can be imported from.

    `bases` are its library base classes. `attributes` maps attributes (`*` for any) to the class they hold. `loop` is
    how the object's own loop is reached (`{}` stands for the object), where there is a public way. `parameters` are
    names that parameters without an annotation have by the library's convention when they hold such an object. With
    `made_on_loop` it belongs to the loop that runs where it is made, else to that of the first task that waits for it;
    with `used_on_loop` to each on which one of its coroutines is awaited. A loop that `wakes_itself` now and then, as
    that of a GUI does, needs no waking by handlers of signals. A `closed` class, and classes that extend it, take no
    attributes that are not declared. `given_to` are methods of library base classes that the library calls with such an
    object as their first argument, annotated or not. `keeps` says that programs keep what they like on such objects, as
    attributes or items, and that all parts of a program mean the same by the same name. `asks` are methods that tell
    how things stand without waiting: for them, what was handed over is not done yet. It is `bounded` by the parameter
    of this name, if that is given and not 0. A class that `excludes_threads` keeps threads from each other: who takes
    such a lock reckons with them.
    """

    bases: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    given_to: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    keeps: tuple[Literal["attributes", "items"], ...] = ()
    loop: str = ""
    loop_bound: bool = False
    made_on_loop: bool = False
    used_on_loop: bool = False
    wakes_itself: bool = False
    closed: bool = False
    asks: tuple[str, ...] = ()
    bounded: str = ""
    excludes_threads: bool = False


class Callable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which argument is the callable: by position, by keyword or both; `rest_from` means all arguments from there on.

    `every_keyword` means every keyword argument. With `key`, the argument is a dict or list and the callable stands in
    it: `key` is a path of keys with dots between, `*` for any key or element. With `methods`, the argument is an
    object, and the library calls these methods of it (`*` stands for any letters). With `method_of`, the argument may
    be a string that names a method, as defined in the project's subclasses of that library class. `iterated` says that
    the argument is an iterator: what runs is the body of a generator. `held` is no argument: the callable is what this
    attribute of the object holds whose method it is, of a class that `keeps` attributes or one of the project that
    extends the library's; `*` at its end stands for any letters. With `given_to` it is the
    argument of another call: of the method of this name, of the same object.
    """

    position: int | None = None
    keyword: str = ""
    rest_from: int | None = None
    every_keyword: bool = False
    key: str = ""
    methods: tuple[str, ...] = ()
    method_of: str = ""
    iterated: bool = False
    held: str = ""
    given_to: str = ""


class ResultRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What calling gives: the name of a class, `argument N` for an argument unchanged, `result` for what its callable
    argument returns, `instance` for one of a class among its arguments, or `held` for what its object holds. In names
    `*` stands for any letters, for what is generated. With `known argument` it gives those arguments of which the packs
    know something, if they are of one class, and its own object where there is none.

    The row holds only where none of `unless_given` is given. `awaited` is what awaiting the result gives; `items` are
    the positions of a tuple, with `*` in front a list of such objects. With `existing` the object was there before: the
    call makes nothing. With `holds_result` it holds what its first argument, a coroutine, returns, with
    `holds_argument` that argument itself. Going through it gives an object of the class `each`; what it gives belongs
    to the loop that is its argument `of_loop`.
    """

    gives: str = ""
    awaited: str = ""
    items: tuple[str, ...] = ()
    each: str = ""
    of_loop: Callable | None = None
    existing: bool = False
    holds_result: bool = False
    holds_argument: bool = False
    unless_given: tuple[Callable, ...] = ()


class Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the callable's own arguments are given: the positions after `rest_from`, or a tuple and a dict argument.

    With `each_from` it is called for the elements of the arguments from there on, side by side as `map` does; with
    `spread` each element has all that one call is given, as for `starmap`. `objects` are the classes of what the
    library itself gives.
    """

    rest_from: int | None = None
    each_from: int | None = None
    spread: bool = False
    objects: tuple[str, ...] = ()
    args: Callable | None = None
    kwargs: Callable | None = None
    keywords: bool = False
    skip_keywords: tuple[str, ...] = ()


class StartRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the rows share that say where a function runs.

    `where`: `thread` (another thread), `loop` (the loop's thread; for a method of a loop that very loop), `own-loop` (a
    loop of its own, on this thread), `here` (before it returns, on this thread), `signal`, `finalizer`, `exit` (on
    the main thread when the program ends), `process`, `anywhere` (it is not known). `unless_async`
    says that an `async def` runs on the loop instead,
    `unless_decorated` the same of functions with one of these decorators; `likely` that it may now and then run on the
    loop too, or do no harm, and `likely_with` the same of projects that import or call something of these names. With
    `only_if_called` the row holds in projects that call a function or method of one of these names (`loop_start`), with
    `only_if_handed` also in those that hand a method of one of these names to something that calls it; with
    `unless_imported` not in those that import one of these modules; with `after_call` for methods of objects on which
    a method of this name is called (`moveToThread`). `started_by` is the method of the object, or of what the call
    makes, that makes the library do so. `crossings` are the functions that on this thread, but not on others, lead back
    to the loop.
    """

    where: Runs
    crossings: tuple[str, ...] = ()
    unless_async: bool = False
    unless_decorated: tuple[str, ...] = ()
    only_if_called: tuple[str, ...] = ()
    only_if_handed: tuple[str, ...] = ()
    unless_imported: tuple[str, ...] = ()
    after_call: str = ""
    started_by: str = ""
    likely: bool = False
    likely_with: tuple[str, ...] = ()


class RunsRow(StartRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function that runs a callable argument somewhere.

    With `coroutine` the argument is a coroutine, with `awaits` a coroutine function whose result it awaits. The row
    holds only where the keywords of `when` are given as these constants, and not where one of the arguments
    `unless_given` is given. `executor` is the argument that may send the callable to another process instead. With
    `drops` nobody looks at what the callable gives.
    """

    callables: tuple[Callable, ...]
    passes: Passed = Passed()
    coroutine: bool = False
    awaits: bool = False
    crossing: bool = False
    drops: bool = False
    loop_argument: Callable | None = None
    executor: Callable | None = None
    when: dict[str, bool | str] = {}
    unless_given: tuple[Callable, ...] = ()


class DecoratorRow(StartRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A decorator, written with or without a call, whose function the library runs somewhere.

    `when` and `unless_given` are as for `runs`, of the decorator's own arguments.
    """

    when: dict[str, bool | str] = {}
    unless_given: tuple[Callable, ...] = ()


class OverrideRow(StartRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Methods of a library base class that the library calls somewhere. `names` are `package.Class.method`.

    `*` in the class or method stands for any letters; a lone `*` means the public methods. With `twin`, the library
    calls a method of that name instead where a class of the project defines one (`{}` stands for the method's own
    name). `matching` is how those methods look that a lone `*` means: `[A-Z]*`.
    """

    twin: str = ""
    matching: str = "*"


class AssignRow(StartRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes that hold a handler: `package.Class.attribute` or `module.attribute`. Subclasses may define it."""


class EntryRow(StartRow, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions at the top of a module that a framework finds by name; `names` are these names alone. `<module>` is the
    module's own code, where it imports the library.

    Modules are told by `modules` (paths with `*`) or by the names of the function's first `parameters`. The row does
    not hold in a module that defines `unless_defined`.
    """

    modules: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    unless_defined: str = ""


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exception, and the method of the object without arguments that is true exactly where it would be raised."""

    raises: str
    asked: str


class OperationRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An operation that may be done only where the object's loop runs.

    `category` picks the rule. `fix` says how it is put right: `pass` (hand the operation itself to the crossing),
    `rename` to `twin`, which takes all keywords but those it `lacks`, and waits for the loop if it `blocks`,
    `coroutine` (hand the coroutine to run_coroutine_threadsafe), `none`. `crossing` is the text of the crossing call
    where it is not the loop's own `call_soon_threadsafe`: one that waits for the result, and is known by the
    `crossings` of the row that starts the thread. Where it is a method of another kind of loop, `loop_class` is that
    class and `crossing_method` the method. Where it is wrong in some contexts only, `only_in` names them. Given an
    instance of the class `harmless_with`, it does nothing but hand it back. It is right with one of the keywords or
    positions `unless_given`. With `answers` it returns something that its callers may need, and that nothing which is
    handed over can give them. What the method `undone_by` undoes right after it must not be seen in between. `asked_by`
    are those methods that show at once that it is done, where not all that the class `asks` do. `doubt` says why it is
    never safe to put it off. With `only_outside` the library's own code may do it: it holds a lock of its own.
    `refused` says when the object refuses it.
    """

    category: Literal[
        "channel",
        "queue",
        "sync-primitive",
        "future",
        "loop-call",
        "transport",
        "task-creation",
        "framework",
        "lookup",
        "project",
    ]
    fix: Literal["pass", "rename", "coroutine", "none"] = "pass"
    twin: str = ""
    blocks: bool = False
    crossing: str = ""
    loop_class: str = ""
    crossing_method: str = ""
    expects: tuple[str, ...] = ()
    needs_running_loop: bool = False
    only_outside: bool = False
    only_in: tuple[Literal["thread", "signal", "finalizer", "exit", "main", "caller", "loop"], ...] = ()
    harmless_with: str = ""
    unless_given: tuple[str, ...] = ()
    answers: bool = False
    undone_by: str = ""
    asked_by: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()
    doubt: str = ""


class ProbeRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to see an operation fail: Python that does it to an object made for the purpose, called `it`.

    `make` is an expression that makes it on the loop, `before` a statement that prepares it, `wait` what a task awaits,
    and `act` the operation, after which that goes on. `loop` is the running loop.
    """

    make: str
    wait: str
    act: str
    before: str = ""


class WaitRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that is awaited, and on the object's own loop only. The methods `__await__`, `__aenter__` and
    `__anext__` stand for `await`, `async with` and `async for` with the object itself.

    `seldom` says that it hardly ever waits (`put` into a queue): the task that does it does not show whose loop the
    object belongs to. `mutual` says that all who use the object do this (a lock): that two do does not show that they
    use the same one.
    """

    seldom: bool = False
    mutual: bool = False


class LoopRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A method that runs its loop on the calling thread (`run_forever`), or a function that makes and runs one.

    With `application`, the loop runs an application of the library, whose handlers no argument names.
    """

    application: bool = False


class TestRow(Row, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function whose result tells threads or loops apart (`threading.get_ident`, `asyncio.get_running_loop`).

    `running` says whether a loop runs, `closed` whether it never will again, `alive` whether a thread does; what is
    `ended` returns when a thread is over.
    """

    tells: Literal["thread", "loop", "running", "closed", "alive", "ended"]


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One library. It applies where the project imports one of `imports` (always where that is empty)."""

    library: str
    version: str
    imports: tuple[str, ...] = ()
    classes: tuple[ClassRow, ...] = ()
    results: tuple[ResultRow, ...] = ()
    runs: tuple[RunsRow, ...] = ()
    decorators: tuple[DecoratorRow, ...] = ()
    overrides: tuple[OverrideRow, ...] = ()
    assigns: tuple[AssignRow, ...] = ()
    entries: tuple[EntryRow, ...] = ()
    operations: tuple[OperationRow, ...] = ()
    probes: tuple[ProbeRow, ...] = ()
    waits: tuple[WaitRow, ...] = ()
    loops: tuple[LoopRow, ...] = ()
    tests: tuple[TestRow, ...] = ()
