"""A closure on the default executor reads a slow source and feeds an asyncio.Queue."""

import asyncio
import faulthandler
import time


async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read():
        for line in ("first", "second", "third"):
            time.sleep(0.1)  # a slow disk
            lines.put_nowait(line)
        lines.put_nowait(None)

    loop.run_in_executor(None, read)
    while (line := await lines.get()) is not None:
        print("line", line)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
