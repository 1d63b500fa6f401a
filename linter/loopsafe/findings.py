"""What the analysis says: findings with their witness, and the plan of a fix. Frozen, sortable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loopsafe.locations import Location, Span

Confidence = Literal["certain", "likely"]
Applicability = Literal["safe", "unsafe", "declined"]
Level = Literal["warning", "error"]
Action = Literal[
    "pass",
    "task",
    "rename",
    "uncall",
    "coroutine",
    "wait",
    "bridge",
    "bind",
    "cocall",
    "capture",
    "assert",
    "leave",
    "pulse",
    "unless",
    "comment",
]
StepKind = Literal["starts", "calls", "loop", "reaches"]


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """One hop of a witness: how control got here, the place, its source text on one line, and what it is in.

    The place of a function or class is its first row. `function` is the dotted name of the function or class around it,
    empty in a module's own code.
    """

    kind: StepKind
    location: Location
    source: str
    function: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Rewrite:
    """One change, of one call expression named by its span unless it is said otherwise.

    `action` says what to do with the call `f(a, k=v)`:

    - `pass`: hand the operation over instead of doing it: `text(f, a)`; keywords go through `functools.partial`.
    - `task`: hand `create_task` of the loop that `text` crosses to over, with the arguments of the call.
    - `rename`: replace the last attribute of `f` by `text`, or the whole name where `f` is a plain name.
    - `uncall`: the call's first callable argument is itself a call; pass it instead: `f(g(x))` becomes `f(g, x)`.
    - `coroutine`: `f(coro)` becomes `asyncio.run_coroutine_threadsafe(coro, text)`.
    - `wait`: the same, and `.result()` of it.
    - `bridge`: `f(a)` becomes `asyncio.wrap_future(asyncio.run_coroutine_threadsafe(f(a), text))`, to be awaited.
    - `cocall`: `text.g(f, a)` becomes `asyncio.run_coroutine_threadsafe(f(a), text)`.
    - `bind`: an argument `a.f` becomes `functools.partial(b.g, a.f)`, where `text` is `b.g(a.f)`.

    Five actions are about more than the call, or about two:

    - `capture`: the span is that of a function, whose body begins with `text = asyncio.get_running_loop()` then.
    - `assert`: the statement with the call comes after `assert text is not None` then.
    - `leave`: `return f(a)` becomes `f(a)`, and a `return` after it where more of the function follows.
    - `pulse`: the span holds two statements, `a.set()` and `a.clear()`, which become one callback handed to `text`.
    - `unless`: `if not a.done(): a.f(b)` becomes one callback handed to `text`, which asks when it is run; so does
      `try: a.f(b)` with an `except` clause, where `question` is what tells beforehand that it would fail.

    And one is about none:

    - `comment`: the span, which has a comment and at most space around it, becomes `text`.
    """

    span: Span
    action: Action
    text: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True, order=True)
class FixPlan:
    """What to change and how sure it is. Rewrites are in one file and are applied all together or not at all.

    `reason` says why the plan is unsafe or declined; it is empty for a safe one. A declined plan has no rewrites.
    `imports` names modules that must be imported at the top for the new text (`asyncio`, `functools`).
    """

    applicability: Applicability
    reason: str = ""
    rewrites: tuple[Rewrite, ...] = ()
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A loop-bound operation reached where its loop does not run. Sorts by place, then code.

    `context` names where the code runs: `thread`, `signal`, `finalizer` or `loop`; it is empty where none runs.
    `witness` starts where that context begins and ends at the finding itself. It is never empty. `api` is the library's
    name of what is done there; empty where it is the project's own.
    """

    location: Location
    code: str
    name: str
    message: str
    confidence: Confidence
    context: str
    witness: tuple[Step, ...]
    fix: FixPlan | None = None
    api: str = ""

    @property
    def function(self) -> str:
        """The dotted name of the function or class around it, empty in a module's own code."""
        return self.witness[-1].function

    @property
    def paths(self) -> tuple[str, ...]:
        """The files on its path, its own first."""
        own = self.location.path
        return (own, *dict.fromkeys(p for step in self.witness if (p := step.location.path) != own))

    @property
    def message_in_file(self) -> str:
        """The message for readers that look at the file itself, to whom `Location.in_file` does not tell the cell."""
        return f"{self.location.told}: {self.message}" if self.location.cell else self.message

    def place_in(self, path: str) -> Location:
        """Where a file on its path is told of it: at the offending line, else at the hop that is nearest to that."""
        if path == self.location.path:
            return self.location
        return next(step.location for step in reversed(self.witness) if step.location.path == path)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A file that could not be analysed, and why. Row and column are 0 where no place is known.

    It is an error where somebody asked for this very file.
    """

    path: str
    row: int
    column: int
    message: str
    level: Level = "error"

    @property
    def place(self) -> str:
        """The path, with row and column where they are known."""
        return f"{self.path}:{self.row}:{self.column}" if self.row else self.path

    def __str__(self) -> str:
        return f"{self.place}: {'warning: ' if self.level == 'warning' else ''}{self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one analysis: findings in order, files that could not be read, and how many files were.

    `warnings` are remarks that cannot be used; they change no exit code. `named` are the files that were asked for: one
    of them is on the path of each finding. Of so many of the problems as are `partial`, a project was too entangled to
    be followed to the end. `missing` are libraries that projects import and that are not where loopsafe runs, if that
    is all that is known of where they are installed.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    files: int
    warnings: tuple[Problem, ...] = ()
    named: tuple[str, ...] = ()
    partial: int = 0
    missing: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether something could not be analysed that should have been."""
        return any(problem.level == "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Whole:
    """All that there is to say of one project, for whoever asks for a part of it.

    `muted` are the places, as path, row and code, at which a `# noqa` silences a finding that is told of there.
    `beside` are the paths of the installed files that were read or searched. A `partial` one was not followed to the
    end. `missing` is as in a report.
    """

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    muted: tuple[tuple[str, int, str], ...] = ()
    beside: tuple[str, ...] = ()
    partial: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put `content` in the place of the text of `span`. An empty span inserts; empty content deletes."""

    span: Span
    content: str
