"""Four lights beside the reader, as Linux knows them: ``/sys/class/leds/NAME/brightness``.

A Raspberry Pi offers GPIO pins as such lights with the ``gpio-led`` overlay, so no library and no
root are needed: a udev rule that lets the till's group write is enough.
"""

from __future__ import annotations

from pathlib import Path

from terminal.errors import ConfigError

LEDS = Path("/sys/class/leds")
LIGHTS = 4


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
