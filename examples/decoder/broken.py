"""LiveKit's bug with real sound: a decoder on an executor's thread sends its frames through an asyncio queue itself."""

import asyncio
import faulthandler
import io
import logging
import queue
import wave
from concurrent.futures import ThreadPoolExecutor

import av


class AudioStreamDecoder:
    def __init__(self):
        self._input = queue.Queue()
        self._output = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._executor = ThreadPoolExecutor(max_workers=1)
        self._loop.run_in_executor(self._executor, self._decode)

    def push(self, chunk):
        self._input.put(chunk)

    def end_input(self):
        self._input.put(b"")

    def read(self, size):
        """What PyAV calls for more of the file: the thread waits here, for as long as the stream lives."""
        chunk = self._input.get()
        if not chunk:
            self.end_input()
        return chunk

    def _decode(self):
        try:
            container = av.open(self, mode="r", format="wav")
            for frame in container.decode(audio=0):
                self._output.put_nowait(frame.to_ndarray())
        except Exception:
            logging.exception("error decoding audio")
        finally:
            self._output.put_nowait(None)

    async def frames(self):
        while (samples := await self._output.get()) is not None:
            yield samples


def sound():
    """Half a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 8000, 0, "NONE", ""))
        wav.writeframes(bytes(8000))
    return file.getvalue()


async def main():
    decoder = AudioStreamDecoder()
    decoder.push(sound())
    decoder.end_input()
    count = 0
    async for samples in decoder.frames():
        count += samples.size
    print("decoded", count, "samples")


if __name__ == "__main__":
    faulthandler.dump_traceback_later(5, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
