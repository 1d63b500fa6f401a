"""A package index of one's own on this machine, which real pip asks; it can be had to keep somebody waiting."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

_METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


class Index:
    """Serves files below `/simple/NAME/`. A page that is held back is not answered until `release`."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, str]] = {}
        self._held: set[str] = set()
        self._released = threading.Event()
        self.asked: list[str] = []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()

    def environment(self) -> dict[str, str]:
        """What pip is told, so that it asks nobody else, whatever this machine's settings say."""
        mine = {name: "" for name in os.environ if name.startswith("PIP_")}
        host, port = self._server.server_address[:2]
        mine.update(PIP_INDEX_URL=f"http://{host}:{port}/simple/", PIP_CONFIG_FILE=os.devnull, PIP_NO_CACHE_DIR="1")
        mine.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_DEFAULT_TIMEOUT="1000", PIP_RETRIES="0", NO_PROXY="*")
        return mine

    def add(self, file: str, content: bytes, digest: str = "") -> None:
        """Have a file, which is of what its name says up to the first `-`, with its digest or another one."""
        self._files[file] = (content, digest or hashlib.sha256(content).hexdigest())

    def add_wheel(self, name: str, version: str, files: dict[str, str]) -> None:
        """Have a wheel with these files."""
        told = f"{name}-{version}.dist-info"
        meta = {f"{told}/METADATA": _METADATA.format(name=name, version=version), f"{told}/RECORD": ""}
        meta[f"{told}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        self.add(f"{name}-{version}-py3-none-any.whl", zipped({**files, **meta}))

    def add_sdist(self, name: str, version: str, files: dict[str, str]) -> None:
        """Have an archive of source with these files."""
        top = f"{name}-{version}"
        meta = {"PKG-INFO": _METADATA.format(name=name, version=version)}
        self.add(f"{top}.tar.gz", tarred({f"{top}/{path}": text for path, text in {**files, **meta}.items()}))

    def hold(self, name: str) -> None:
        """Have whoever asks for the page of `name` wait."""
        self._held.add(name)

    def release(self) -> None:
        """Answer those who wait, and nobody has to wait any more."""
        self._held.clear()
        self._released.set()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        kind, _, name = request.path.strip("/").partition("/")
        if kind == "simple":
            self.asked.append(name)
            if name in self._held:
                self._released.wait()
            names = [file for file in self._files if file.partition("-")[0] == name]
            links = (f'<a href="/files/{file}#sha256={self._files[file][1]}">{file}</a>' for file in names)
            status, body = 200 if names else 404, f"<html><body>{''.join(links)}</body></html>".encode()
        else:
            status, body = (200, self._files[name][0]) if name in self._files else (404, b"")
        # Whoever has waited may have been killed meanwhile.
        try:
            request.send_response(status)
            request.send_header("Content-Type", "text/html" if kind == "simple" else "application/octet-stream")
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        except OSError:
            pass


def zipped(files: dict[str, str]) -> bytes:
    """A zip of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


def tarred(files: dict[str, str], links: dict[str, str] | None = None) -> bytes:
    """A tar of these files, and of these links before them."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()
