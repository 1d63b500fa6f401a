"""A job under asyncio.to_thread gives its slot back through an asyncio.Semaphore."""

import asyncio
import faulthandler
import time


class Exporter:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(1)

    async def export(self, name):
        await self._slots.acquire()
        await asyncio.to_thread(self._write, name)

    def _write(self, name):
        time.sleep(0.1)  # a slow disk
        print("exported", name)
        self._slots.release()


async def main():
    exporter = Exporter()
    await asyncio.gather(exporter.export("one"), exporter.export("two"))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
