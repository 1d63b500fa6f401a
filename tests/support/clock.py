"""A project that hands a callback to a library, `tickers`, which calls it on a thread of its own."""

CLOCK = """\
import asyncio

from tickers import Ticker


class Clock:
    def __init__(self) -> None:
        self._ticks: asyncio.Queue[int] = asyncio.Queue()

    async def run(self) -> None:
        Ticker(self._tick).start()
        await self._ticks.get()

    def _tick(self, number: int) -> None:
        self._ticks.put_nowait(number)
"""
