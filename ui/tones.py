"""The till's own tones, made from sines: no recordings, and no scheme's sound.

Rules of this file: pure. A tone begins and ends softly, or a loudspeaker clicks. The success
tone of EMV Contactless Book A is a single high one of half a second (1500 Hz); it means that the
card is read, and nothing more.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ui.presenter.cues import Cue

RATE_HZ = 22_050
_RAMP_S = 0.008
_LOUD = 0.5

Note = tuple[float, float]
"""A frequency in hertz (0 for a pause), and how long in seconds."""

TUNES: Mapping[Cue, Sequence[Note]] = MappingProxyType(
    {
        Cue.READ: ((1500, 0.5),),
        Cue.APPROVED: ((988, 0.11), (0, 0.03), (1319, 0.26)),
        Cue.REFUSED: ((330, 0.2), (0, 0.2), (330, 0.2)),
        Cue.ALERT: ((750, 0.12), (0, 0.08), (750, 0.12)),
        Cue.SAVED: ((988, 0.11), (0, 0.03), (740, 0.26)),
    }
)


def samples(tune: Sequence[Note]) -> bytes:
    """The tune as 16-bit samples, mono."""
    parts = bytearray()
    for hertz, seconds in tune:
        count = round(RATE_HZ * seconds)
        ramp = max(1, round(RATE_HZ * _RAMP_S))
        for index in range(count):
            edge = min(1.0, index / ramp, (count - index) / ramp)
            swing = math.sin(2 * math.pi * hertz * index / RATE_HZ) if hertz else 0.0
            parts += struct.pack("<h", round(32_767 * _LOUD * edge * swing))
    return bytes(parts)


def wav(cue: Cue) -> bytes:
    """The cue as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples(TUNES[cue]))
    return buffer.getvalue()
