"""A thread reports its progress with loop.call_soon and loop.call_later."""

import asyncio
import faulthandler
import threading
import time


class Upload:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._finished = self._loop.create_future()
        threading.Thread(target=self._send, daemon=True).start()

    def _send(self):
        time.sleep(0.1)  # the network is slow
        self._loop.call_soon(self._show, "half")
        time.sleep(0.1)
        self._loop.call_later(0.1, self._finished.set_result, "all of it")

    def _show(self, part):
        print("uploaded", part)

    async def wait(self):
        self._show(await self._finished)


async def main():
    await Upload().wait()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
