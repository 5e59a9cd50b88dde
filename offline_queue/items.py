"""What the shop sells: the catalogue in the ledger, replaced whole or not at all.

Rules of this file: loading is one SQL transaction; a list with a fault never comes this far (see
``terminal.catalogue``). What was sold keeps the price that it had: a sale refers to no item.
"""

from __future__ import annotations

from offline_queue.day_log import add, events_of
from offline_queue.sql import rows
from offline_queue.store import Store
from terminal.catalogue import Catalogue, Item
from terminal.day_events import CatalogueLoaded
from terminal.money import Amount, Currency
from terminal.ports import Clock

SUBJECT = "catalogue"
_COLUMNS = "name, price_minor, currency, item_group, rate_bp, barcode, key"


class Items:
    """The catalogue of a till. Every method raises StoreError where the ledger cannot be used."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, catalogue: Catalogue, clock: Clock, *, by: str = "") -> None:
        """Puts this catalogue in the place of the one before."""
        found = [
            (
                *(place, item.name, item.price.minor, item.price.currency.code),
                *(item.group, item.rate_bp, item.barcode, item.key),
            )
            for place, item in enumerate(catalogue.items, start=1)
        ]
        event = CatalogueLoaded(clock.now(), len(found), by)
        with self._store.write() as connection:
            connection.execute("DELETE FROM item")
            connection.executemany(
                f"INSERT INTO item (place, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - constants
                found,
            )
            add(connection, SUBJECT, event)

    def catalogue(self) -> Catalogue:
        """Everything that is sold, in the order of the list."""
        with self._store.read() as connection:
            found = rows(connection, f"SELECT {_COLUMNS} FROM item ORDER BY place")  # noqa: S608 - constants
        return Catalogue(tuple(_item(*row) for row in found))

    def by_barcode(self, barcode: str) -> Item | None:
        """The item with this barcode, as a scanner types it; None where there is none."""
        wanted = barcode.strip()
        with self._store.read() as connection:
            found = rows(
                connection,
                f"SELECT {_COLUMNS} FROM item WHERE barcode = ? AND barcode <> ''",  # noqa: S608 - constants
                (wanted,),
            )
        return _item(*found[0]) if found else None

    def loaded(self) -> CatalogueLoaded | None:
        """When the catalogue was loaded last; None where none was."""
        with self._store.read() as connection:
            events = events_of(connection, SUBJECT)
        last = events[-1] if events else None
        return last if isinstance(last, CatalogueLoaded) else None


def _item(
    name: str, minor: int, code: str, group: str, rate_bp: int, barcode: str, key: int
) -> Item:
    return Item(name, Amount(minor, Currency.of(code)), group, rate_bp, barcode, key)
