"""The same with the reference decoder: its threads tell the loop to look, and touch nothing that belongs to it."""

import asyncio
import io
import wave

from reference_decoder import AudioStreamDecoder


def sound():
    """Half a second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 8000, 0, "NONE", ""))
        wav.writeframes(bytes(8000))
    return file.getvalue()


async def main():
    async with AudioStreamDecoder() as decoder:
        decoder.push(sound())
        decoder.end_input()
        count = 0
        async for frame in decoder:
            count += frame.count
        print("decoded", count, "samples")


if __name__ == "__main__":
    asyncio.run(main())
