"""Other processes that extract a part of the facts, where there is so much of them that starting processes pays."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import msgspec

from loopsafe.cache.store import decoded
from loopsafe.project.sources import LARGEST

# A process starts in a tenth of a second, in which 300 kB are extracted; with twice that, there is something to gain.
_WORTHWHILE = 1_000_000
_MOST = 8
# Not `-m`: nothing may be imported from the working directory, which is the analysed code's. `sys` is built in.
# What the environment says of it is not heard there.
_MODE = ("-X", "utf8") if sys.flags.utf8_mode else ()
_PATH = "import sys; sys.path[:] = {path}; "
_START = "from loopsafe.reading.worker import main; main({parent})"


class Helpers:
    """Processes at work on shares of the files. Whatever goes wrong with one, its files are left to whoever asked."""

    def __init__(self, shares: Sequence[Sequence[str]], largest: int = LARGEST) -> None:
        self._running = [started for share in shares if (started := _start(share, largest)) is not None]

    def results(self) -> dict[bytes, bytes]:
        """Wait for them: packed facts by the digest of the content that they are of."""
        found: dict[bytes, bytes] = {}
        for process, output in self._running:
            if process.wait() == 0:
                output.seek(0)
                found.update(decoded(output.read(), dict[bytes, bytes]) or {})
        return found

    def end(self) -> None:
        """Stop those that still run."""
        for process, output in self._running:
            process.kill()
            process.wait()
            output.close()


@contextlib.contextmanager
def helped(shares: Sequence[Sequence[str]], largest: int = LARGEST) -> Iterator[Helpers]:
    """Helpers, for files of at most so many bytes, that are gone at the end, however it comes."""
    helpers = Helpers(shares, largest)
    try:
        yield helpers
    finally:
        helpers.end()


def shared_out(sizes: dict[str, int]) -> list[list[str]]:
    """Paths with the sizes of their files, split so that all are done at the same time; one's own share comes first."""
    parts = max(1, min(cores(), _MOST, sum(sizes.values()) // _WORTHWHILE))
    shares: list[list[str]] = [[] for _ in range(parts)]
    loads = [0] * parts
    for path in sorted(sizes, key=lambda path: (-sizes[path], path)):
        least = loads.index(min(loads))
        shares[least].append(path)
        loads[least] += sizes[path]
    return shares


def cores() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows or macOS
        return os.cpu_count() or 1


def command(code: str) -> list[str]:
    """The command by which this Python runs code of ours in another process, with the same modules."""
    path = [os.path.abspath(entry) for entry in sys.path if entry]
    # Where someone has put it there, the working directory comes last: nothing of ours is found in it by chance.
    path.sort(key=lambda entry: entry == os.getcwd())
    # Isolated: Python itself would look into the working directory before the first word of ours.
    return [sys.executable, "-I", *_MODE, "-c", _PATH.format(path=path) + code]


def _start(share: Sequence[str], largest: int) -> tuple[subprocess.Popen[bytes], IO[bytes]] | None:
    try:
        # A file, not a pipe: it need not wait until somebody reads.
        output = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # nowhere to write to
        return None
    try:
        process = subprocess.Popen(
            command(_START.format(parent=os.getpid())),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process, which ends them
        )
    except OSError:
        output.close()
        return None
    with contextlib.suppress(OSError), process.stdin or contextlib.nullcontext() as stdin:
        if stdin:
            stdin.write(msgspec.msgpack.encode((largest, list(map(os.fsencode, share)))))
    return process, output
