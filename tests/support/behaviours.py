"""Random programs in which a thread does what belongs to a loop, and the loop's side looks at it in some way.

Each prints the same every time while its loop is awake (`tests/fixes/test_behaviour.py`): what a safe fix makes of it
must print the same.
"""

from __future__ import annotations

import random
from textwrap import indent

_HEAD = """import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor


class Desk:
    def __init__(self, loop):
        self.loop = loop
        self.letters = asyncio.Queue({size})
        self.bell = asyncio.Event()
        self.answer = loop.create_future()
        self.lock = threading.Lock()
        self.told = threading.Event()
        self.count = 0
        self.seen = []
        self.errors = 0
        self.over = False

    def post(self, letter):
        self.letters.put_nowait(letter)

    def ring(self):
        self.bell.set()

    @property
    def waiting(self):
        return self.letters.qsize()

    def work(self):
{work}

    async def read(self, many):
        found = []
        for _ in range(many):
            try:
                found.append(await asyncio.wait_for(self.letters.get(), 0.15))
            except asyncio.TimeoutError:
                found.append("nothing")
        return found

    async def open(self):
{opened}


async def main():
    desk = Desk(asyncio.get_running_loop())
    await desk.open()


asyncio.run(main())
"""

_DONE = ("self.letters.put_nowait({n})", "self.post({n})", "self.bell.set()", "self.ring()")
_BESIDE = (
    "time.sleep(0.01)", "self.count += 1", "self.seen.append({n})", "self.over = True", "self.told.set()",
    "total = {n} * 2", "if self.waiting > 3: time.sleep(0.02)", "value = self.count",
)  # fmt: skip
_AROUND = (
    "{0}", "{0}", "{0}", "for number in range(2):\n    {0}", "with self.lock:\n    {0}",
    "try:\n    {0}\nexcept asyncio.QueueFull:\n    self.errors += 1",
    "try:\n    {0}\nexcept Exception:\n    self.errors += 1",
    "try:\n    {0}\nfinally:\n    time.sleep(0.001)", "if self.count < 5:\n    {0}",
)  # fmt: skip
# Each starts the thread and says how to wait for its end without letting the loop run.
_STARTS = (
    ("thread = threading.Thread(target=self.work)\nthread.start()", "thread.join()"),
    ("thread = threading.Thread(target=self.work, daemon=True)\nthread.start()", "thread.join()"),
    ("thread = threading.Timer(0.01, self.work)\nthread.start()", "thread.join()"),
    ("pool = ThreadPoolExecutor(1)\njob = pool.submit(self.work)", "pool.shutdown()"),
    ("await asyncio.to_thread(self.work)", ""),
    ("await self.loop.run_in_executor(None, self.work)", ""),
)
_LOOKS = (
    "{join}", "{join}\nprint(self.letters.qsize())", "{join}\nprint(self.bell.is_set())", "{join}\nprint(self.waiting)",
    "await asyncio.sleep(0.08)", "time.sleep(0.08)\nprint(self.count, self.over, len(self.seen))",
    "self.post('own')\nself.letters.put_nowait('next')", "self.ring()\nself.bell.clear()\nprint(self.bell.is_set())",
    "print(await self.read(1))", "print(self.told.wait(0.1), self.errors)", "print(await self.read(2))",
)  # fmt: skip
_ENDS = (
    "print(await self.read(3))", "await asyncio.sleep(0.1)\nprint(self.errors)", "{join}\nprint(await self.read(2))",
)  # fmt: skip


def behaviour(chance: random.Random) -> str:
    """The text of one program."""
    work: list[str] = []
    for _ in range(chance.randint(1, 3)):
        statement = chance.choice(_AROUND).format(chance.choice(_DONE))
        before, after = (chance.sample(_BESIDE, chance.randint(0, 1)) for _ in range(2))
        work += [*before, statement, *after]
    start, join = chance.choice(_STARTS)
    looks = [chance.choice(_LOOKS) for _ in range(chance.randint(0, 2))]
    opened = "\n".join([start, *looks, chance.choice(_ENDS)]).format(join=join or "pass")
    numbered = "\n".join(work).replace("{n}", str(chance.randint(1, 9)))
    size = chance.choice(("", "", "", "2", "maxsize=0"))
    return _HEAD.format(size=size, work=indent(numbered, " " * 8), opened=indent(opened, " " * 8))
