"""A picture of the sound: waveform and spectrogram. Needs matplotlib, the extra `decoder-plot`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference_decoder.frames import Frame, Samples

_WINDOW = 1024
_COLUMNS = 2000
_FLOOR_DB = -100.0


def envelope(samples: Samples, columns: int = _COLUMNS) -> tuple[Samples, Samples]:
    """The lowest and the highest sample in each of at most so many stretches."""
    stretches = np.linspace(0, len(samples), min(columns, len(samples)) + 1, dtype=int)[:-1]
    return np.minimum.reduceat(samples, stretches), np.maximum.reduceat(samples, stretches)


def spectrogram(samples: Samples, columns: int = _COLUMNS) -> Samples:
    """Decibels below full scale, `(frequencies, at most so many columns)`; samples are float in [-1, 1]."""
    samples = np.pad(samples, (0, max(0, _WINDOW - len(samples))))
    starts = np.unique(np.linspace(0, len(samples) - _WINDOW, columns, dtype=int))
    windows = samples[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, axis=1)) * 4 / _WINDOW
    decibels: Samples = 20 * np.log10(np.maximum(power, 10 ** (_FLOOR_DB / 20))).T
    return decibels


def draw(sound: Frame, gaps: Sequence[float], title: str, path: str) -> None:
    """Write the picture of an interleaved frame, with a mark at each of the seconds where something is missing."""
    from matplotlib.figure import Figure

    mono = sound.samples.mean(axis=1) / (32768 if sound.samples.dtype == np.int16 else 1)
    seconds = sound.duration
    figure = Figure(figsize=(12, 6), layout="constrained")
    wave, spectrum = figure.subplots(2, 1, sharex=True)
    low, high = envelope(mono)
    wave.fill_between(np.linspace(0, seconds, len(low)), low, high, linewidth=0.5)
    wave.set(title=title, ylim=(-1, 1), ylabel="amplitude", xlim=(0, seconds))
    for axes in (wave, spectrum):
        axes.vlines(gaps, 0, 1, "red", "dotted", transform=axes.get_xaxis_transform())
    look = {"origin": "lower", "aspect": "auto", "vmin": _FLOOR_DB, "vmax": 0}
    picture = spectrum.imshow(spectrogram(mono), extent=(0, seconds, 0, sound.rate / 2000), **look)
    spectrum.set(xlabel="seconds", ylabel="kHz")
    figure.colorbar(picture, ax=spectrum, label="dB")
    figure.savefig(path)
