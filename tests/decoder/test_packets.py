"""Packets without a container: exact, in their own time, and filled in where one is lost."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
from av import CodecContext, Packet

from reference_decoder import AudioPacketDecoder, ClosedError, DecodeError, Frame
from tests.support.audio import encode, file_of, tone
from tests.support.streaming import Run, collect, joined

SECONDS = 1.0


def opus(channels: int = 1) -> list[bytes]:
    with av.open(io.BytesIO(file_of("ogg opus mono" if channels == 1 else "ogg opus stereo", SECONDS))) as file:
        return [bytes(packet) for packet in file.demux(audio=0) if packet.size]


def encoded(codec: str, rate: int, size: int) -> list[bytes]:
    """Packets of 20 ms."""
    container = {"g722": "g722", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw", "pcm_s16be": "s16be"}[codec]
    data = encode(tone(SECONDS, rate, 1), rate, container, codec)
    return [data[start : start + size] for start in range(0, len(data), size)]


def blocking(codec: str, packets: list[bytes], rate: int = 0, channels: int = 1, extradata: bytes = b"") -> np.ndarray:
    context = CodecContext.create(codec, "r")
    if extradata:
        context.extradata = extradata
    elif rate:
        context.sample_rate, context.layout = rate, "mono" if channels == 1 else "stereo"
    frames = [frame for packet in packets for frame in context.decode(Packet(packet))]
    return np.concatenate([frame.to_ndarray().reshape(-1, channels) for frame in frames])


async def frames_of(packets: list[bytes | None], *arguments: object, **settings: object) -> list[Frame]:
    """None is a packet that was lost."""
    async with AudioPacketDecoder(*arguments, **settings) as decoder:
        for packet in packets:
            if packet is None:
                decoder.lost()
            else:
                decoder.push(packet)
        decoder.end_input()
        return await collect(decoder)


@pytest.mark.parametrize("channels", [1, 2])
def test_opus(channels: int, run: Run) -> None:
    frames = run(frames_of(opus(channels), "opus", input_channels=channels))
    head = b"OpusHead\1" + bytes([channels]) + bytes(9)
    assert np.array_equal(joined(frames), blocking("libopus", opus(channels), channels=channels, extradata=head))
    assert (frames[0].rate, frames[0].channels) == (48000, channels)


TELEPHONE = [("g722", "g722", 16000, 160), ("pcmu", "pcm_mulaw", 8000, 160), ("audio/PCMA", "pcm_alaw", 8000, 160)]
TELEPHONE += [("L16", "pcm_s16be", 16000, 640)]


@pytest.mark.parametrize(("name", "codec", "rate", "size"), TELEPHONE)
def test_telephone(name: str, codec: str, rate: int, size: int, run: Run) -> None:
    packets = encoded(codec, rate, size)
    frames = run(frames_of(packets, name, input_rate=rate))
    assert np.array_equal(joined(frames), blocking(codec, packets, rate))
    assert frames[0].rate == rate


def test_any_codec_of_ffmpeg(run_once: Run) -> None:
    with av.open(io.BytesIO(file_of("m4a index first"))) as file:
        extradata = file.streams.audio[0].codec_context.extradata
        packets = [bytes(packet) for packet in file.demux(audio=0) if packet.size]
    frames = run_once(frames_of(packets, "aac", extradata, dtype="float32", layout="planar"))
    context = CodecContext.create("aac", "r")
    context.extradata = extradata
    expected = [frame.to_ndarray() for packet in packets for frame in context.decode(Packet(packet))]
    assert np.array_equal(np.concatenate([frame.samples for frame in frames], axis=1), np.concatenate(expected, axis=1))


def test_a_packet_comes_out_at_once(run: Run) -> None:
    async def scenario() -> list[int]:
        counts = []
        async with AudioPacketDecoder("opus") as decoder:
            for packet in opus()[:10]:
                decoder.push(packet)
                counts.append((await anext(decoder)).count)
        return counts

    assert run(scenario()) == [960] * 10


@pytest.mark.parametrize("lost", [[20], [20, 21, 22], [0], [49]])
def test_lost_opus_packets_are_filled_in(lost: list[int], run: Run) -> None:
    """With sound as loud as before, not with silence; and what follows stands where it did."""
    packets: list[bytes | None] = [*opus()[:50]]
    whole = joined(run(frames_of([*packets], "opus"))).astype(float)
    for number in lost:
        packets[number] = None
    filled = joined(run(frames_of(packets, "opus"))).astype(float)
    # Before the first packet there is nothing to go on with.
    assert len(filled) == len(whole) - 960 * (lost == [0])
    if lost[0] == 20:
        gap = slice(20 * 960, 21 * 960)
        assert np.abs(filled[gap]).mean() > np.abs(whole[gap]).mean() / 3
        assert np.corrcoef(filled[-9600:, 0], whole[-9600:, 0])[0, 1] > 0.99


@pytest.mark.parametrize(("name", "codec", "rate", "size"), TELEPHONE)
def test_lost_packets_of_others_are_silent(name: str, codec: str, rate: int, size: int, run_once: Run) -> None:
    packets: list[bytes | None] = [*encoded(codec, rate, size)]
    whole = joined(run_once(frames_of([*packets], name, input_rate=rate)))
    packets[10:12] = [None, None]
    filled = joined(run_once(frames_of(packets, name, input_rate=rate)))
    assert filled.shape == whole.shape
    step = len(whole) // len(packets)
    gap = slice(10 * step + step // 2, 12 * step)
    assert filled[gap].std() < whole[gap].std() / 4


def test_bad_packets_and_empty_ones(run_once: Run) -> None:
    async def scenario() -> tuple[int, int]:
        async with AudioPacketDecoder("opus") as decoder:
            for packet in (b"", *opus()[:5], b"\xff" * 10, *opus()[5:10]):
                decoder.push(packet)
            decoder.end_input()
            count = sum(frame.count for frame in await collect(decoder))
            with pytest.raises(ClosedError):
                decoder.push(b"more")
            return count, decoder.statistics().skipped_packets

    assert run_once(scenario()) == (9600, 1)


def test_nothing_but_bad_packets(run_once: Run) -> None:
    with pytest.raises(DecodeError, match="packets in a row of packets"):
        run_once(frames_of([b"\xff" * 10] * 50, "opus", max_bad_packets=10))


@pytest.mark.parametrize(("arguments", "said"), [(("opsu",), "unknown codec 'opsu': one of opus, g722"),
                                                 (("l16",), "input_rate")])  # fmt: skip
def test_codecs_that_are_not_known(arguments: tuple, said: str, run_once: Run) -> None:
    with pytest.raises(ValueError, match=said):
        run_once(frames_of([], *arguments))
