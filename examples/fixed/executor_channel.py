"""LiveKit's bug in miniature: an audio decoder on an executor's thread sends frames through an async channel."""

import asyncio
import faulthandler
import logging
import time
from concurrent.futures import ThreadPoolExecutor


class Chan(asyncio.Queue):
    """An async channel: a queue to iterate over until None comes. Like the queue, it belongs to one event loop."""

    def __aiter__(self):
        return self

    async def __anext__(self):
        item = await self.get()
        if item is None:
            raise StopAsyncIteration
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
                self._loop.call_soon_threadsafe(self._output_ch.put_nowait, data[start : start + 4])
        except Exception:
            logging.exception("error decoding audio")
        finally:
            self._loop.call_soon_threadsafe(self._output_ch.put_nowait, None)

    def frames(self):
        return self._output_ch


async def main():
    decoder = AudioDecoder()
    decoder.push(b"one.two.end.")
    async for frame in decoder.frames():
        print("frame", frame.decode())


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
