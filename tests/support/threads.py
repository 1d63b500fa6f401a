"""A bug over two files: one starts the thread, the other has the queue that the thread must not touch."""

from __future__ import annotations

from pathlib import Path

SENSOR = """\
import asyncio


class Sensor:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue()

    def publish(self, reading):
        self.queue.put_nowait(reading)
"""
FIXED_SENSOR = SENSOR.replace(
    "self.queue.put_nowait(reading)", "self.loop.call_soon_threadsafe(self.queue.put_nowait, reading)"
)
START = """\
import threading

from sensor import Sensor


async def main():
    sensor = Sensor()
    threading.Thread(target=sensor.publish, args=(1,)).start()
"""
OFFENDING, STARTING = "sensor.py:10:9", "start.py:8:5"


def write_bug(folder: Path, configuration: str | None = "") -> Path:
    """Write the two files into a folder; None leaves it without a mark of a project."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sensor.py").write_text(SENSOR)
    (folder / "start.py").write_text(START)
    if configuration is not None:
        (folder / "pyproject.toml").write_text(configuration)
    return folder
