"""What is watched: the operations of libraries that belong to a loop, as data.

The codes are those of the static rules. How an object's loop is known is the row's `owner`:

- `waits`: the loop on which somebody waits for it; until somebody does, the one that ran where it was made.
- `_loop`: the loop that it holds.
- `self`: it is the loop.
- `none`: the loop of this thread, of which there must be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Owner = Literal["waits", "_loop", "self", "none"]
Side = Literal["asyncio", "trio", "any"]

NAMES = {
    "LSF101": "off-loop-channel",
    "LSF102": "off-loop-queue",
    "LSF103": "off-loop-sync-primitive",
    "LSF104": "off-loop-future",
    "LSF105": "off-loop-loop-call",
    "LSF106": "off-loop-transport",
    "LSF107": "off-loop-task-creation",
    "LSF108": "off-loop-project-api",
    "LSF109": "off-loop-framework-api",
    "LSF204": "await-on-foreign-loop",
    "LSF205": "blocking-wait-on-loop",
}
"""The rules that the guard can see broken."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A class, and what of it is watched.

    Attributes:
        place: where it is found, `module:Class`, or `module:` for functions of a module.
        api: what it is called in messages.
        code: the rule that an operation breaks.
        operations: methods that change it at once.
        waits: coroutine methods that wait for it.
        owner: how its loop is known.
        holder: the attribute that holds what is told of its loop, where several objects share it.
        side: what runs it.
        answers: operations whose result their caller needs.
        wraps: whether its functions are known by their code, so that they must be wrapped and left as they are.
    """

    place: str
    api: str
    code: str
    operations: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    owner: Owner = "waits"
    holder: str = ""
    side: Side = "asyncio"
    answers: tuple[str, ...] = ()
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method that is watched: what to call it, what it breaks, and how its object's loop is known."""

    code: str
    api: str
    method: str
    owner: Owner
    holder: str
    side: Side
    waits: bool = False
    answers: bool = False


LOOP = ("call_soon", "call_later", "call_at", "create_task", "stop", "run_until_complete", "call_exception_handler")
FILES = ("add_reader", "add_writer", "remove_reader", "remove_writer")
SIGNALS = ("add_signal_handler", "remove_signal_handler")
GIVING = ("call_soon", "call_later", "call_at", "create_task")
TRANSPORT = (
    "close", "abort", "write", "writelines", "write_eof", "pause_reading", "resume_reading", "sendto",
)  # fmt: skip
FUTURE = ("set_result", "set_exception", "cancel", "add_done_callback", "remove_done_callback")

ASYNCIO = (
    Watched(
        "asyncio.queues:Queue", "asyncio.Queue", "LSF102", ("put_nowait", "get_nowait", "task_done", "shutdown"),
        ("get", "put", "join"), answers=("get_nowait",),
    ),
    Watched("asyncio.locks:Event", "asyncio.Event", "LSF103", ("set", "clear"), ("wait",)),
    Watched("asyncio.locks:Lock", "asyncio.Lock", "LSF103", ("release",), ("acquire",)),
    Watched("asyncio.locks:Semaphore", "asyncio.Semaphore", "LSF103", ("release",), ("acquire",)),
    Watched("asyncio.locks:Condition", "asyncio.Condition", "LSF103", ("notify", "notify_all"), ("wait",)),
    Watched("asyncio.locks:Barrier", "asyncio.Barrier", "LSF103", (), ("wait",)),
    Watched("asyncio.events:Handle", "asyncio.Handle", "LSF104", ("cancel",), owner="_loop"),
    Watched("asyncio.events:TimerHandle", "asyncio.TimerHandle", "LSF104", ("cancel",), owner="_loop"),
    Watched("asyncio.futures:_PyFuture", "asyncio.Future", "LSF104", FUTURE, owner="_loop"),
    Watched("asyncio.tasks:_PyTask", "asyncio.Task", "LSF104", ("cancel",), owner="_loop"),
    Watched("asyncio.base_events:BaseEventLoop", "loop", "LSF105", LOOP, owner="self", answers=GIVING),
    Watched("asyncio.selector_events:BaseSelectorEventLoop", "loop", "LSF105", FILES, owner="self"),
    Watched("asyncio.unix_events:_UnixSelectorEventLoop", "loop", "LSF105", SIGNALS, owner="self"),
    Watched(
        "asyncio.streams:StreamWriter", "asyncio.StreamWriter", "LSF106",
        ("write", "writelines", "write_eof", "close"), ("drain", "wait_closed", "start_tls"), owner="_loop",
    ),
    Watched(
        "asyncio.streams:StreamReader", "asyncio.StreamReader", "LSF106", ("feed_data", "feed_eof", "set_exception"),
        ("read", "readline", "readexactly", "readuntil"), owner="_loop",
    ),
    Watched(
        "asyncio.base_events:Server", "asyncio.Server", "LSF106", ("close", "close_clients", "abort_clients"),
        ("wait_closed", "serve_forever", "start_serving"), owner="_loop",
    ),
    Watched(
        "asyncio.taskgroups:TaskGroup", "asyncio.TaskGroup", "LSF107", ("create_task",), owner="_loop",
        answers=("create_task",),
    ),
    Watched("asyncio.tasks:", "asyncio", "LSF107", ("create_task", "ensure_future", "gather"), owner="none"),
)  # fmt: skip

_SEND, _RECEIVE = "MemoryObjectSendStream", "MemoryObjectReceiveStream"
LIBRARIES = (
    Watched(
        f"anyio.streams.memory:{_SEND}", f"anyio.{_SEND}", "LSF101", ("send_nowait", "close"), ("send",),
        holder="_state", side="any",
    ),
    Watched(
        f"anyio.streams.memory:{_RECEIVE}", f"anyio.{_RECEIVE}", "LSF101", ("receive_nowait", "close"), ("receive",),
        holder="_state", side="any", answers=("receive_nowait",),
    ),
    Watched(
        "trio._channel:MemorySendChannel", "trio.MemorySendChannel", "LSF101", ("send_nowait", "close"), ("send",),
        side="trio", wraps=True,
    ),
    Watched(
        "trio._channel:MemoryReceiveChannel", "trio.MemoryReceiveChannel", "LSF101", ("receive_nowait", "close"),
        ("receive",), side="trio", answers=("receive_nowait",), wraps=True,
    ),
    Watched("anyio._backends._asyncio:CancelScope", "anyio.CancelScope", "LSF104", ("cancel",), side="any"),
    Watched("trio._core._run:CancelScope", "trio.CancelScope", "LSF104", ("cancel",), side="trio", wraps=True),
    Watched("trio._core._run:Nursery", "trio.Nursery", "LSF107", ("start_soon",), side="trio", wraps=True),
    Watched("trio._sync:Event", "trio.Event", "LSF103", ("set",), ("wait",), side="trio", wraps=True),
    Watched("trio._sync:Semaphore", "trio.Semaphore", "LSF103", ("release",), ("acquire",), side="trio", wraps=True),
    Watched(
        "livekit.agents.utils.aio.channel:Chan", "livekit.Chan", "LSF101", ("send_nowait", "recv_nowait", "close"),
        ("send", "recv"), answers=("recv_nowait",),
    ),
    Watched(
        "aiochan.channel:Chan", "aiochan.Chan", "LSF101", ("add", "close", "put_nowait", "get_nowait"),
        ("put", "get"), answers=("get_nowait",),
    ),
)  # fmt: skip
