"""Four lights and a beeper beside the reader, as Linux knows them, without any library.

Lights are ``/sys/class/leds/NAME/brightness``: a Raspberry Pi offers GPIO pins as such lights with
the ``gpio-led`` overlay. A beeper is either such a pin too (an active buzzer, which has one pitch),
or an input device that takes tones (``pwm-beeper``): ``EV_SND`` with ``SND_TONE`` and a frequency,
as ``linux/input-event-codes.h`` has them. A udev rule that lets the till's group write is enough.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from terminal.errors import ConfigError

LEDS = Path("/sys/class/leds")
LIGHTS = 4
_EV_SND, _SND_TONE = 0x12, 0x02
_EVENT = struct.Struct("@llHHi")
"""``struct input_event``: seconds, microseconds, type, code, value; the kernel sets the time."""


class Lamps:
    """Lights in their order. Writing may fail when one is gone; the sale does not depend on it."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders

    def light(self, lit: int) -> None:
        """Turns the first ``lit`` on and the rest off.

        Raises:
            OSError: a light cannot be written.
        """
        for index, folder in enumerate(self._folders):
            bright = (folder / "max_brightness").read_text(encoding="ascii").strip()
            level = bright if index < lit else "0"
            (folder / "brightness").write_text(level, encoding="ascii")


def open_lamps(address: str, root: Path = LEDS) -> Lamps:
    """The lights that an address names in order: ``leds:tap1,tap2,tap3,tap4``.

    Raises:
        ConfigError: it is no such address, or one of the lights does not exist.
    """
    scheme, _, names = address.partition(":")
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if scheme != "leds" or len(wanted) != LIGHTS:
        raise ConfigError(
            f"The lights {address!r} are not an address.",
            remedy=f"Name {LIGHTS} of {root} in order: leds:tap1,tap2,tap3,tap4.",
        )
    for name in wanted:
        if "/" in name or not (root / name / "brightness").exists():
            there = ", ".join(sorted(path.name for path in root.glob("*"))) or "none"
            raise ConfigError(
                f"There is no light {name!r} under {root}.", remedy=f"Those there: {there}."
            )
    return Lamps([root / name for name in wanted])


class Beeper(Protocol):
    """Something that sounds. It may fail when it is gone; the sale does not depend on it."""

    def tone(self, hertz: int) -> None:
        """Sounds this pitch until it is told another; 0 is silence.

        Raises:
            OSError: it cannot be written.
        """


class PinBeeper:
    """An active buzzer on a pin: it sounds, or it does not."""

    def __init__(self, folder: Path) -> None:
        self._lamps = Lamps([folder])

    def tone(self, hertz: int) -> None:
        """See ``Beeper``."""
        self._lamps.light(1 if hertz else 0)


class InputBeeper:
    """A beeper that takes a pitch."""

    def __init__(self, device: Path) -> None:
        self._device = device

    def tone(self, hertz: int) -> None:
        """See ``Beeper``."""
        with self._device.open("ab", buffering=0) as file:
            file.write(_EVENT.pack(0, 0, _EV_SND, _SND_TONE, hertz))


def open_beeper(address: str, root: Path = LEDS) -> Beeper:
    """The beeper that an address names: ``leds:buzzer`` or ``input:/dev/input/by-path/...``.

    Raises:
        ConfigError: it is no such address, or there is no such device.
    """
    scheme, _, name = address.partition(":")
    match scheme:
        case "leds" if name and "/" not in name:
            device, there = root / name, root / name / "brightness"
        case "input" if name.startswith("/"):
            device = there = Path(name)
        case _:
            raise ConfigError(
                f"The beeper {address!r} is not an address.",
                remedy=f"Write leds:NAME for a buzzer under {root}, or input:/dev/input/... .",
            )
    if not there.exists():
        raise ConfigError(
            f"There is no beeper {name!r} ({there} does not exist).",
            remedy="Load its overlay (gpio-led or pwm-beeper), or leave beeper out.",
        )
    return PinBeeper(device) if scheme == "leds" else InputBeeper(device)


def beep(
    beeper: Beeper, notes: Sequence[tuple[float, float]], sleep: Callable[[float], object]
) -> None:
    """Plays notes of hertz (0 for a pause) and seconds, and is silent at the end.

    Raises:
        OSError: the beeper cannot be written; it was told to be silent.
    """
    try:
        for hertz, seconds in notes:
            beeper.tone(round(hertz))
            sleep(seconds)
    finally:
        beeper.tone(0)
