"""A thread closes a connection when it has been idle for too long."""

import asyncio
import faulthandler
import threading
import time


class Connection:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        time.sleep(0.1)  # the longest idle time allowed
        self._loop.call_soon_threadsafe(self._writer.close)


async def main():
    hung_up = asyncio.Event()

    async def serve(reader, writer):
        await reader.read()
        print("the client hung up")
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(serve, "localhost")
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    Connection(writer)
    await hung_up.wait()
    server.close()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
