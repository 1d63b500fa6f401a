"""Damage real Python files, analyse them by the hundred, and compare what runs that must not differ say.

usage: python -m tests.hostile.fuzz COUNT SEED FOLDER...       (files of these folders, damaged)
       python -m tests.hostile.fuzz --whole FOLDER...          (these folders as they are)
"""

from __future__ import annotations

import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.hostile.projects import VICTIM
from tests.support.command_line import environment

_BATCH = 100
_LARGEST = 60_000
_CPU_SECONDS = 900
_TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
# One batch in so many is also run in all the ways that must not differ.
_COMPARED = 10

_ARGUMENTS = ("check", "--no-cache", "--output-format", "json")
_PLAIN = "import sys; del sys.path[0]; from loopsafe.__main__ import main; main()"
_SEVERAL = _PLAIN.replace(
    "from loopsafe.__main__",
    "from loopsafe.reading import helpers; helpers._WORTHWHILE = 100_000; helpers.cores = lambda: 3; "
    "from loopsafe.__main__",
)
_BACKWARDS = """\
import sys; del sys.path[0]
import contextlib, os
scan = os.scandir
@contextlib.contextmanager
def backwards(path):
    with scan(path) as entries:
        yield sorted(entries, key=lambda entry: entry.name, reverse=True)
os.scandir = lambda path: backwards(path)
from loopsafe.__main__ import main
main()
"""
WAYS = {
    "hash seed 0": (_PLAIN, "0"),
    "hash seed 1": (_PLAIN, "1"),
    "hash seed 2": (_PLAIN, "2"),
    "files backwards": (_BACKWARDS, "3"),
    "several processes": (_SEVERAL, "4"),
}

Damage = Callable[[random.Random, bytes, bytes], bytes]


def _flip(chance: random.Random, content: bytes, _other: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 20)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)


def _truncate(chance: random.Random, content: bytes, _other: bytes) -> bytes:
    return content[: chance.randrange(len(content))]


def _splice(chance: random.Random, content: bytes, other: bytes) -> bytes:
    rows, more = content.splitlines(keepends=True), other.splitlines(keepends=True)
    start, at = chance.randrange(len(more) + 1), chance.randrange(len(rows) + 1)
    return b"".join([*rows[:at], *more[start : start + chance.randint(1, 50)], *rows[at + chance.randint(0, 20) :]])


def _swap(chance: random.Random, content: bytes, _other: bytes) -> bytes:
    tokens = _TOKEN.findall(content)
    for _ in range(chance.randint(1, 10)):
        one, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]
    return b"".join(tokens)


def _repeat(chance: random.Random, content: bytes, _other: bytes) -> bytes:
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randint(1, 200)]
    return content[:start] + piece * chance.randint(2, 300) + content[start:]


def _rename(chance: random.Random, content: bytes, _other: bytes) -> bytes:
    """All uses of one name become another: what was unrelated is so no more."""
    names = sorted(set(re.findall(rb"\b[a-zA-Z_]\w+", content)))
    if len(names) < 2:
        return content
    old, new = chance.sample(names, 2)
    return re.sub(rb"\b" + old + rb"\b", new, content)


DAMAGES: tuple[Damage, ...] = (_flip, _truncate, _splice, _swap, _repeat, _rename)


def damaged_files(folders: Sequence[Path], count: int, seed: int) -> Iterator[bytes]:
    """So many of them, always the same for the same seed and folders."""
    chance = random.Random(seed)
    paths = sorted(path for folder in folders for path in folder.rglob("*.py") if 0 < path.stat().st_size <= _LARGEST)
    for _ in range(count):
        content, other = (chance.choice(paths).read_bytes() for _ in range(2))
        for damage in chance.sample(DAMAGES, chance.randint(1, 2)):
            content = damage(chance, content or b"x", other)
        yield content


def run(program: str, seed: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and errors of a run in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", program, *_ARGUMENTS, folder.name],
        # Python itself looks for modules in the working directory before the program's first line.
        cwd=folder.parent,
        env=environment(PYTHONHASHSEED=seed),
        capture_output=True,
        timeout=3 * _CPU_SECONDS,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS)),
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def faults(folder: Path, compare: bool, wanted: str = "") -> list[str]:
    """What is wrong with what is said of a folder: in one way, or in all, which must say the same."""
    ways = WAYS if compare else {"hash seed 0": WAYS["hash seed 0"]}
    outcomes = {name: run(program, seed, folder) for name, (program, seed) in ways.items()}
    first = next(iter(outcomes.values()))
    found = [f"{name}: not the same" for name, outcome in outcomes.items() if outcome != first]
    code, output, errors = first
    if code not in (0, 1) or "Traceback" in errors:
        found.append(f"ended with {code}: {errors[-500:]}")
    if wanted not in output:
        found.append("the victim's bug is not reported")
    return found


def _batches(count: int, seed: int, folders: Sequence[Path]) -> Iterator[Path]:
    """Folders with a victim and damaged files, each deleted before the next is made."""
    files = damaged_files(folders, count, seed)
    for _ in range(0, count, _BATCH):
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        (folder / "pyproject.toml").write_text("[tool.loopsafe]\n", "utf-8")
        (folder / "victim.py").write_text(VICTIM, "utf-8")
        for number, content in zip(range(_BATCH), files):  # noqa: B905
            (folder / f"f{number}.py").write_bytes(content)
        yield folder
        if folder.exists():
            shutil.rmtree(folder)


def fuzz(count: int, seed: int, folders: Sequence[Path], compared: int = _COMPARED) -> int:
    """Analyse so many damaged files; how many batches went wrong. Those are kept, and named."""
    wrong = 0
    for number, folder in enumerate(_batches(count, seed, folders)):
        found = faults(folder, compare=number % compared == 0, wanted='/victim.py"')
        if found:
            wrong += 1
            kept = folder.rename(folder.with_name(f"{folder.name}-kept"))
            print(f"{kept}:", *found, sep="\n    ", flush=True)
        if number % 10 == 9:
            print(f"{(number + 1) * _BATCH} files, {wrong} batches wrong", flush=True)
    return wrong


def main(arguments: Sequence[str]) -> int:
    """Do what is asked and return 1 if anything is wrong."""
    if arguments[:1] == ["--whole"]:
        found = {folder: faults(Path(folder), compare=True) for folder in arguments[1:]}
        for folder, wrong in found.items():
            print(f"{folder}: {'; '.join(wrong) or 'no fault'}", flush=True)
        return int(any(found.values()))
    count, seed, *folders = arguments
    wrong = fuzz(int(count), int(seed), [Path(folder) for folder in folders])
    print(f"{count} files, {wrong} batches wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main(sys.argv[1:]))
