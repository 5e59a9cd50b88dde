"""The bills of a till: opened, paid in parts, closed.

Rules of this file: one SQL transaction each. What a bill adds up to is ``offline_queue.bill_rows``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from offline_queue.bill_rows import note, standing
from offline_queue.numbers import next_number
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.bill import Bill, BillStanding
from terminal.day_events import BillDropped, BillOpened
from terminal.errors import StoreError
from terminal.money import Amount
from terminal.ports import Clock
from terminal.terms import Part


@dataclass(frozen=True, slots=True)
class NewBill:
    """What a bill is opened with: see ``terminal.bill.Bill``."""

    total: Amount
    parts: tuple[Part, ...] = ()
    lines: tuple[str, ...] = ()
    label: str = ""


class Bills:
    """The bills of a till; without a clock they are only read.

    Every method raises StoreError where the ledger cannot be used.
    """

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock

    def _now(self) -> datetime:
        if self._clock is None:
            raise AssertionError("without a clock bills are only read")
        return self._clock.now()

    def open(self, new: NewBill, *, cashier: str = "") -> BillStanding:
        """Opens a bill under the next number: ``B7``.

        Raises:
            AmountError: there is nothing to pay, or its parts are not its total.
        """
        now = self._now()
        with self._store.write() as connection:
            connection.execute("INSERT OR IGNORE INTO numbers (name, value) VALUES ('bill', 0)")
            bill = Bill(
                f"B{next_number(connection, 'bill')}", new.total, new.parts, new.lines, new.label
            )
            event = BillOpened(
                at=now,
                bill=bill.name,
                total=bill.total,
                lines=bill.lines,
                parts=bill.parts,
                cashier=cashier,
                label=bill.label,
            )
            note(connection, event)
            return standing(connection, bill.name)

    def drop(self, name: str, *, by: str, reason: str) -> BillStanding:
        """Closes a bill; what is still due of it is not going to be paid.

        Raises:
            StoreError: there is none, it is closed, or a payment of it is in doubt.
        """
        at = self._now()
        with self._store.write() as connection:
            now = standing(connection, name)
            if not now.open:
                raise StoreError(f"Bill {name} is not open.", remedy="Nothing is due of it.")
            if now.doubt.minor:
                raise StoreError(
                    f"Of bill {name} it is not known yet whether {now.doubt} was paid.",
                    remedy="Forward what waits with taptill sync first.",
                )
            note(connection, BillDropped(at, name, by, reason or "closed"))
            return standing(connection, name)

    def standing(self, name: str) -> BillStanding:
        """A bill, by its name in any case; ``7`` is ``B7``.

        Raises:
            StoreError: there is none.
        """
        plain = name.strip().upper()
        with self._store.read() as connection:
            return standing(connection, f"B{int(plain)}" if plain.isdecimal() else plain)

    def unpaid(self) -> list[BillStanding]:
        """Those on which something is due or in doubt, oldest first."""
        with self._store.read() as connection:
            names = rows(connection, "SELECT name FROM open_bill ORDER BY opened_at, name")
            return [standing(connection, name) for (name,) in names]
