"""Lamps and beepers as the kernel offers them: files that are written."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from drivers.signals import InputBeeper, PinBeeper, beep, open_beeper, open_lamps
from terminal.errors import ConfigError

NAMES = ("tap1", "tap2", "tap3", "tap4", "buzzer")


@pytest.fixture
def leds(tmp_path: Path) -> Path:
    """A tree like ``/sys/class/leds``, with the brightness that each kind of light has."""
    for index, name in enumerate(NAMES):
        (tmp_path / name).mkdir()
        (tmp_path / name / "max_brightness").write_text("255\n" if index % 2 else "1\n")
        (tmp_path / name / "brightness").write_text("0")
    return tmp_path


def shown(leds: Path) -> list[str]:
    return [(leds / name / "brightness").read_text() for name in NAMES[:4]]


@pytest.mark.parametrize(
    ("lit", "levels"),
    [
        (0, ["0", "0", "0", "0"]),
        (1, ["1", "0", "0", "0"]),
        (3, ["1", "255", "1", "0"]),
        (4, ["1", "255", "1", "255"]),
    ],
)
def test_the_first_lamps_are_on_at_their_own_brightness(
    leds: Path, lit: int, levels: list[str]
) -> None:
    lamps = open_lamps("leds:tap1,tap2,tap3,tap4", leds)
    lamps.light(4)
    lamps.light(lit)
    assert shown(leds) == levels


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("leds:tap1,tap2,tap3", "Name 4 of"),
        ("gpio:1,2,3,4", "Name 4 of"),
        ("leds:tap1,tap2,tap3,nine", "There is no light 'nine'"),
        ("leds:../x,tap2,tap3,tap4", "There is no light '../x'"),
    ],
)
def test_lamps_that_are_not_there_are_named(leds: Path, address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        open_lamps(address, leds)


def test_a_lamp_that_is_gone_is_a_failure_of_the_system(leds: Path) -> None:
    lamps = open_lamps("leds:tap1,tap2,tap3,tap4", leds)
    (leds / "tap2" / "max_brightness").unlink()
    with pytest.raises(OSError, match="max_brightness"):
        lamps.light(2)


def test_a_beeper_on_a_pin_knows_one_pitch(leds: Path) -> None:
    beeper = open_beeper("leds:buzzer", leds)
    assert isinstance(beeper, PinBeeper)
    heard: list[tuple[float, str]] = []

    def sleep(seconds: float) -> None:
        heard.append((seconds, (leds / "buzzer" / "brightness").read_text()))

    beep(beeper, ((330, 0.2), (0, 0.1), (330, 0.2)), sleep)
    assert heard == [(0.2, "1"), (0.1, "0"), (0.2, "1")]
    assert (leds / "buzzer" / "brightness").read_text() == "0"


def test_a_beeper_that_takes_a_pitch_is_told_as_the_kernel_has_it(tmp_path: Path) -> None:
    device = tmp_path / "event0"
    device.touch()
    beeper = open_beeper(f"input:{device}")
    assert isinstance(beeper, InputBeeper)
    beep(beeper, ((988, 0.1), (1319, 0.2)), lambda _: None)
    events = list(struct.iter_unpack("@llHHi", device.read_bytes()))
    # EV_SND is 0x12, SND_TONE is 0x02, and the value is the frequency; 0 ends it.
    assert [event[2:] for event in events] == [(0x12, 2, 988), (0x12, 2, 1319), (0x12, 2, 0)]


def test_a_beeper_is_silent_when_its_tone_is_cut_off(leds: Path) -> None:
    def broken(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        beep(open_beeper("leds:buzzer", leds), ((330, 0.2),), broken)
    assert (leds / "buzzer" / "brightness").read_text() == "0"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("buzzer", "is not an address"),
        ("leds:a/b", "is not an address"),
        ("input:event0", "is not an address"),
        ("leds:horn", "There is no beeper 'horn'"),
        ("input:/dev/input/none", "There is no beeper '/dev/input/none'"),
    ],
)
def test_a_beeper_that_is_not_there_is_named(leds: Path, address: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        open_beeper(address, leds)
