"""A headless Chromium, driven over its pipe with the standard library: for pictures of pages, and for tests of them."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SECONDS = 60
# Chromium reads from 3 and writes to 4. Not done between fork and exec, where other threads may hold locks.
_AT_THREE_AND_FOUR = """\
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


def browser() -> str | None:
    """The program, where there is one."""
    return os.environ.get("LOOPSAFE_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)


class Failed(Exception):
    """The browser did not do what it was asked."""


class Page:
    """A page in the browser. `messages` are the warnings and errors that it wrote, `requests` what it asked for."""

    def __init__(self, to: int, by: int, process: subprocess.Popen[bytes]) -> None:
        self._to, self._by, self._process = to, by, process
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        self.messages: list[str] = []
        self.requests: list[str] = []

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask the browser, and wait for its answer."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        asked = json.dumps({"id": number, "method": method, "params": parameters, **session})
        os.write(self._to, asked.encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == number:
                if "error" in said:
                    raise Failed(f"{method}: {said['error']['message']}")
                result: dict[str, Any] = said["result"]
                return result

    def open(self, file: Path, fragment: str = "", width: int = 1400, height: int = 860, dark: bool = False) -> None:
        """Open a file from disk, in a window of some size, and wait until it is drawn."""
        self.messages, self.requests = [], []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        # Another fragment of the same file would load nothing.
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=f"{file.resolve().as_uri()}{fragment}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page is loaded and has been painted again."""
        ends = time.monotonic() + _SECONDS
        while self.value("document.readyState") != "complete":
            if time.monotonic() > ends:
                raise Failed("the page does not load")
            time.sleep(0.02)
        painted = "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 250)))"
        self.value(f"new Promise(done => {painted})")

    def value(self, expression: str) -> Any:  # noqa: ANN401
        """What an expression gives in the page."""
        got = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in got:
            raise Failed(str(got["exceptionDetails"]))
        return got["result"].get("value")

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def picture(self, file: Path) -> None:
        """Write what is to be seen as a PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def attach(self) -> None:
        """Make a tab, and hear what goes on in it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            got = os.read(self._by, 1 << 20)
            if not got:
                raise Failed("the browser has ended")
            self._rest += got
        line, _, self._rest = self._rest.partition(b"\0")
        said: dict[str, Any] = json.loads(line)
        self._hear(said.get("method", ""), said.get("params", {}))
        return said

    def _hear(self, method: str, said: dict[str, Any]) -> None:
        if method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.messages.append(" ".join(str(one.get("value", one.get("description"))) for one in said["args"]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(said["exceptionDetails"]))
        elif method == "Log.entryAdded" and said["entry"]["level"] in ("error", "warning"):
            self.messages.append(said["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.messages.append(f"dialog: {said['message']}")


@contextlib.contextmanager
def open_page() -> Iterator[Page]:
    """A browser with one page, which ends with the block.

    Raises:
        Failed: there is no browser.
    """
    program = browser()
    if program is None:
        raise Failed("no Chromium is installed; LOOPSAFE_BROWSER names one")
    to_read, to_write = os.pipe()
    by_read, by_write = os.pipe()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, *_FLAGS, *sandbox, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            [sys.executable, "-c", _AT_THREE_AND_FOUR, str(to_read), str(by_write), *command],
            pass_fds=(to_read, by_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(by_write)
        try:
            page = Page(to_write, by_read, process)
            page.attach()
            yield page
        finally:
            os.close(to_write)
            os.close(by_read)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
