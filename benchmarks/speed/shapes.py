"""Programs of shapes that are slow for analyses whose cost grows faster than the text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

_HEAD = "import asyncio, threading\nqueue = asyncio.Queue()\n"
_START = "threading.Thread(target={}).start()\n"


def chain(folder: Path, count: int = 10_000) -> None:
    """Functions that call one another in a chain, the last of which does what is found."""
    calls = (f"def f{number}(item):\n    f{number + 1}(item)\n" for number in range(count))
    last = f"def f{count}(item):\n    queue.put_nowait(item)\n"
    (folder / "chain.py").write_text(_HEAD + "".join(calls) + last + _START.format("f0"), "utf-8")


def methods(folder: Path, count: int = 5_000) -> None:
    """A class with many methods, each of which calls the next and sets an attribute."""
    body = (
        f"    def m{number}(self, item):\n"
        f"        self.a{number} = item\n"
        f"        self.m{(number + 1) % count}(self.a0)\n"
        for number in range(count)
    )
    text = f"{_HEAD}class Large:\n{''.join(body)}large = Large()\n" + _START.format("large.m0")
    (folder / "methods.py").write_text(text, "utf-8")


def stars(folder: Path, count: int = 2_000) -> None:
    """Modules that each take all names of the next."""
    for number in range(count):
        text = f"from m{number + 1} import *\ndef f{number}():\n    f{number + 1}()\n"
        (folder / f"m{number}.py").write_text(text, "utf-8")
    last = f"{_HEAD}def f{count}():\n    queue.put_nowait(1)\n"
    (folder / f"m{count}.py").write_text(last, "utf-8")
    (folder / "main.py").write_text("import threading\nfrom m0 import *\n" + _START.format("f0"), "utf-8")


def fan(folder: Path, count: int = 2_000) -> None:
    """One module that takes all names of many."""
    for number in range(count):
        text = f"import asyncio\nq{number} = asyncio.Queue()\ndef f{number}():\n    q{number}.put_nowait(1)\n"
        (folder / f"m{number}.py").write_text(text, "utf-8")
    imports = "".join(f"from m{number} import *\n" for number in range(count))
    (folder / "main.py").write_text(f"import threading\n{imports}{_START.format('f0')}", "utf-8")


def inheritance(folder: Path, count: int = 2_000) -> None:
    """Classes that each inherit from the one before and extend its method."""
    classes = (
        f"class C{number + 1}(C{number}):\n    def put(self, item):\n        super().put(item)\n"
        for number in range(count)
    )
    first = "class C0:\n    def put(self, item):\n        queue.put_nowait(item)\n"
    text = _HEAD + first + "".join(classes) + f"last = C{count}()\n" + _START.format("last.put")
    (folder / "inheritance.py").write_text(text, "utf-8")


def dictionary(folder: Path, count: int = 50_000) -> None:
    """A dict literal with many entries, and a thread that calls what it looks up in it."""
    entries = "".join(f"    'key{number}': ['a', {number}, print],\n" for number in range(count))
    text = f"{_HEAD}table = {{\n{entries}}}\ndef work(key):\n    table[key][2](queue.put_nowait(1))\n"
    (folder / "dictionary.py").write_text(text + _START.format("work"), "utf-8")


SHAPES: dict[str, Callable[[Path], None]] = {
    "10,000 functions in a chain": chain,
    "a class with 5,000 methods": methods,
    "2,000 star imports in a chain": stars,
    "2,000 star imports in one module": fan,
    "2,000 classes deep": inheritance,
    "a dict literal of 50,000 entries": dictionary,
}
