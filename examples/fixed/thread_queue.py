"""A Thread subclass polls a sensor and puts what it reads into an asyncio.Queue."""

import asyncio
import faulthandler
import threading
import time


class Sensor(threading.Thread):
    def __init__(self, loop: asyncio.AbstractEventLoop, readings: asyncio.Queue) -> None:
        super().__init__(daemon=True)
        self._loop = loop
        self._readings = readings

    def run(self) -> None:
        for reading in (20.5, 20.7, 21.0):
            time.sleep(0.1)  # the sensor is slow
            self._publish(reading)

    def _publish(self, reading: float) -> None:
        self._loop.call_soon_threadsafe(self._readings.put_nowait, reading)


async def main():
    readings = asyncio.Queue()
    Sensor(asyncio.get_running_loop(), readings).start()
    for _ in range(3):
        print("reading", await readings.get())


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
