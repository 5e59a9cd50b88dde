"""The door to the touchscreen: makes the window's settings, and only then loads the widgets.

Importing almost any of Kivy's widgets opens the window with the settings of that moment, and so
does asking for a density; nothing here does either.
"""

from __future__ import annotations

from collections.abc import Sequence

from terminal.bench import Bench
from terminal.errors import ConfigError
from terminal.money import Currency
from ui.ports import TillPort
from ui.touch.window import BENCH_SIZE, TABLE_MIN, TILL_MIN, TILL_SIZE, open_window
from ui.words import Words


def run(
    till: TillPort,
    benches: Sequence[Bench],
    *,
    shop: str,
    currency: Currency,
    language: str = "en",
    size: tuple[int, int] | None = None,
    simulated: bool | None = None,
) -> None:
    """Opens the window and blocks until it is closed. The till must have been started.

    ``simulated`` says on every screen that no real money moves; by default where there is a
    bench. ``size`` is the window's in pixels.

    Raises:
        ConfigError: the language is not known, or no window can be opened here.
    """
    words = Words(language)
    width, height = size or (BENCH_SIZE if benches else TILL_SIZE)
    on_a_table = bool(benches) and width >= TABLE_MIN[0] and height >= TABLE_MIN[1]
    least = TABLE_MIN if on_a_table else TILL_MIN
    if open_window(width, height, least=least) is None:
        raise ConfigError(
            "No window can be opened here.",
            remedy="Start from a desktop, or add --console for the till in this terminal.",
        )
    # This import needs the window.
    from ui.touch.till_app import TillApp  # noqa: PLC0415

    TillApp(
        till,
        benches,
        shop=shop,
        currency=currency,
        words=words,
        simulated=bool(benches) if simulated is None else simulated,
    ).run()
