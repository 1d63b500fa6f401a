"""The same samples for any cutting of the bytes."""

from __future__ import annotations

import asyncio
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.audio import KINDS, file_of, reference
from tests.support.streaming import Run, cut, decode, joined, run_on

# One of each reader.
SOME = ["mp3 24k mono", "aac 24k mono", "flac 16k mono", "ogg opus mono", "ogg vorbis", "webm opus", "wav 24k mono"]
SOME += ["m4a fragments"]


@cache
def whole(kind: str, rate: int | None) -> np.ndarray:
    """The samples of a file pushed at once."""
    return joined(run_on(asyncio.new_event_loop, decode([file_of(kind, 0.4)], rate=rate), False))


@pytest.mark.parametrize("kind", KINDS)
def test_byte_by_byte(kind: str, run_once: Run) -> None:
    size = 1 if len(file_of(kind, 0.4)) < 20_000 else 7
    got = joined(run_once(decode(cut(file_of(kind, 0.4), size))))
    expected = reference(file_of(kind, 0.4))
    assert np.array_equal(got, whole(kind, None))
    assert np.array_equal(got, expected[: len(got)])


@pytest.mark.parametrize("rate", [None, 44100, 16000])
@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(SOME), debug=st.booleans(), data=st.data())
def test_any_cutting(rate: int | None, kind: str, debug: bool, data: st.DataObject) -> None:
    file = file_of(kind, 0.4)
    places = sorted(data.draw(st.lists(st.integers(0, len(file)), max_size=40)))
    chunks = [file[start:end] for start, end in pairwise([0, *places, len(file)])]
    frame_ms = data.draw(st.sampled_from([None, 20, 7.5]))
    limits = {"max_input": data.draw(st.integers(1, 5000)), "max_buffered": data.draw(st.floats(0.01, 1))}
    frames = run_on(asyncio.new_event_loop, decode(chunks, rate=rate, frame_ms=frame_ms, **limits), debug)
    assert np.array_equal(joined(frames), whole(kind, rate))
