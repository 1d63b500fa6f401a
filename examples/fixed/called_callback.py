"""The right way over, with one pair of parentheses too many: the thread does the put and passes None."""

import asyncio
import faulthandler
import threading
import time


class Piano:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self.keys = asyncio.Queue()

    def play(self):
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for key in "CEG":
            time.sleep(0.1)  # the pianist takes her time
            self._loop.call_soon_threadsafe(self.keys.put_nowait, key)


async def main():
    piano = Piano()
    piano.play()
    for _ in range(3):
        print("key", await piano.keys.get())


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
