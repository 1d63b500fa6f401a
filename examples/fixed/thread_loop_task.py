"""A thread that receives messages starts a task for each with loop.create_task."""

import asyncio
import faulthandler
import threading
import time


class Mailbox:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._handled = asyncio.Event()

    async def listen(self):
        threading.Thread(target=self._receive, daemon=True).start()
        await self._handled.wait()

    def _receive(self):
        time.sleep(0.1)  # a blocking socket
        self._loop.call_soon_threadsafe(self._loop.create_task, self._handle("hello"))

    async def _handle(self, message):
        print("message", message)
        self._handled.set()


async def main():
    await Mailbox().listen()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
