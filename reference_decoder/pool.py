"""The threads all decoders share: at most as many as there are cores, started when first needed.

A decoder has a thread only while it decodes; one that waits for input or for its consumer has none. The executor's
threads are joined when the interpreter exits. No job blocks, so that is at once.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# In a list, so that a forked child can put its own in the place of its parent's.
_pools = [ThreadPoolExecutor(cores(), "reference_decoder")]


def shared_pool() -> ThreadPoolExecutor:
    """The pool of this process."""
    return _pools[-1]


def _after_fork() -> None:
    """A child process has none of its parent's threads, but an executor that thinks it has."""
    _pools[:] = [ThreadPoolExecutor(cores(), "reference_decoder")]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
