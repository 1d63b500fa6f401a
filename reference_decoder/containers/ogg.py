"""Ogg with Opus, Vorbis or FLAC, chained links too.

Pages may span a second; packets are handed on as soon as their bytes are in, without waiting for the page to be
complete. The price is that the page's checksum is not looked at: a damaged packet is the codec's to refuse.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from reference_decoder.containers.flac import stream_of
from reference_decoder.containers.framed import another_file
from reference_decoder.containers.items import Cut, Item, Items, Stream
from reference_decoder.source import Reading, Source

_CONTINUED, _FIRST, _LAST = 1, 2, 4
_NO_GRANULE = -1
_HEADER = 27


@dataclass(frozen=True, slots=True)
class _Page:
    flags: int
    granule: int
    serial: bytes
    lacing: bytes


@dataclass(slots=True)
class _Link:
    """One logical stream: which codec, the header packets so far, where it is, and the packet that is not whole yet."""

    serial: bytes
    codec: str
    headers: list[bytes] = field(default_factory=list)
    granule: int = 0
    begun: bool = False
    partial: bytes = b""


def codec_of(packet: bytes) -> str | None:
    """FFmpeg's name of the codec whose first header packet this is."""
    known = {b"OpusHead": "opus", b"\x01vorbis": "vorbis", b"\x7fFLAC": "flac"}
    return next((codec for magic, codec in known.items() if packet.startswith(magic)), None)


def _page(source: Source) -> Reading[_Page | None]:
    """The next page's header, over anything else; None at the end of the input, and where another format begins."""
    while (head := (yield from source.peek(_HEADER)))[:4] != b"OggS" and head:
        if (yield from another_file(source)):
            return None
        yield from source.lose(b"O")
    if not head:
        return None
    head = yield from source.exactly(_HEADER, "Ogg page header")
    lacing = yield from source.exactly(head[26], "Ogg page header")
    return _Page(head[5], int.from_bytes(head[6:14], "little", signed=True), head[14:18], lacing)


def _packets(source: Source, page: _Page, link: _Link) -> Generator[bytes | None, None, None]:
    """The packets that end on this page. The link keeps the beginning of one that goes on."""
    orphan = page.flags & _CONTINUED and not link.partial
    size = 0
    if not page.flags & _CONTINUED:
        link.partial = b""
    for number, lace in enumerate(page.lacing, 1):
        size += lace
        if lace < 255 or number == len(page.lacing):
            link.partial += yield from source.exactly(size, "Ogg packet")
            size = 0
        if lace < 255:
            packet, link.partial = link.partial, b""
            if packet and not orphan:
                yield packet
            orphan = False


def _set_up(link: _Link) -> Stream | None:
    """The stream the header packets describe, once all are there."""
    head = link.headers[0]
    wanted = {"opus": 2, "vorbis": 3, "flac": 1 + int.from_bytes(head[7:9], "big")}[link.codec]
    if len(link.headers) < wanted:
        return None
    if link.codec == "flac":
        return stream_of("ogg", head[17:])
    if link.codec == "opus":
        return Stream("ogg", "opus", 48000, head[9], head)
    return Stream("ogg", "vorbis", int.from_bytes(head[12:16], "little"), head[11], _xiph(link.headers))


def _xiph(packets: list[bytes]) -> bytes:
    """Header packets as one: their count less one, the sizes but the last, the packets."""
    sizes = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets[:-1])
    return bytes([len(packets) - 1]) + sizes + b"".join(packets)


def _end(link: _Link, page: _Page) -> Cut:
    """What the last page's position leaves of its samples: the encoder had to fill its last packet."""
    skip = int.from_bytes(link.headers[0][10:12], "little") if link.codec == "opus" and not link.granule else 0
    return Cut(max(0, page.granule - link.granule - skip))


def read(source: Source) -> Items:
    """The packets of every audio link in turn, and of the first stream where several run side by side."""
    link: _Link | None = None
    while page := (yield from _page(source)):
        if page.flags & _FIRST and (link is None or link.begun):
            head = yield from source.take(sum(page.lacing))
            if codec := codec_of(head):
                link = _Link(page.serial, codec, [head])
        elif link is None or page.serial != link.serial:
            yield from source.skip(sum(page.lacing))
        else:
            yield from _body(source, page, link)


def _body(source: Source, page: _Page, link: _Link) -> Generator[Item, None, None]:
    if page.flags & _LAST and link.begun and page.granule >= link.granule:
        yield _end(link, page)
    for packet in _packets(source, page, link):
        if packet is None or link.begun:
            yield packet
            continue
        link.headers.append(packet)
        if stream := _set_up(link):
            link.begun = True
            yield stream
    if page.granule != _NO_GRANULE:
        link.granule = page.granule
