"""A card that is taken from the bench with the mouse and held to the till.

Rules of this file: the card is on the reader for as long as it is over the till, and stays there
when it is let go; carried away again, it is gone from the reader too. Up and down the cards
scroll, so only a card that is pulled sideways is picked up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from ui.touch.bench.widgets import CardFace

_PULL = 12
_KEY = "bench_drag"


class Drag:
    """Follows one finger or mouse from a card to the till.

    Args:
        table: where the carried card is drawn.
        scroll: what the cards scroll in; it lies still while one is carried.
        till: where the reader is.
        reached: called with the card when it comes over the till.
        left: called with the card when it leaves the till again.
    """

    def __init__(
        self,
        table: Widget,
        scroll: Any,
        till: Widget,
        *,
        reached: Callable[[CardFace], object],
        left: Callable[[CardFace], object],
    ) -> None:
        self._table = table
        self._scroll = scroll
        self._till = till
        self._reached = reached
        self._left = left
        self._carried: CardFace | None = None
        self._over = False

    def down(self, touch: Any, faces: Sequence[CardFace]) -> None:
        """Notes which card is under the finger, if one is."""
        if self._carried is None and self._scroll.collide_point(*touch.pos):
            for face in faces:
                if face.collide_point(*face.to_widget(*touch.pos)):
                    face.carried = False
                    touch.ud[_KEY] = face

    def move(self, touch: Any) -> bool:
        """Carries the card; False where there is none to carry."""
        face = touch.ud.get(_KEY)
        if face is None:
            return False
        if not face.carried:
            across, along = abs(touch.x - touch.ox), abs(touch.y - touch.oy)
            if self._carried is not None or across < dp(_PULL) or across < along:
                return False
            self._pick_up(face)
        assert self._carried is not None
        self._carried.center = touch.pos
        self._look(face, over=self._till.collide_point(*touch.pos))
        return True

    def up(self, touch: Any) -> bool:
        """Lets go: on the till the card stays where it is."""
        face = touch.ud.pop(_KEY, None)
        if face is None or not face.carried or self._carried is None:
            return False
        self._table.remove_widget(self._carried)
        self._carried, self._over = None, False
        self._scroll.do_scroll_y = True
        face.opacity = 1
        face.held = False
        return True

    def _pick_up(self, face: CardFace) -> None:
        face.carried = True
        face.opacity = 0.35
        self._scroll.do_scroll_y = False
        self._carried = CardFace(face.card, size_hint=(None, None), size=face.size)
        self._carried.test_id = ""
        self._table.add_widget(self._carried)

    def _look(self, face: CardFace, *, over: bool) -> None:
        if over == self._over:
            return
        self._over = over
        assert self._carried is not None
        self._carried.held = over
        if over:
            self._reached(face)
        else:
            self._left(face)
