"""The ``txn`` table: what each sale's events add up to, as columns that SQL can query.

Rules of this file: the events are the truth and this is a copy of their fold, written in the
same SQL transaction; ``verify`` proves the two equal, row by row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from itertools import groupby
from types import MappingProxyType
from typing import Any

import apsw

from offline_queue import summary
from offline_queue.events import StoredEvent, decode, read_time, write_time
from terminal.errors import AmountError, ConfigError, StoreError
from terminal.ledger import Kind
from terminal.money import Amount, Currency
from terminal.terms import Part, Tender, Terms, TransactionKind
from terminal.transaction import CardSummary, Event, SaleIntended, State, Transaction, replay

_CARD = tuple(field.name for field in fields(CardSummary))
_SALE = (
    *("txn_id", "sequence", "state", "amount_minor", "currency", "created_at", "changed_at"),
    *("cashier", "training", "stan", "rrn", "batch", "response_code", "approval_code"),
    *("approved_minor", "stored_offline", "reason", "card_approved", "refusal"),
    *("approved_minor", "stored_offline", "reason", "transmitted_at", "taps", "held_minor"),
    *("tendered_minor", "rounding_minor", "reference", "voided_by"),
)
# "kind" alone would be taken for that of a message, in every join with the outbox.
_TERMS_KIND = "txn_kind"
_TERMS = (_TERMS_KIND, *(field.name for field in fields(Terms) if field.name != "kind"))
_COLUMNS = (*_SALE, *_TERMS, *_CARD)

# The names are constants of this file and of the dataclass, never input.
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM txn"  # noqa: S608
# Names again.
_INSERT = (
    f"INSERT INTO txn ({', '.join(_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
# Names again.
_UPDATE = (
    f"UPDATE txn SET {', '.join(f'{name} = :{name}' for name in _COLUMNS[1:])}"  # noqa: S608
    " WHERE txn_id = :txn_id"
)

WAITING: Mapping[State, Kind] = MappingProxyType(
    {
        State.AUTHORISING: Kind.SALE,
        State.STORED: Kind.ADVICE,
        State.SET_ASIDE: Kind.ADVICE,
        State.UNKNOWN: Kind.REVERSAL,
        State.VOIDING: Kind.REVERSAL,
    }
)
"""The states in which exactly one message of this kind is in the outbox; in others, none."""


def row_of(sale: Transaction) -> dict[str, str | int | None]:
    """The sale as columns."""
    row: dict[str, str | int | None] = {
        "txn_id": sale.txn_id,
        "sequence": sale.sequence,
        "state": sale.state.value,
        "amount_minor": sale.amount.minor,
        "currency": sale.amount.currency.code,
        "created_at": write_time(sale.created_at),
        "changed_at": write_time(sale.changed_at),
        "cashier": sale.cashier,
        "training": int(sale.training),
        "stan": sale.stan,
        "rrn": sale.rrn,
        "batch": sale.batch,
        "response_code": sale.response_code,
        "approval_code": sale.approval_code,
        "approved_minor": sale.approved_minor,
        "stored_offline": int(sale.stored_offline),
        "reason": sale.reason,
        "card_approved": int(sale.card_approved),
        "refusal": sale.refusal,
        "transmitted_at": write_time(sale.transmitted_at) if sale.transmitted_at else None,
        "taps": sale.taps,
        "held_minor": sale.held_minor,
        "tendered_minor": sale.tendered_minor,
        "rounding_minor": sale.rounding_minor,
        "reference": sale.reference,
        "voided_by": sale.voided_by,
    }
    terms = sale.terms
    for name in _TERMS[1:]:
        row[name] = getattr(terms, name)
    row[_TERMS_KIND], row["tender"] = terms.kind.value, terms.tender.value
    row["parts"] = json.dumps([astuple(part) for part in terms.parts], ensure_ascii=False)
    for name in _CARD:
        row[name] = getattr(sale.card, name) if sale.card is not None else None
    return row


def transaction_of(row: tuple[Any, ...]) -> Transaction:
    """The sale from a row of ``SELECT``.

    Raises:
        StoreError: a value cannot be what was written.
    """
    named = dict(zip(_COLUMNS, row, strict=True))
    card = {name: named.pop(name) for name in _CARD}
    terms = {name: named.pop(name) for name in _TERMS}
    transmitted = named.pop("transmitted_at")
    try:
        parts = tuple(Part(*part) for part in json.loads(terms.pop("parts")))
        kind, tender = TransactionKind(terms.pop(_TERMS_KIND)), Tender(terms.pop("tender"))
        about = Terms(kind=kind, tender=tender, parts=parts, **terms)
        amount = Amount(named.pop("amount_minor"), Currency.of(named.pop("currency")))
        state = State(named.pop("state"))
    except (ValueError, TypeError, AssertionError, AmountError, ConfigError) as cause:
        raise StoreError(f"The ledger's sale {row[0]!r} is unreadable: {cause}") from cause
    return Transaction(
        amount=amount,
        state=state,
        created_at=read_time(named.pop("created_at")),
        changed_at=read_time(named.pop("changed_at")),
        training=bool(named.pop("training")),
        stored_offline=bool(named.pop("stored_offline")),
        card_approved=bool(named.pop("card_approved")),
        card=CardSummary(**card) if card["token"] is not None else None,
        terms=about,
        transmitted_at=read_time(transmitted) if transmitted else None,
        **named,
    )


def insert(connection: apsw.Connection, sale: Transaction) -> None:
    """Adds the row of a new sale."""
    connection.execute(_INSERT, row_of(sale))
    summary.add(connection, None, sale)


def update(connection: apsw.Connection, before: Transaction, sale: Transaction) -> None:
    """Brings the row of a sale, and the summary that counts it, up to its last event."""
    connection.execute(_UPDATE, row_of(sale))
    summary.add(connection, before, sale)


def load(connection: apsw.Connection, txn_id: str) -> Transaction:
    """The sale with this id.

    Raises:
        StoreError: there is none.
    """
    row = connection.execute(f"{SELECT} WHERE txn_id = ?", (txn_id,)).fetchone()
    if row is None:
        raise StoreError(f"The ledger has no sale {txn_id!r}.")
    return transaction_of(row)


def check_outbox(connection: apsw.Connection, sale: Transaction) -> None:
    """Asserts that the sale has the one message its state needs, and no other."""
    rows = connection.execute("SELECT kind FROM outbox WHERE txn_id = ?", (sale.txn_id,))
    found = [kind for (kind,) in rows.fetchall()]
    needed = WAITING.get(sale.state)
    if found != ([needed.value] if needed else []):
        raise AssertionError(
            f"a sale that is {sale.state.value} has these messages in the outbox: {found}"
        )


def known_columns(connection: apsw.Connection) -> bool:
    """Whether the table has every column that this version reads."""
    found = connection.execute("SELECT name FROM pragma_table_info('txn')").fetchall()
    return set(_COLUMNS) <= {name for (name,) in found}


def verify(connection: apsw.Connection) -> int:
    """Proves every row equal to the fold of its events; the number of sales.

    Raises:
        StoreError: an event is unreadable, a step is impossible, or a row differs.
    """
    rows = connection.execute("SELECT txn_id, type, at, payload FROM event ORDER BY txn_id, seq")
    seen = set()
    counted = summary.Counts()
    for txn_id, group in groupby(rows, key=lambda row: str(row[0])):
        events: list[Event] = [decode(StoredEvent(*row[1:])) for row in group]
        seen.add(txn_id)
        try:
            folded = replay(events)
        except AssertionError as cause:
            raise _differs(txn_id, str(cause)) from cause
        if not isinstance(events[0], SaleIntended) or events[0].txn_id != txn_id:
            raise _differs(txn_id, "its first event belongs to another sale")
        if folded != load(connection, txn_id):
            raise _differs(txn_id, "its row is not what its events add up to")
        try:
            check_outbox(connection, folded)
        except AssertionError as cause:
            raise _differs(txn_id, str(cause)) from cause
        counted.count(folded)
    for (txn_id,) in connection.execute("SELECT txn_id FROM txn"):
        if txn_id not in seen:
            raise _differs(txn_id, "it has no events")
    summary.verify(connection, counted)
    return len(seen)


def _differs(txn_id: str, reason: str) -> StoreError:
    return StoreError(
        f"The ledger contradicts itself about sale {txn_id!r}: {reason}.",
        remedy="Keep the file as it is and have it looked at before selling on.",
    )
