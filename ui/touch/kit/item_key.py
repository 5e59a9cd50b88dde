"""Item keys: what is sold most, each a key with its name, its price and the colour of its group."""

from __future__ import annotations

from typing import Any

from kivy.graphics import SmoothRoundedRectangle
from kivy.metrics import dp, sp
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from ui.presenter.page import ItemKey
from ui.presenter.sayings import Glyph
from ui.touch.kit.glyphs import GLYPHS
from ui.touch.kit.surface import Painted
from ui.touch.kit.txt import Txt, measure

_COUNT_MAX = 99
"""More of one item than this are not counted on the key; the line says it."""


class ItemPress(ButtonBehavior, Painted):
    """One item: touched, there is one more of it. The badge says how many there are."""

    name = StringProperty("")
    price = StringProperty("")
    hue = NumericProperty(0)
    count = NumericProperty(0)
    test_id = StringProperty("")

    def __init__(self, **kwargs: Any) -> None:
        self.touch: Any = None
        super().__init__(**kwargs)
        self._name = Txt(
            sizes=[17, 16, 15, 14, 13, 12], bold=True, max_lines=3, valign="top", cuts=True
        )
        self._price = Txt(sizes=[16, 15, 14, 13, 12], shade="ink2", valign="bottom")
        self._badge = Txt(sizes=[15, 14, 13], bold=True, shade="on_brand", align="center")
        for widget in (self._name, self._price, self._badge):
            self.add_widget(widget)
        for each in ("name", "price", "hue", "count", "state"):
            self.fbind(each, self._changed)

    def show(self, key: ItemKey) -> None:
        """Becomes the key of another item."""
        self.name, self.price, self.hue, self.count = key.name, key.price, key.hue, key.count
        self.touch = key.touch

    def paint(self) -> None:
        """See ``Painted.paint``."""
        down = self.state == "down"
        rtl = self.skin.say().rtl
        self.plate("pressed" if down else "surface", border="hairline", radius=dp(14))
        self._name.text, self._price.text = self.name, self.price
        if self.hue < 0:
            self._more(rtl=rtl)
            return
        band, pad = dp(5), dp(9)
        x = self.right - pad - band if rtl else self.x + pad
        self.colour(f"hue_{int(self.hue)}")
        SmoothRoundedRectangle(
            pos=(x, self.y + pad), size=(band, self.height - 2 * pad), radius=[band / 2] * 4
        )
        start, end = pad + band + dp(7), dp(7)
        width = max(1, self.width - start - end)
        left = self.x + (end if rtl else start)
        price = min(dp(24) * self.skin.scale, self.height * 0.34)
        self._name.pos = (left, self.y + price + dp(4))
        self._name.size = (width, max(1, self.height - price - dp(12)))
        self._name.valign, self._name.align = "top", "start"
        self._price.pos, self._price.size = (left, self.y + dp(6)), (width, price)
        self._count(rtl=rtl)

    def _count(self, *, rtl: bool) -> None:
        """How many of it are in the order, at the lower corner: the price stands at the other."""
        if not self.count:
            self._badge.text = ""
            return
        size = dp(26) * min(self.skin.scale, 1.15)
        x = self.x + dp(6) if rtl else self.right - dp(6) - size
        self.colour("brand")
        SmoothRoundedRectangle(pos=(x, self.y + dp(6)), size=(size, size), radius=[size / 2] * 4)
        self._badge.text = str(self.count) if self.count <= _COUNT_MAX else f"{_COUNT_MAX}+"
        self._badge.pos, self._badge.size = (x, self.y + dp(6)), (size, size)
        self._price.width = max(1, self._price.width - size - dp(2))
        least = sp(self._price.sizes[-1])
        plain = "".join(each for each in self.price if each.isprintable())
        if measure(plain, least, bold=False) > self._price.width:
            # The line of the order says the price; how many there are is said here.
            self._price.text = ""
        if rtl:
            self._price.x += size + dp(2)

    def _more(self, *, rtl: bool) -> None:
        """The key that shows the next ones."""
        self._badge.text = ""
        self.colour("ink2")
        GLYPHS[Glyph.BACK if rtl else Glyph.MORE](
            self.center_x, self.center_y + dp(10), dp(13), dp(1.6)
        )
        self._name.align, self._name.valign = "center", "bottom"
        self._name.pos = (self.x + dp(6), self.y + dp(8))
        self._name.size = (max(1, self.width - dp(12)), dp(28) * self.skin.scale)
