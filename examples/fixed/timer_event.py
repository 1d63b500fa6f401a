"""A threading.Timer tells a coroutine through an asyncio.Event that the time is up."""

import asyncio
import faulthandler
import threading


class Egg:
    def __init__(self, seconds):
        self._loop = asyncio.get_running_loop()
        self._timer = threading.Timer(seconds, self._ring)
        self.done = asyncio.Event()

    def boil(self):
        self._timer.start()

    def _ring(self):
        print("the timer rings")
        self._loop.call_soon_threadsafe(self.done.set)


async def main():
    egg = Egg(seconds=0.1)
    egg.boil()
    await egg.done.wait()
    print("the egg is done")


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
