"""Every widget that a kv file may name, imported in one place so that Kivy knows them."""

from __future__ import annotations

from ui.touch.kit.figures import Figures, Meter
from ui.touch.kit.listing import Listing
from ui.touch.kit.press import Press
from ui.touch.kit.qr import Qr
from ui.touch.kit.signs import Badge, Countdown, Dots, Lights, Notice
from ui.touch.kit.stage import Stage
from ui.touch.kit.surface import Grid, Plate, PlateBox, PlateRow, Row, Split
from ui.touch.kit.txt import Txt

WIDGETS = (
    *(Badge, Countdown, Dots, Figures, Grid, Lights, Listing, Meter, Notice, Plate, PlateBox),
    *(PlateRow, Press, Qr, Row, Split, Stage, Txt),
)
