"""Published data: how a case file is loaded, and a clock for dialogues."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from terminal.emv.oda import CaPublicKey


def ticking() -> Iterator[float]:
    """A monotonic clock that moves one millisecond a look."""
    at = 0.0
    while True:
        yield at
        at += 0.001


class Clock:
    def __init__(self) -> None:
        self._ticks = ticking()

    def __call__(self) -> float:
        return next(self._ticks)


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def ca_key(each: dict[str, str]) -> CaPublicKey:
    return CaPublicKey(
        bytes.fromhex(each["rid"]),
        int(each["index"], 16),
        bytes.fromhex(each["modulus"]),
        bytes.fromhex(each["exponent"]),
    )
