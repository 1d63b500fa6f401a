"""boto3's transfers to a server that takes and gives whatever there is."""

from __future__ import annotations

import http.server
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

boto3 = library("boto3")
subscribers = library("s3transfer.subscribers")
manager = library("s3transfer.manager")
transfer = library("boto3.s3.transfer")


class Store(http.server.BaseHTTPRequestHandler):
    """An S3 whose every object is one letter."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"<CopyObjectResult/>" if "x-amz-copy-source" in self.headers else b"")

    def do_GET(self) -> None:
        self._answer(b"1")

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def client() -> Iterator[Any]:
    config = library("botocore.config").Config(request_checksum_calculation="when_required")
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Store)) as port:
        session = boto3.Session("id", "secret", region_name="us-east-1")
        yield session.client("s3", endpoint_url=f"http://{HOST}:{port}", config=config)


@claims("runs", "botocore.client.BaseClient.*")
async def test_client(claim: Claim, client: Any, tmp_path: Path) -> None:
    probe, file = Probe(), tmp_path / "file"
    file.write_text("1", "utf-8")
    arguments: dict[str, tuple[object, ...]] = {
        "upload_file": (str(file), "bucket", "key"),
        "download_file": ("bucket", "key", str(file)),
        "upload_fileobj": (io.BytesIO(b"1"), "bucket", "key"),
        "download_fileobj": ("bucket", "key", io.BytesIO()),
        "copy": ({"Bucket": "bucket", "Key": "key"}, "bucket", "other"),
    }
    getattr(client, claim.member)(*arguments[claim.member], Callback=probe)
    claim.check(probe)


@claims("runs", "s3transfer.S3Transfer.*")
async def test_transfer(claim: Claim, client: Any, tmp_path: Path) -> None:
    probe, file = Probe(), tmp_path / "file"
    file.write_text("1", "utf-8")
    arguments = (str(file), "bucket", "key") if claim.member == "upload_file" else ("bucket", "key", str(file))
    getattr(transfer.S3Transfer(client), claim.member)(*arguments, callback=probe)
    claim.check(probe)


@claims("overrides", "s3transfer.subscribers.BaseSubscriber.*")
async def test_subscriber(claim: Claim, client: Any) -> None:
    probe = Probe()

    def method(self: object, future: object, **kwargs: object) -> None:
        probe()

    subscriber = type("Subscriber", (subscribers.BaseSubscriber,), {claim.member: method})()
    with manager.TransferManager(client) as transfers:
        transfers.upload(io.BytesIO(b"1"), "bucket", "key", subscribers=[subscriber]).result()
    claim.check(probe)
