"""What a till's process needs, imported once for all of them: see ``far_till``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from terminal.scripted import TILLS

for _point in entry_points(group=TILLS):
    _point.load()
for _name in ("acquirer", "printer", "reader"):
    import_module(f"hardware_sim.{_name}")
