"""LiveKit's bug in miniature: an audio decoder on an executor's thread sends frames through an async channel."""

import asyncio
import faulthandler
import logging
import time
from concurrent.futures import ThreadPoolExecutor


class ChanClosed(Exception):
    """The channel was closed and everything in it has been received."""


class Chan:
    """An async channel on top of asyncio.Queue; like the queue, it belongs to one event loop."""

    def __init__(self):
        self._queue = asyncio.Queue()

    def send_nowait(self, item):
        self._queue.put_nowait(item)

    def close(self):
        self._queue.put_nowait(None)

    async def recv(self):
        item = await self._queue.get()
        if item is None:
            raise ChanClosed
        return item


class AudioDecoder:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._output_ch = Chan()

    def push(self, data):
        self._loop.run_in_executor(self._executor, self._decode, data)

    def _decode(self, data):
        try:
            for start in range(0, len(data), 4):
                time.sleep(0.1)  # decoding blocks, which is why it has a thread
                self._output_ch.send_nowait(data[start : start + 4])
        except Exception:
            logging.exception("error decoding audio")
        finally:
            self._output_ch.close()

    async def frames(self):
        while True:
            try:
                yield await self._output_ch.recv()
            except ChanClosed:
                return


async def main():
    decoder = AudioDecoder()
    decoder.push(b"one.two.end.")
    async for frame in decoder.frames():
        print("frame", frame.decode())


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
