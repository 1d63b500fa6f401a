"""What can be done to a call, by the name a `findings.Rewrite` gives it. One module an action."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from loopsafe.fixes.actions.bind import bind
from loopsafe.fixes.actions.coroutine import bridge, call_and_run, run_threadsafe, wait_threadsafe
from loopsafe.fixes.actions.passing import pass_on, pass_task
from loopsafe.fixes.actions.rename import rename
from loopsafe.fixes.actions.uncall import uncall
from loopsafe.fixes.calls import CallSite
from loopsafe.fixes.names import Speller
from loopsafe.fixes.text import Change

# (the call, the rewrite's text as it is spelled in this file, spelling of further names) -> changes to the file.
# An action raises CannotFix where it would have to guess.
Action = Callable[[CallSite, str, Speller], list[Change]]

ACTIONS: Mapping[str, Action] = {
    "pass": pass_on,
    "task": pass_task,
    "rename": rename,
    "uncall": uncall,
    "coroutine": run_threadsafe,
    "wait": wait_threadsafe,
    "bridge": bridge,
    "bind": bind,
    "cocall": call_and_run,
}
