"""Enhanced contactless polling: what a phone hears of the reader before it is asked anything."""

from __future__ import annotations

import json
import time

import pytest

from drivers.door import PatternChip
from drivers.nfcpy_field import PAYMENT_ONLY
from hardware_sim.pn532 import Pn532OnPty
from hardware_sim.radio import crc_a
from terminal.ports import Reader
from tests.conftest import require_vectors
from tests.drivers.nfcpy.taps import LONGEST, tap


def test_the_check_bytes_are_those_of_a_published_trace() -> None:
    path = require_vectors() / "emv" / "rf"
    frames = [
        bytes.fromhex(frame["data"])
        for file in sorted(path.glob("*.json"))
        for frame in json.loads(file.read_text())["frames"]
        if frame["crc_a_ok"]
    ]
    assert any(frame[:2] == b"\x6a\x02" for frame in frames)
    for frame in frames:
        assert crc_a(frame[:-2]) == frame[-2:]


def test_a_phone_hears_that_this_is_a_till(world: Pn532OnPty, reader: Reader) -> None:
    assert reader.wait_for_card(timeout_s=0.5, cancelled=lambda: False) is None
    announced = set(world.announced)
    assert announced == {PAYMENT_ONLY + crc_a(PAYMENT_ONLY)}
    # Public transport's frames, which let a locked phone pay, begin with 6A02C8.
    assert not any(frame.startswith(b"\x6a\x02") for frame in announced)


def test_a_card_does_not_mind(world: Pn532OnPty, reader: Reader) -> None:
    for _ in range(3):
        world.present(PatternChip())
        assert tap(reader).exchange(LONGEST)
        world.remove()
        assert reader.wait_for_removal(timeout_s=10, cancelled=lambda: False)
    assert world.announced


@pytest.mark.parametrize("looks", [9])
def test_it_is_said_now_and_then(world: Pn532OnPty, reader: Reader, looks: int) -> None:
    count = 0

    def enough() -> bool:
        nonlocal count
        count += 1
        return count > looks

    deadline = time.monotonic() + 60
    assert reader.wait_for_card(timeout_s=60, cancelled=enough) is None
    assert time.monotonic() < deadline
    assert len(world.announced) == 3
