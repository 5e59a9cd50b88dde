"""The door to the touchscreen: makes the window's settings, and only then loads the widgets.

Importing almost any of Kivy's widgets opens the window with the settings of that moment, and so
does asking for a density; nothing here does either.
"""

from __future__ import annotations

from collections.abc import Sequence

from terminal.bench import Bench
from terminal.errors import ConfigError
from ui.ports import TillPort
from ui.touch.outfit import Outfit
from ui.touch.pauses import unhurried
from ui.touch.window import BENCH_SIZE, TABLE_MIN, TILL_MIN, TILL_SIZE, open_window


def run(
    till: TillPort,
    benches: Sequence[Bench],
    outfit: Outfit,
    *,
    size: tuple[int, int] | None = None,
) -> None:
    """Opens the window and blocks until it is closed. The till must have been started.

    ``size`` is the window's in pixels.

    Raises:
        ConfigError: no window can be opened here.
    """
    width, height = size or (BENCH_SIZE if benches else TILL_SIZE)
    on_a_table = bool(benches) and width >= TABLE_MIN[0] and height >= TABLE_MIN[1]
    least = TABLE_MIN if on_a_table else TILL_MIN
    if open_window(width, height, least=least) is None:
        raise ConfigError(
            "No window can be opened here.",
            remedy="Start from a desktop, or add --console for the till in this terminal.",
        )
    with unhurried() as settled:
        from kivy.clock import Clock  # noqa: PLC0415 - these imports need the window

        from ui.touch.till_app import TillApp  # noqa: PLC0415 - as above

        Clock.schedule_once(lambda _: settled())
        TillApp(till, benches, outfit).run()
