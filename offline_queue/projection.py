"""The ``txn`` table: what each sale's events add up to, as columns that SQL can query.

Rules of this file: the events are the truth and this is a copy of their fold, written in the
same SQL transaction; ``verify`` proves the two equal, row by row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, fields
from functools import cache
from itertools import groupby
from operator import attrgetter, itemgetter
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
    *("transmitted_at", "taps", "held_minor"),
    *("tendered_minor", "rounding_minor", "reference", "voided_by"),
)
# "kind" alone would be taken for that of a message, in every join with the outbox.
_TERMS_KIND = "txn_kind"
_TERMS = (_TERMS_KIND, *(field.name for field in fields(Terms) if field.name != "kind"))
_COLUMNS = (*_SALE, *_TERMS, *_CARD)
_CARD_AT = len(_SALE) + len(_TERMS)
_PARTS_AT = _TERMS.index("parts") - 2
_TIMES = ("created_at", "changed_at")
_TRUTHS = ("training", "stored_offline", "card_approved")

# The names are constants of this file and of the dataclass, never input.
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM txn"  # noqa: S608
_SELECT_ONE = f"{SELECT} WHERE txn_id = ?"
# Names again.
_INSERT = (
    f"INSERT INTO txn ({', '.join(_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * len(_COLUMNS))})"
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


_Value = str | int | None
_Columns = tuple[tuple[str, Callable[[Any], _Value]], ...]


def _as_it_is(value: Any) -> Any:
    return value


def _parts(terms: Terms) -> str:
    if not terms.parts:
        return "[]"
    return json.dumps([astuple(part) for part in terms.parts], ensure_ascii=False)


def _card_column(name: str) -> Callable[[CardSummary | None], _Value]:
    return lambda card: None if card is None else getattr(card, name)


_WRITTEN_APART: dict[str, _Columns] = {
    "state": (("state", lambda state: state.value),),
    "amount": (
        ("amount_minor", lambda amount: amount.minor),
        ("currency", lambda amount: amount.currency.code),
    ),
    "created_at": (("created_at", write_time),),
    "changed_at": (("changed_at", write_time),),
    "training": (("training", int),),
    "stored_offline": (("stored_offline", int),),
    "card_approved": (("card_approved", int),),
    "transmitted_at": (("transmitted_at", lambda at: write_time(at) if at else None),),
    "terms": (
        (_TERMS_KIND, lambda terms: terms.kind.value),
        ("tender", lambda terms: terms.tender.value),
        ("parts", _parts),
        *(
            (name, attrgetter(name))
            for name in _TERMS
            if name not in {_TERMS_KIND, "tender", "parts"}
        ),
    ),
    "card": tuple((name, _card_column(name)) for name in _CARD),
}
_FIELDS: dict[str, _Columns] = {
    field.name: _WRITTEN_APART.get(field.name, ((field.name, _as_it_is),))
    for field in fields(Transaction)
}
"""What a transaction's fields are written as: columns, and what makes their values."""


def row_of(sale: Transaction) -> dict[str, _Value]:
    """The sale as columns."""
    return {
        column: write(getattr(sale, name))
        for name, columns in _FIELDS.items()
        for column, write in columns
    }


def _changes(before: Transaction, after: Transaction) -> dict[str, _Value]:
    """The columns of those fields in which two states of a sale differ."""
    changed: dict[str, _Value] = {}
    for name, columns in _FIELDS.items():
        value, old = getattr(after, name), getattr(before, name)
        if value is not old and value != old:
            for column, write in columns:
                changed[column] = write(value)
    return changed


@cache
def _update(columns: tuple[str, ...]) -> str:
    # Names of this file once more.
    return f"UPDATE txn SET {', '.join(f'{name} = ?' for name in columns)} WHERE txn_id = ?"  # noqa: S608


def transaction_of(row: tuple[Any, ...]) -> Transaction:
    """The sale from a row of ``SELECT``.

    Raises:
        StoreError: a value cannot be what was written.
    """
    named = dict(zip(_SALE, row, strict=False))
    kind, tender, *about = row[len(_SALE) : _CARD_AT]
    card = row[_CARD_AT:]
    parts = about[_PARTS_AT]
    try:
        if parts != "[]":
            about[_PARTS_AT] = tuple(Part(*part) for part in json.loads(parts))
        else:
            about[_PARTS_AT] = ()
        terms = Terms(TransactionKind(kind), Tender(tender), *about)
        amount = Amount(named.pop("amount_minor"), Currency.of(named.pop("currency")))
        named["state"] = State(named["state"])
    except (ValueError, TypeError, AssertionError, AmountError, ConfigError) as cause:
        raise StoreError(f"The ledger's sale {row[0]!r} is unreadable: {cause}") from cause
    for name in _TIMES:
        named[name] = read_time(named[name])
    for name in _TRUTHS:
        named[name] = bool(named[name])
    if named["transmitted_at"]:
        named["transmitted_at"] = read_time(named["transmitted_at"])
    return Transaction(
        amount=amount,
        card=CardSummary(*card) if card[0] is not None else None,
        terms=terms,
        **named,
    )


