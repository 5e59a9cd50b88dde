"""Finding a sale again: the history as lines that are quick to make, for thousands of sales.

Rules of this file: reading only. A query is what a person types: part of an amount, the last four
digits of a card, a time, a token or a number of the sale; nothing in it reaches SQL as text.
"""

from __future__ import annotations

import re
from typing import Any

from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.money import Currency

COLUMNS = (
    *("txn_id", "sequence", "created_at", "amount_minor", "currency", "state"),
    *("scheme", "masked_pan", "training"),
)
HISTORY_MAX = 20_000
"""More lines than this nobody scrolls through; a query finds what is older."""

_ALL = (
    "SELECT txn_id, sequence, created_at, amount_minor, currency, state,"
    " coalesce(scheme, ''), coalesce(masked_pan, ''), training FROM txn"
)
_TIME = re.compile(r"(\d{1,2}):(\d{0,2})")
_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]*)?")


class History:
    """Questions about past sales. Every method raises StoreError where the ledger is unreadable."""

    def __init__(self, store: Store, currency: Currency) -> None:
        self._store = store
        self._currency = currency

    def find(self, query: str, *, utc_offset_minutes: int = 0) -> list[tuple[Any, ...]]:
        """The sales that match, newest first, each as a row of ``COLUMNS``.

        A time of the query is the shop's, ``utc_offset_minutes`` ahead of UTC.
        """
        where, values = self._condition(query.strip(), utc_offset_minutes)
        with self._store.read() as connection:
            return rows(
                connection,
                # The conditions are constants of this file.
                f"{_ALL} WHERE {where} ORDER BY sequence DESC LIMIT :most",
                {**values, "most": HISTORY_MAX},
            )

    def named(self, name: str) -> str:
        """The id of the sale that this text names, or nothing.

        It may be the id itself, or a receipt's number: ``TAP00001-000012``.
        """
        number = re.fullmatch(r"(?:[A-Za-z0-9]{8}-)?0*(\d{1,9})", name.strip())
        with self._store.read() as connection:
            found = rows(
                connection,
                "SELECT txn_id FROM txn WHERE txn_id = ? OR sequence = ? LIMIT 1",
                (name.strip(), int(number[1]) if number else -1),
            )
        return str(found[0][0]) if found else ""

    def _condition(self, query: str, offset: int) -> tuple[str, dict[str, str | int]]:
        if not query:
            return "1", {}
        if (time := _TIME.fullmatch(query)) is not None:
            # The hour is that of the shop's wall as it stood then, in summer or in winter; the
            # minutes of the ledger are UTC's.
            return (
                "printf('%02d', hour) || strftime(':%M', created_at, :offset) LIKE :time",
                {
                    "offset": f"{offset} minutes",
                    "time": f"{int(time[1]):02d}:{time[2]}%",
                },
            )
        if _NUMBER.fullmatch(query):
            digits = re.sub(r"[.,]", "", query)
            exact = self._minor(query)
            return (
                (
                    "amount_minor = :minor OR amount_minor = :whole"
                    " OR masked_pan LIKE :pan OR sequence = :number OR rrn LIKE :rrn"
                ),
                {
                    "minor": int(digits[:15]),
                    "whole": exact,
                    "pan": f"%{digits}",
                    "number": int(digits[:9]),
                    "rrn": f"%{digits}",
                },
            )
        plain = re.sub(r"[%_\\\\]", "", query)
        return (
            "token LIKE :any OR txn_id LIKE :any OR scheme LIKE :start OR approval_code = :exact",
            {"any": f"%{plain}%", "start": f"{plain}%", "exact": plain},
        )

    def _minor(self, query: str) -> int:
        """The number as an amount in the till's currency; ``12.5`` is 12.50."""
        whole, _, fraction = query.replace(",", ".").partition(".")
        exponent = self._currency.exponent
        padded = fraction[:exponent].ljust(exponent, "0")
        return int(f"{whole}{padded}"[:15] or 0)
