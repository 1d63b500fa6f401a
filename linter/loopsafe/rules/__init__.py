"""The rules, one module each. `ALL_RULES` is the whole list, in order of code."""

from __future__ import annotations

from loopsafe.rules.base import Rule
from loopsafe.rules.call_instead_of_callback import CallInsteadOfCallback
from loopsafe.rules.off_loop_channel import OffLoopChannel
from loopsafe.rules.off_loop_future import OffLoopFuture
from loopsafe.rules.off_loop_loop_call import OffLoopLoopCall
from loopsafe.rules.off_loop_queue import OffLoopQueue
from loopsafe.rules.off_loop_sync_primitive import OffLoopSyncPrimitive
from loopsafe.rules.off_loop_task_creation import OffLoopTaskCreation
from loopsafe.rules.off_loop_transport import OffLoopTransport

ALL_RULES: tuple[Rule, ...] = (
    OffLoopChannel(),
    OffLoopQueue(),
    OffLoopSyncPrimitive(),
    OffLoopFuture(),
    OffLoopLoopCall(),
    OffLoopTransport(),
    OffLoopTaskCreation(),
    CallInsteadOfCallback(),
)
