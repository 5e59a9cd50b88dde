"""What the clerk says about bills, the catalogue, the drawer, and what a card usually does.

Rules of this file: reading only, over the clerk's own connection.
"""

from __future__ import annotations

from offline_queue.bills import Bills
from offline_queue.drawer import Drawer
from offline_queue.habits import Usual, usual
from offline_queue.items import Items
from offline_queue.store import Store
from ui.counter_questions import (
    BillShown,
    BillsShown,
    BillsWanted,
    BillWanted,
    CatalogueShown,
    CatalogueWanted,
    CounterAnswer,
    DrawerShown,
    DrawerWanted,
    ItemShown,
    ItemWanted,
    UsualShown,
    UsualWanted,
)
from ui.wiring import Parts

CounterReading = (
    BillsWanted | BillWanted | UsualWanted | DrawerWanted | CatalogueWanted | ItemWanted
)


def answer(parts: Parts, books: Store, question: CounterReading) -> CounterAnswer:
    """The answer to a question that changes nothing.

    Raises:
        StoreError: there is no such bill or sale, or the ledger cannot be read.
    """
    match question:
        case BillsWanted():
            return BillsShown(tuple(Bills(books).unpaid()))
        case BillWanted(name):
            return BillShown(Bills(books).standing(name))
        case UsualWanted(txn_id):
            card = parts.journal.transaction(txn_id).card
            return UsualShown(txn_id, usual(books, card) if card is not None else Usual())
        case DrawerWanted():
            currency = parts.settings.config.till.currency
            return DrawerShown(Drawer(books, currency).standing())
        case CatalogueWanted():
            return CatalogueShown(Items(books).catalogue())
        case ItemWanted(barcode):
            return ItemShown(barcode, Items(books).by_barcode(barcode))
