"""What holds at the end of every scenario, whatever it was about.

Rules of this file: the rules are about money and card data, never about wording. A rule that a
scenario suspends (a host that forgets its answers books copies twice) is named in ``Scene``.
"""

from __future__ import annotations

from collections import Counter

from hardware_sim.acquirer_ledger import CaptureState
from hardware_sim.expectations import captures_of
from hardware_sim.leaks import forms_of
from hardware_sim.scene import Scene, Unmet

MAY_BE_CAPTURED = frozenset(
    {"approved", "unknown", "authorising", "stored", "set aside", "interrupted", "voiding"}
)
"""States in which the acquirer may have booked the money already."""

_READ_AT_ONCE = 1 << 24


def check_house_rules(scene: Scene) -> None:
    """Checks them all.

    Raises:
        Unmet: one is broken.
    """
    if scene.accounted:
        _ledgers_agree(scene)
    _no_card_data_on_disk(scene)


def _ledgers_agree(scene: Scene) -> None:
    sales = {sale.rrn: sale for sale in scene.running.sales() if sale.rrn and sale.kind == "sale"}
    captured = [
        row
        for row in captures_of(scene)
        if row.state is CaptureState.CAPTURED and row.kind == "sale"
    ]
    for rrn, times in Counter(row.rrn for row in captured).items():
        if times > 1:
            raise Unmet("each sale captured once", f"RRN {rrn} is captured {times} times")
    booked = {row.rrn: row.amount_minor for row in captured}
    for rrn, sale in sales.items():
        if sale.state == "approved" and booked.get(rrn) != sale.approved_minor:
            raise Unmet(
                f"an approved sale of {sale.approved_minor} captured as such",
                f"{booked.get(rrn, 'nothing')} in the acquirer's books",
            )
        if rrn in booked and sale.state not in MAY_BE_CAPTURED:
            raise Unmet(
                f"no money for a sale that is {sale.state}",
                f"{booked[rrn]} captured in the acquirer's books",
            )


def _no_card_data_on_disk(scene: Scene) -> None:
    """The plain forms only: twenty forms in every file are the work of a test of their own."""
    needles = {
        form: needle
        for pan in scene.cards_used
        for form, needle in forms_of(pan).items()
        if form in {"ASCII", "BCD", "BCD, odd", "UTF-16LE"}
    }
    for path in (*scene.order.data_dir.rglob("*"), *scene.receipts.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()[:_READ_AT_ONCE]
        for form, needle in needles.items():
            if needle in content:
                raise Unmet("no card number on disk", f"one in {path.name}, as {form}")
