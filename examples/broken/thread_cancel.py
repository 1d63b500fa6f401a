"""A thread that watches the budget cancels the download task when the budget is spent."""

import asyncio
import faulthandler
import threading
import time


class Download:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._fetch())
        threading.Thread(target=self._watch_budget, daemon=True).start()

    async def _fetch(self):
        await asyncio.sleep(3600)

    def _watch_budget(self):
        time.sleep(0.1)  # the budget lasts this long
        self._task.cancel()

    async def wait(self):
        await asyncio.wait([self._task])
        return self._task.cancelled()


async def main():
    print("cancelled:", await Download().wait())


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
