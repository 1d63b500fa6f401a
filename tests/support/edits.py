"""Random edits of Python files that leave their findings what they are, and some that add one."""

from __future__ import annotations

import ast
import random
from pathlib import Path

NEW = """

import asyncio as asyncio_{n}
import threading as threading_{n}


class New{n}(threading_{n}.Thread):
    def __init__(self, queue: asyncio_{n}.Queue[int]) -> None:
        super().__init__()
        self.queue = queue

    def run(self) -> None:
        self.queue.put_nowait({n})


async def start_{n}() -> None:
    queue: asyncio_{n}.Queue[int] = asyncio_{n}.Queue()
    New{n}(queue).start()
    await queue.get()
"""


def edit(file: Path, chance: random.Random, number: int) -> bool:
    """Edit a file somewhere; whether that has added a finding, in `NewN.run`."""
    text = file.read_bytes().decode("utf-8")
    kind = chance.choice(["comment", "comment", "statement", "blank", "function", "ends", "finding"])
    if kind == "finding":
        end = "\r\n" if "\r\n" in text else "\n"
        file.write_bytes((text.rstrip() + end + NEW.format(n=number).replace("\n", end)).encode())
        return True
    if kind == "ends":
        text = text.replace("\r\n", "\n") if "\r\n" in text else text.replace("\n", "\r\n")
    else:
        text = _inserted(text, kind, chance, number)
    file.write_bytes(text.encode("utf-8"))
    return False


def _inserted(text: str, kind: str, chance: random.Random, number: int) -> str:
    """The text with a row more before some statement."""
    lines = text.splitlines(keepends=True)
    tree = ast.parse(text)
    bodies = (
        [tree]
        if kind == "function"
        else [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)]
    )
    body = chance.choice(bodies).body
    places = [s for s in body[1:] if not getattr(s, "decorator_list", [])]
    # After the beginning, where a docstring and imports from __future__ stand.
    places = [s for s in places if not isinstance(s, ast.ImportFrom)]
    if not places:
        return text
    at = chance.choice(places)
    indent = " " * at.col_offset
    if lines[at.lineno - 1][: at.col_offset].strip():
        return text
    new = {
        "comment": f"{indent}# an edit, number {number}\n",
        "statement": f"{indent}edited_{number} = {number}\n",
        "blank": "\n",
        "function": f"def edited_{number}() -> int:\n    return {number}\n\n\n",
    }[kind]
    end = "\r\n" if "\r\n" in text else "\n"
    return "".join([*lines[: at.lineno - 1], new.replace("\n", end), *lines[at.lineno - 1 :]])
