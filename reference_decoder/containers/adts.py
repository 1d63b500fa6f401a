"""AAC in ADTS frames, as it is streamed."""

from __future__ import annotations

from reference_decoder.containers.framed import next_frame
from reference_decoder.containers.headers import parse_adts
from reference_decoder.containers.items import Items, Stream
from reference_decoder.source import Source


def read(source: Source) -> Items:
    """Frames as packets, headers and all: the codec reads them."""
    family: tuple[int, ...] | None = None
    while header := (yield from next_frame(source, parse_adts, family)):
        frame = yield from source.exactly(header.length, "AAC frame")
        if header.family != family:
            family = header.family
            yield Stream("adts", "aac", header.rate, header.channels)
        yield frame
