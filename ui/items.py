"""What ``taptill catalogue`` does, and orders of items on the command line.

Rules of this file: a list is read whole before anything is changed; its faults are named by line
and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offline_queue.items import Items
from offline_queue.store import Store
from terminal.catalogue import Catalogue, rate_bp_of, read_catalogue
from terminal.errors import AmountError, ConfigError
from terminal.order import Order, picked
from terminal.roles import Action
from ui.books import require_ledger
from ui.pins import supervisor
from ui.tables import print_json, print_table
from ui.wiring import Settings, assembled


def load(settings: Settings, path: Path, *, by: str, check: bool, as_json: bool) -> int:
    """Puts the list in this file in the place of the till's; with ``check`` only reads it.

    Raises:
        ConfigError: the file cannot be read.
        CatalogueError: lines of it cannot; nothing was changed.
    """
    found = read_catalogue(_text(path), settings.config.till.currency, str(path))
    if not check:
        with assembled(settings) as parts:
            by = supervisor(parts, by, Action.CHANGE_SHOP)
            Items(parts.journal.store).load(found, parts.clock, by=by)
    _show(found, as_json=as_json)
    return 0


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise ConfigError(
            f"{path} cannot be read ({cause.strerror}).", remedy="Check the path."
        ) from cause
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as cause:
        line = content.count(b"\n", 0, cause.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8 text (line {line}, byte {cause.start}).",
            remedy="Save it as CSV in UTF-8; nothing was changed.",
        ) from cause


def show(settings: Settings, *, as_json: bool) -> int:
    """Shows the list that the till has."""
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        _show(Items(store).catalogue(), as_json=as_json)
    return 0


def _show(found: Catalogue, *, as_json: bool) -> None:
    rows = [
        {
            "name": item.name,
            "price": str(item.price),
            "group": item.group,
            "tax": f"{item.rate_bp / 100:g} %",
            "barcode": item.barcode,
            "key": item.key or "",
        }
        for item in found.items
    ]
    if as_json:
        print_json({"items": rows})
        return
    headings = {name: name.capitalize() for name in ("name", "price", "group", "tax", "barcode")}
    print_table("Items", {**headings, "key": "Key"}, rows, "There is no catalogue.")


def reduced(settings: Settings, items: Sequence[str], discount: str, surcharge: str) -> Order:
    """The order of these items, with a discount or a surcharge in percent.

    Raises:
        AmountError: one is not in the list, or this is no percentage.
    """
    text = discount or surcharge or "0"
    rate_bp = rate_bp_of(text)
    if rate_bp is None:
        raise AmountError(f"{text!r} is no percentage.", remedy="Write it like 10 or 2.5.")
    return order_of(settings, items, rate_bp if discount else -rate_bp)


def order_of(settings: Settings, items: Sequence[str], discount_bp: int = 0) -> Order:
    """The order of these items of the till's list, each by name or barcode: ``2xTea``.

    Raises:
        AmountError: one is not in the list, or is priced in another currency.
        StoreError: there is no ledger, so there is no list.
    """
    require_ledger(settings)
    with Store.read_only(settings.ledger_path) as store:
        order = picked(Items(store).catalogue(), settings.config.till.currency, items)
    return Order(order.currency, order.lines, discount_bp)
