"""FFmpeg's filters, set up to turn frames of one kind into frames of another.

PyAV's own `AudioResampler` does the same, but starts as many threads for each as there are cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from av import AudioFrame
from av.filter import Graph

from reference_decoder.frames import Samples


class Resampler:
    """From frames like the one given to the wanted rate, channels and sample format."""

    def __init__(self, like: AudioFrame, rate: int, channels: int, sample_format: str) -> None:
        fits = (like.sample_rate, like.layout.nb_channels, like.format.name) == (rate, channels, sample_format)
        self._graph = None if fits else Graph()
        if self._graph is None:
            return
        self._graph.threads = 1
        source = self._graph.add_abuffer(sample_rate=like.sample_rate, format=like.format.name, layout=like.layout.name)
        wanted = {"sample_rates": f"{rate}", "channel_layouts": f"{channels}c", "sample_fmts": sample_format}
        aims = self._graph.add("aformat", **wanted)
        self._graph.link_nodes(source, aims, self._graph.add("abuffersink")).configure()

    def resample(self, frame: AudioFrame | None) -> Iterator[Samples]:
        """What comes out for a frame; for None, the end, what has been held back."""
        if self._graph is None:
            yield from [frame.to_ndarray()] if frame else ()
            return
        self._graph.push(frame)
        # PyAV before 18 cannot say "try again" in every language; nothing else goes wrong here.
        with suppress(BlockingIOError, EOFError, UnicodeDecodeError):
            while True:
                yield cast(AudioFrame, self._graph.pull()).to_ndarray()
