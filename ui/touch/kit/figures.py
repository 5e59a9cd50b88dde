"""Figures: numbers that matter in a row of plates, and a meter of how much of a limit is used."""

from __future__ import annotations

from typing import Any

from kivy.graphics import SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty, StringProperty

from ui.presenter.panel import Figure
from ui.touch.kit.skin import skin
from ui.touch.kit.surface import Grid, Plate
from ui.touch.kit.txt import Txt


class FigurePlate(Plate):
    """One number and its name."""

    label = StringProperty("")
    value = StringProperty("")
    tone = StringProperty("neutral")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(border="hairline", radius=14, **kwargs)
        self._name = Txt(sizes=[14, 13, 12], shade="ink2")
        self._number = Txt(sizes=[24, 22, 20, 18, 16, 14, 13], bold=True)
        self.add_widget(self._name)
        self.add_widget(self._number)
        for name in ("label", "value", "tone"):
            self.fbind(name, self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        super().paint()
        pad = dp(12)
        self._name.text, self._number.text = self.label, self.value
        self._number.shade = "ink" if self.tone == "neutral" else self.tone
        top = self.height * 0.42
        for widget, low, tall in (
            (self._name, self.height - top, top - dp(4)),
            (self._number, dp(5), self.height - top - dp(3)),
        ):
            widget.pos = (self.x + pad, self.y + low)
            widget.size = (max(1, self.width - 2 * pad), tall)


class Figures(Grid):
    """Figures beside each other, or two and two on a tall screen; made once and used again."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            cols=1,
            spacing=dp(10),
            padding=(0, 0, 0, dp(10)),
            size_hint_y=None,
            height=0,
            **kwargs,
        )
        self._plates: list[FigurePlate] = []
        self._shown = 0
        skin.watch(self._resize)

    def fill(self, figures: tuple[Figure, ...]) -> None:
        """Shows these figures; with none, they take no room."""
        while len(self._plates) < len(figures):
            self._plates.append(FigurePlate())
        if self._shown != len(figures):
            self.clear_widgets()
            self._shown = len(figures)
            self._resize()
            for plate in self._plates[: len(figures)]:
                self.add_widget(plate)
        for plate, figure in zip(self._plates, figures, strict=False):
            plate.label, plate.value = figure.label, figure.value
            plate.tone = figure.tone.value
        self._resize()

    def _resize(self, *_: object) -> None:
        if not self._shown:
            self.height = 0
            return
        self.cols = 2 if skin.portrait and self._shown > 2 else self._shown
        rows = -(-self._shown // self.cols)
        self.height = rows * (dp(64) * min(skin.scale, 1.2) + dp(10))


class Meter(Plate):
    """How much of a limit is used: a bar that warns from four fifths on."""

    percent = NumericProperty(-1)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(size_hint_y=None, height=0, **kwargs)
        self.fbind("percent", self._changed)

    def paint(self) -> None:
        """See ``Painted.paint``."""
        if self.percent < 0:
            return
        tall = dp(8)
        low = self.top - tall
        radius = [tall / 2] * 4
        self.colour("light_off")
        SmoothRoundedRectangle(pos=(self.x, low), size=(self.width, tall), radius=radius)
        share = min(100, self.percent) / 100
        if share <= 0:
            return
        self.colour("bad" if share >= 1 else "warn" if share >= 0.8 else "ok")
        width = max(tall, self.width * share)
        x = self.right - width if self.skin.say().rtl else self.x
        SmoothRoundedRectangle(pos=(x, low), size=(width, tall), radius=radius)
