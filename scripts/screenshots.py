"""Take pictures of the pages that loopsafe makes, light and dark, in a headless Chromium; exit 1 where one complains.

Pictures of 1, 10, 500 and 2,000 functions, of LiveKit's release with the bug, and of the examples go into a folder;
those of the documentation into docs/pictures. pip gets LiveKit. Run it in the environment that scripts/test.sh makes:
`.venv/bin/python scripts/screenshots.py FOLDER`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from browser import Page, open_page

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
EVERYTHING = "document.getElementById('only').click()"
FIT = "document.getElementById('fit').click()"
OPEN_SECOND = "document.querySelectorAll('details')[1].open = true"
OPEN_QUEUE = "[...document.querySelectorAll('details')].find(d => d.textContent.includes('_publish')).open = true"
SEARCH = "(s => { s.value = 'thread_queue'; s.dispatchEvent(new Event('input')) })(document.getElementById('search'))"
_LIVEKIT = "0.12.18"
# Ten functions with eight findings.
TEN = ("executor_channel", "executor_future", "executor_queue", "thread_call_soon", "thread_queue")


@dataclass(frozen=True)
class Shot:
    """A picture: of which page, opened where, after which script, how large."""

    name: str
    page: str
    fragment: str = ""
    script: str = ""
    size: tuple[int, int] = (1400, 860)


SHOTS = (
    Shot("one", "one", "#finding-1"),
    Shot("ten", "ten"),
    Shot("five-hundred", "five-hundred"),
    Shot("five-hundred-all", "five-hundred", script=EVERYTHING),
    Shot("two-thousand", "two-thousand"),
    Shot("two-thousand-all", "two-thousand", script=f"{EVERYTHING};{FIT}"),
    Shot("livekit", "livekit", "#finding-1"),
    Shot("livekit-all", "livekit-all", script=f"{EVERYTHING};{FIT}"),
    Shot("livekit-report", "livekit-report", script="document.getElementById('open').click()"),
    Shot("report", "report", script=OPEN_SECOND),
    Shot("narrow", "ten", size=(420, 860)),
)
KEPT = (
    (Shot("finding", "decoder", "#finding-1", size=(1280, 500)), False),
    (Shot("finding-dark", "decoder", "#finding-1", size=(1280, 500)), True),
    (Shot("findings", "ten", size=(1660, 760)), False),
    (Shot("report", "report", script=f"{OPEN_QUEUE};{SEARCH}", size=(1060, 900)), False),
)


def loopsafe(*arguments: str | Path, cwd: Path = ROOT) -> None:
    """Run it; 1 says that there are findings."""
    done = subprocess.run([sys.executable, "-m", "loopsafe", *map(str, arguments)], cwd=cwd, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"loopsafe {' '.join(map(str, arguments))}: exit code {done.returncode}")


def livekit(folder: Path) -> Path:
    """Fetch the release from the package index and unpack it."""
    download = ("pip", "download", "--quiet", "--no-deps", "--dest", folder, f"livekit-agents=={_LIVEKIT}")
    subprocess.run([sys.executable, "-m", *map(str, download)], check=True)
    (wheel,) = folder.glob("livekit_agents-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "livekit")
    return folder / "livekit"


def workers(folder: Path, number: int) -> Path:
    """A project of so many classes of eighteen methods, half of them on a thread; each tenth has the bug."""
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    for at in range(number):
        last = "self._queue.put_nowait(reading)" if at % 10 == 0 else "print(reading)"
        reads = "".join(
            f"    def _read_{n}(self, reading):\n        self._read_{n + 1}(reading)\n\n"
            f"    async def step_{n}(self):\n        await self.step_{n + 1}()\n\n"
            for n in range(7)
        )
        (folder / f"worker_{at}.py").write_text(
            "import asyncio\nimport threading\n\n\n"
            f"class Worker{at}:\n    def __init__(self):\n        self._queue = asyncio.Queue()\n\n"
            "    async def start(self):\n        threading.Thread(target=self._read_0, args=(1,)).start()\n"
            f"        await self.step_0()\n\n{reads}"
            f"    def _read_7(self, reading):\n        {last}\n\n"
            "    async def step_7(self):\n        await self._queue.get()\n"
        )
    names = [f"from worker_{at} import Worker{at}\n" for at in range(number)]
    starts = [f"    await Worker{at}().start()\n" for at in range(number)]
    main = f"import asyncio\n{''.join(names)}\n\nasync def main():\n{''.join(starts)}\n\nasyncio.run(main())\n"
    (folder / "main.py").write_text(main)
    return folder


def make_pages(folder: Path, scratch: Path) -> None:
    """Write the pages of which pictures are taken."""

    def graph(name: str, *arguments: str, cwd: Path = ROOT) -> None:
        loopsafe("graph", *arguments, "--format", "html", "--output", folder / f"{name}.html", cwd=cwd)

    graph("one", "examples/broken/thread_queue.py")
    graph("decoder", "examples/decoder/broken.py")
    graph("ten", *(f"examples/broken/{name}.py" for name in TEN))
    graph("five-hundred", "--all", ".", cwd=workers(scratch / "25", 25))
    graph("two-thousand", "--all", ".", cwd=workers(scratch / "110", 110))
    package = livekit(scratch)
    graph("livekit", "livekit", cwd=package)
    graph("livekit-all", "--all", "livekit", cwd=package)
    for name, path, cwd in (("report", "examples/broken", ROOT), ("livekit-report", "livekit", package)):
        loopsafe("check", path, "--output-format", "html", "--output-file", folder / f"{name}.html", cwd=cwd)


def take(page: Page, shot: Shot, dark: bool, folder: Path, file: Path) -> bool:
    """Take one picture; whether the page had nothing to complain of."""
    page.open(folder / f"{shot.page}.html", shot.fragment, *shot.size, dark=dark)
    if shot.script:
        page.value(shot.script)
        page.settle()
    page.picture(file)
    note = page.value("document.getElementById('note')?.textContent || document.getElementById('left').textContent")
    print(f"{file.name}: {file.stat().st_size} bytes; {note}", *page.messages, sep="\n  ")
    return not page.messages


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where pages and pictures go")
    folder: Path = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        make_pages(folder, Path(scratch))
    with open_page() as page:
        well = [take(page, shot, False, folder, folder / f"{shot.name}.png") for shot in SHOTS]
        well += [take(page, shot, True, folder, folder / f"{shot.name}-dark.png") for shot in SHOTS]
        well += [take(page, shot, dark, folder, PICTURES / f"{shot.name}.png") for shot, dark in KEPT]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
