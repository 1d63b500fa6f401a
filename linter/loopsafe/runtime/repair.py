"""For triage: does on the loop's thread what was about to be done here."""

from __future__ import annotations

import concurrent.futures
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from loopsafe.runtime.rows import Operation

PATIENCE = 1.0
"""How many seconds a thread waits for the result that it asked for."""


def hand_over(
    it: Any,
    operation: Operation,
    loop: Any,
    arguments: tuple[Sequence[object], Mapping[str, object]],
) -> Any:
    """Have the loop do it, and wait where its result is needed; of what is cancelled, say that it was.

    Raises:
        TimeoutError: the loop has not come to it in a second.
    """
    args, kwargs = arguments
    do = functools.partial(getattr(it, operation.method), *args, **kwargs)
    post: Callable[..., Any] = getattr(loop, "call_soon_threadsafe", None) or loop.entry_queue.run_sync_soon
    if not operation.answers:
        post(do)
        return operation.method == "cancel" or None
    answer: concurrent.futures.Future[Any] = concurrent.futures.Future()
    post(_answered, answer, do)
    return answer.result(PATIENCE)


def _answered(answer: concurrent.futures.Future[Any], do: Callable[[], Any]) -> None:
    try:
        answer.set_result(do())
    except Exception as error:
        answer.set_exception(error)
