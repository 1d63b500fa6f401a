"""One process at a time, but nobody waits for ever: the work under a lock is only saved, never needed."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator

import msgspec

from loopsafe.cache.store import Store, decoded, digest

Tell = Callable[[str], object]

PATIENCE = "LOOPSAFE_LOCK_SECONDS"
"""How long to wait for another process, if not for a minute; for tests."""

# Not one for each name: lock files must not be deleted while in use, so there are only so many.
_LOCKS = 16
_QUIET_SECONDS = 1.0
_PATIENT_SECONDS = 60.0


class _Holder(msgspec.Struct):
    process: int
    since: int


@contextlib.contextmanager
def alone(store: Store, name: str, tell: Tell | None = None) -> Iterator[None]:
    """While no other process does work of this name, unless one does so for too long; `tell` hears what is waited for.

    The system gives a lock back when its process ends, however it does.
    """
    number = digest(name.encode())[0] % _LOCKS
    with contextlib.ExitStack() as stack:
        # NotImplementedError: by file systems that have no locks.
        with contextlib.suppress(OSError, NotImplementedError):
            if _wait(store, number, stack, tell or (lambda _: None)):
                holder = f"holder-{number}"
                store.write(holder, msgspec.msgpack.encode(_Holder(os.getpid(), int(time.time()))))
                # Before the lock is given back.
                stack.callback(store.delete, holder)
        yield


def _wait(store: Store, number: int, stack: contextlib.ExitStack, tell: Tell) -> bool:
    """Take the lock until the stack ends; whether it could be had in time."""
    # It takes long to load, and only those who have work to do need it.
    import filelock

    name = f"{number}.lock"
    with contextlib.suppress(FileNotFoundError):
        status = store.folder.status(name)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            return False
    lock = filelock.FileLock(os.path.join(store.folder.path, name), mode=0o600)
    whole = _patience()
    with contextlib.suppress(filelock.Timeout):
        stack.enter_context(lock.acquire(timeout=min(_QUIET_SECONDS, whole)))
        return True
    holder = _holder(store, number)
    tell(f"loopsafe: waiting for {holder}, which analyses this project")
    with contextlib.suppress(filelock.Timeout):
        stack.enter_context(lock.acquire(timeout=max(0.0, whole - _QUIET_SECONDS)))
        return True
    tell(f"loopsafe: going on without {holder}")
    return False


def _holder(store: Store, number: int) -> str:
    holder = decoded(store.read(f"holder-{number}"), _Holder)
    if holder is None:
        return "another process"
    return f"process {holder.process} (since {time.strftime('%H:%M:%S', time.localtime(holder.since))})"


def _patience() -> float:
    try:
        return min(max(0.0, float(os.environ.get(PATIENCE, ""))), _PATIENT_SECONDS)
    except ValueError:
        return _PATIENT_SECONDS
