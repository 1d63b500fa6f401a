"""A thread calls asyncio.create_task, but no event loop runs on it."""

import asyncio
import faulthandler
import threading
import time


async def main():
    loop = asyncio.get_running_loop()
    saved = asyncio.Event()

    async def save(key):
        print("saved", key)
        saved.set()

    def watch_keyboard():
        time.sleep(0.1)  # somebody types
        loop.call_soon_threadsafe(asyncio.create_task, save("q"))

    threading.Thread(target=watch_keyboard, daemon=True).start()
    await saved.wait()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
