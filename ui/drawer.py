"""What ``taptill drawer`` does: float, in, out, count, show.

Rules of this file: a count is recorded before the till says what should be there.
"""

from __future__ import annotations

from dataclasses import dataclass

from offline_queue.drawer import Drawer
from offline_queue.store import Store
from terminal.drawer import CashMove, DrawerStanding
from terminal.errors import StoreError
from terminal.money import Amount
from terminal.roles import Action
from ui.books import require_ledger
from ui.pins import supervisor
from ui.reporting.files import decimal, drawer_cells
from ui.tables import print_fields, print_json
from ui.wiring import Settings, assembled


@dataclass(frozen=True, slots=True)
class Moved:
    """Cash that is put in (``sign`` 1) or taken out (-1), as it was typed."""

    amount: str
    sign: int
    reason: str
    by: str = ""
    approved_by: str = ""


def begin(settings: Settings, text: str, *, by: str, as_json: bool) -> int:
    """Begins with a float."""
    currency = settings.config.till.currency
    amount = Amount.parse(text, currency)
    with assembled(settings) as parts:
        by = supervisor(parts, by, Action.COUNT_DRAWER)
        now = Drawer(parts.journal.store, currency).begin(amount, parts.clock, by=by)
    return _show(now, as_json=as_json)


def move(settings: Settings, moved: Moved, *, as_json: bool) -> int:
    """Puts cash in, or takes it out."""
    currency = settings.config.till.currency
    minor = moved.sign * Amount.parse(moved.amount, currency).minor
    limit_minor = settings.config.cash.pay_out_limit_minor
    require_ledger(settings)
    with assembled(settings) as parts:
        approved_by = moved.approved_by
        if -minor > limit_minor:
            approved_by = supervisor(parts, approved_by, Action.PAY_OUT)
        cash = CashMove(minor, moved.reason, moved.by, approved_by)
        drawer = Drawer(parts.journal.store, currency)
        now = drawer.move(cash, parts.clock, limit_minor=limit_minor)
    return _show(now, as_json=as_json)


def count(settings: Settings, text: str, *, by: str, as_json: bool) -> int:
    """Records a count."""
    currency = settings.config.till.currency
    amount = Amount.parse(text, currency)
    require_ledger(settings)
    with assembled(settings) as parts:
        by = supervisor(parts, by, Action.COUNT_DRAWER)
        now = Drawer(parts.journal.store, currency).count(amount, parts.clock, by=by)
    return _show(now, as_json=as_json)


def show(settings: Settings, *, as_json: bool) -> int:
    """Shows the drawer."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        now = Drawer(store, settings.config.till.currency).standing()
    if now is None:
        raise StoreError(
            "The drawer has no float yet.", remedy="Begin with taptill drawer float AMOUNT."
        )
    return _show(now, as_json=as_json)


def _show(now: DrawerStanding, *, as_json: bool) -> int:
    cells = drawer_cells(now)
    if as_json:
        minor = {f"{name}_minor": value for name, value in cells.items()}
        print_json(
            {
                **minor,
                "currency": now.currency.code,
                "opened_at": now.opened_at.isoformat(),
                "opened_by": now.opened_by,
                "counted_by": now.counted_by,
            }
        )
        return 0
    names = {
        "float": "Float",
        "taken": "Cash taken",
        "put_in": "Put in",
        "taken_out": "Taken out",
        "expected": "Should be there",
        "counted": "Counted",
        "difference": "Difference",
    }
    fields = {names[name]: decimal(minor, now.currency) for name, minor in cells.items()}
    print_fields(f"Cash drawer, {now.currency.code}", fields)
    return 0
