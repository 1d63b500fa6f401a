"""Local servers that several libraries are measured against."""

from __future__ import annotations

import asyncio
import socketserver
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.libraries.measure import library

HOST = "127.0.0.1"


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    """Serve on a thread as long as it lasts; gives the port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def ask(app: Any, method: str = "GET") -> Any:
    """The answer of an ASGI application to one request, without a network."""
    httpx = library("httpx")
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, "/")


def kafka_broker() -> tuple[object, str]:
    """A broker that librdkafka brings along for tests, and its address; it lives as long as the first."""
    owner = library("confluent_kafka").Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    (broker,) = owner.list_topics("topic").brokers.values()
    return owner, f"{broker.host}:{broker.port}"


# ---------------------------------------------------------------- MQTT 3.1.1, as little as a client can do with

TOPIC = "measured"
_MESSAGE = b"\x30" + bytes([2 + len(TOPIC) + 1, 0, len(TOPIC)]) + TOPIC.encode() + b"1"
# The first byte of a packet, without its flags.
_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _DISCONNECT = 0x10, 0x30, 0x80, 0xA0, 0xE0


@asynccontextmanager
async def mqtt_broker() -> AsyncIterator[int]:
    """A broker on this loop that sends a message to whoever subscribes; gives the port."""
    server = await asyncio.start_server(_talk_mqtt, HOST, 0)
    yield server.sockets[0].getsockname()[1]
    # Not waited for: a client that keeps its connection would keep the test.
    server.close()


async def _talk_mqtt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each packet."""
    while (head := await reader.read(1)) and head[0] != _DISCONNECT:
        body = await reader.readexactly(await _mqtt_length(reader))
        writer.write(_mqtt_answer(head[0] & 0xF0, body))
    writer.close()


async def _mqtt_length(reader: asyncio.StreamReader) -> int:
    """Seven bits a byte, the lowest first; the eighth says that another byte follows."""
    length, shift = 0, 0
    while True:
        (byte,) = await reader.readexactly(1)
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length


def _mqtt_answer(kind: int, body: bytes) -> bytes:
    if kind == _CONNECT:
        return b"\x20\x02\x00\x00"
    if kind == _SUBSCRIBE:
        return b"\x90\x03" + body[:2] + b"\x00" + _MESSAGE
    if kind == _UNSUBSCRIBE:
        return b"\xb0\x02" + body[:2]
    if kind == _PUBLISH:
        # The topic comes before the packet's identifier.
        identifier = 2 + body[1]
        return b"\x40\x02" + body[identifier : identifier + 2]
    return b""