def insert(connection: apsw.Connection, sale: Transaction) -> None:
    """Adds the row of a new sale."""
    row = row_of(sale)
    connection.execute(_INSERT, [row[name] for name in _COLUMNS])
    summary.add(connection, None, sale)


def update(
    connection: apsw.Connection,
    before: Transaction,
    sale: Transaction,
    *,
    key: str = "",
    counts: summary.Counts | None = None,
) -> None:
    """Brings the row of a sale, and the summary that counts it, up to its last event.

    What has not changed is not written, so that SQLite leaves its indexes alone. ``key`` is the
    sale's idempotency key, where it gets one now. With ``counts`` the change is added to these,
    which the caller writes in the same SQL transaction.
    """
    row = _changes(before, sale)
    if key:
        row["idempotency_key"] = key
    if row:
        connection.execute(_update(tuple(row)), (*row.values(), sale.txn_id))
    if counts is None:
        summary.add(connection, before, sale)
    else:
        counts.move(before, sale)


def load(connection: apsw.Connection, txn_id: str) -> Transaction:
    """The sale with this id.

    Raises:
        StoreError: there is none.
    """
    found = connection.execute(_SELECT_ONE, (txn_id,)).fetchall()
    if not found:
        raise StoreError(f"The ledger has no sale {txn_id!r}.")
    return transaction_of(found[0])


def check_outbox(connection: apsw.Connection, sale: Transaction) -> None:
    """Asserts that the sale has the one message its state needs, and no other."""
    found = connection.execute("SELECT kind FROM outbox WHERE txn_id = ?", (sale.txn_id,))
    if (reason := _misplaced(sale, [str(kind) for (kind,) in found.fetchall()])) is not None:
        raise AssertionError(reason)


def _misplaced(sale: Transaction, found: list[str]) -> str | None:
    """What is wrong with a sale's messages in the outbox, by their kinds."""
    needed = WAITING.get(sale.state)
    if found == ([needed.value] if needed else []):
        return None
    return f"a sale that is {sale.state.value} has these messages in the outbox: {found}"


def known_columns(connection: apsw.Connection) -> bool:
    """Whether the table has every column that this version reads."""
    found = connection.execute("SELECT name FROM pragma_table_info('txn')").fetchall()
    return set(_COLUMNS) <= {name for (name,) in found}


def verify(connection: apsw.Connection) -> int:
    """Proves every row equal to the fold of its events; the number of sales.

    Raises:
        StoreError: an event is unreadable, a step is impossible, or a row differs.
    """
    happened = groupby(
        connection.execute("SELECT txn_id, type, at, payload FROM event ORDER BY txn_id, seq"),
        key=itemgetter(0),
    )
    # Both in the order of their ids, so that neither is looked up or held as a whole.
    stored = iter(connection.execute(f"{SELECT} ORDER BY txn_id"))
    queued: dict[str, list[str]] = {}
    for txn_id, kind in connection.execute("SELECT txn_id, kind FROM outbox"):
        queued.setdefault(str(txn_id), []).append(str(kind))
    counted = summary.Counts()
    verified = 0
    for txn_id, group in happened:
        events: list[Event] = [decode(StoredEvent(*row[1:])) for row in group]
        try:
            folded = replay(events)
        except AssertionError as cause:
            raise _differs(txn_id, str(cause)) from cause
        if not isinstance(events[0], SaleIntended) or events[0].txn_id != txn_id:
            raise _differs(txn_id, "its first event belongs to another sale")
        row = next(stored, None)
        if row is not None and row[0] < txn_id:
            raise _differs(row[0], "it has no events")
        if row is None or row[0] != txn_id:
            raise StoreError(f"The ledger has no sale {txn_id!r}.")
        if folded != transaction_of(row):
            raise _differs(txn_id, "its row is not what its events add up to")
        if (reason := _misplaced(folded, queued.get(txn_id, []))) is not None:
            raise _differs(txn_id, reason)
        counted.count(folded)
        verified += 1
    for row in stored:
        raise _differs(row[0], "it has no events")
    summary.verify(connection, counted)
    return verified


def _differs(txn_id: str, reason: str) -> StoreError:
    return StoreError(
        f"The ledger contradicts itself about sale {txn_id!r}: {reason}.",
        remedy="Keep the file as it is and have it looked at before selling on.",
    )
