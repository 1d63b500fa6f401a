"""Projects for an editor to open."""

from __future__ import annotations

from pathlib import Path

import pytest

SENSOR = """\
import threading

from app.store import Store


class Sensor(threading.Thread):
    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def run(self) -> None:
        self._store.add(20.5)
"""
STORE = """\
import asyncio


class Store:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._readings: asyncio.Queue[float] = asyncio.Queue()

    def add(self, reading: float) -> None:
        self._readings.put_nowait(reading)

    async def next(self) -> float:
        return await self._readings.get()
"""
MAIN = """\
import asyncio

from app.sensor import Sensor
from app.store import Store


async def main() -> None:
    store = Store()
    Sensor(store).start()
    print(await store.next())


asyncio.run(main())
"""


def write_project(folder: Path, configuration: str = "") -> Path:
    """A program whose sensor, on a thread, puts readings into the queue of a store in another file."""
    package = folder / "app"
    package.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f"[tool.loopsafe]\n{configuration}")
    for name, text in {"__init__": "", "sensor": SENSOR, "store": STORE, "main": MAIN}.items():
        (package / f"{name}.py").write_text(text)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path.resolve() / "project")


@pytest.fixture
def store(project: Path) -> Path:
    return project / "app" / "store.py"


@pytest.fixture
def sensor(project: Path) -> Path:
    return project / "app" / "sensor.py"
