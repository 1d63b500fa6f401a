"""The rules, one module each. `ALL_RULES` is the whole list, in order of code."""

from __future__ import annotations

from loopsafe.rules.await_on_foreign_loop import AwaitOnForeignLoop
from loopsafe.rules.base import Rule
from loopsafe.rules.blocking_wait_on_loop import BlockingWaitOnLoop
from loopsafe.rules.call_instead_of_callback import CallInsteadOfCallback
from loopsafe.rules.coroutine_function_as_callback import CoroutineFunctionAsCallback
from loopsafe.rules.dead_loop import DeadLoop
from loopsafe.rules.loop_looked_up_off_loop import LoopLookedUpOffLoop
from loopsafe.rules.nested_run import NestedRun
from loopsafe.rules.off_loop_channel import OffLoopChannel
from loopsafe.rules.off_loop_framework_api import OffLoopFrameworkApi
from loopsafe.rules.off_loop_future import OffLoopFuture
from loopsafe.rules.off_loop_loop_call import OffLoopLoopCall
from loopsafe.rules.off_loop_project_api import OffLoopProjectApi
from loopsafe.rules.off_loop_queue import OffLoopQueue
from loopsafe.rules.off_loop_sync_primitive import OffLoopSyncPrimitive
from loopsafe.rules.off_loop_task_creation import OffLoopTaskCreation
from loopsafe.rules.off_loop_transport import OffLoopTransport
from loopsafe.rules.unused_noqa import UnusedNoqa
from loopsafe.rules.wake_up_without_handover import WakeUpWithoutHandover

ALL_RULES: tuple[Rule, ...] = (
    UnusedNoqa(),
    OffLoopChannel(),
    OffLoopQueue(),
    OffLoopSyncPrimitive(),
    OffLoopFuture(),
    OffLoopLoopCall(),
    OffLoopTransport(),
    OffLoopTaskCreation(),
    OffLoopProjectApi(),
    OffLoopFrameworkApi(),
    CallInsteadOfCallback(),
    CoroutineFunctionAsCallback(),
    LoopLookedUpOffLoop(),
    AwaitOnForeignLoop(),
    BlockingWaitOnLoop(),
    WakeUpWithoutHandover(),
    NestedRun(),
    DeadLoop(),
)
