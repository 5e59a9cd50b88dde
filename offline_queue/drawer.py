"""The cash drawer in the ledger: float, what is put in and taken out, and blind counts.

Rules of this file: one SQL transaction each; append-only events. What cash payments have moved is
read from the sums that are kept with every sale, so that a void or a refund of whenever is in the
drawer in which its money was. A count is recorded before anybody is told what should be there.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from offline_queue.day_log import add, events_since
from offline_queue.sql import one
from offline_queue.store import Store
from terminal.day_events import DrawerCounted, DrawerMoved, DrawerOpened
from terminal.drawer import CashMove, DrawerStanding, drawer_of, judge_move
from terminal.errors import StoreError
from terminal.money import Amount, Currency
from terminal.ports import Clock

_CASH = """
    SELECT coalesce(sum((CASE kind WHEN 'refund' THEN -1 ELSE 1 END)
        * (counted_minor + rounding_minor)), 0)
    FROM summary WHERE tender = 'cash' AND state = 'approved' AND currency = ?
"""


def cash_minor(connection: apsw.Connection, currency: Currency) -> int:
    """What all cash payments have moved into the drawer, whenever; negative for out of it."""
    return int(one(connection, _CASH, (currency.code,)))


def subject_of(currency: Currency) -> str:
    """Under which name the events of the drawer for a currency are kept."""
    return f"drawer:{currency.code}"


def standing(connection: apsw.Connection, currency: Currency) -> DrawerStanding | None:
    """The drawer as it stands; None before it had a float."""
    events = events_since(connection, subject_of(currency), DrawerOpened.__name__)
    return drawer_of(events, cash_minor(connection, currency), currency) if events else None


@dataclass(frozen=True, slots=True)
class Drawer:
    """The drawer for one currency. Every method raises StoreError where the ledger fails."""

    store: Store
    currency: Currency

    def standing(self) -> DrawerStanding | None:
        """The drawer as it stands; None before it had a float."""
        with self.store.read() as connection:
            return standing(connection, self.currency)

    def begin(self, amount: Amount, clock: Clock, *, by: str) -> DrawerStanding:
        """Begins with a float: from here on everything is counted anew.

        Raises:
            AmountError: it is in another currency.
        """
        amount + Amount(0, self.currency)
        code, at = self.currency.code, clock.now()
        with self.store.write() as connection:
            before = cash_minor(connection, self.currency)
            event = DrawerOpened(at, amount.minor, code, by, before)
            add(connection, subject_of(self.currency), event)
            return self._now(connection)

    def move(self, move: CashMove, clock: Clock, *, limit_minor: int) -> DrawerStanding:
        """Records cash that is put in or taken out.

        Raises:
            AmountError: it is nothing, has no reason, or is more than the drawer should hold.
            SupervisorNeeded: more than ``limit_minor`` is taken out, and nobody has allowed it.
            StoreError: the drawer has no float.
        """
        at = clock.now()
        with self.store.write() as connection:
            judge_move(self._now(connection), move, limit_minor)
            event = DrawerMoved(
                at, move.minor, self.currency.code, move.by, move.reason, move.approved_by
            )
            add(connection, subject_of(self.currency), event)
            return self._now(connection)

    def count(self, amount: Amount, clock: Clock, *, by: str) -> DrawerStanding:
        """Records what somebody counted, beside what should have been there at that moment.

        Raises:
            AmountError: it is in another currency.
            StoreError: the drawer has no float.
        """
        amount + Amount(0, self.currency)
        at = clock.now()
        with self.store.write() as connection:
            expected = self._now(connection).expected_minor
            event = DrawerCounted(at, amount.minor, expected, self.currency.code, by)
            add(connection, subject_of(self.currency), event)
            return self._now(connection)

    def _now(self, connection: apsw.Connection) -> DrawerStanding:
        now = standing(connection, self.currency)
        if now is None:
            raise StoreError(
                "The drawer has no float yet.", remedy="Begin with taptill drawer float AMOUNT."
            )
        return now
