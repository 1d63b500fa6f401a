"""What an operation raises where the object refuses it, and what is asked instead where it is handed over."""

from __future__ import annotations

from loopsafe.contexts.places.flow import Reached
from loopsafe.contexts.remedies.afterwards import SAYS
from loopsafe.contexts.spread.exclusion import caught_alone, is_under_handler
from loopsafe.facts.schema import Call, Const
from loopsafe.facts.spelling import is_exact
from loopsafe.program.index import last_name


def question_for(reached: Reached) -> str:
    """The question that can take the place of the `try` around an operation, `full` for `except QueueFull`.

    Empty where there is none, or where more is done about the failure than a line in a log.
    """
    scope = reached.state.frame.scope
    handler = caught_alone(scope, reached.call) if reached.row.refused else None
    if handler is None:
        return ""
    names = scope.handlers[handler].exceptions
    known = {refusal.raises: refusal.asked for refusal in reached.row.refused}
    questions = {known.get(name.rpartition(".")[2], "") for name in names}
    said = [call for call in scope.calls if is_under_handler(scope, call.guard, handler)]
    return questions.pop() if len(questions) == 1 and all(map(_only_logs, said)) else ""


def _only_logs(call: Call) -> bool:
    given = (*call.args, *(value for _, value in call.keywords))
    return last_name(call.func) in SAYS and all(isinstance(arg, Const) or is_exact(arg) for arg in given)
