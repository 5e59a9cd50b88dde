"""The simulated acquirer's side of the end of a batch: its totals, and what was uploaded.

Rules of this file: called inside the books' SQL transaction, like everything that changes them.
The totals are those of the captures of one terminal, batch and currency; after an upload, what
was not uploaded and stands all the same is listed. ``tamper`` puts the books wrong on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hardware_sim.acquirer_ledger import AcquirerLedger
from terminal.errors import ConfigError
from terminal.iso8583.hostside import Request, compose_settlement_answer
from terminal.iso8583.profile import Profile
from terminal.iso8583.settlement import RECONCILE_AFTER_UPLOAD, TOTAL_FIELDS, net_field

SETTLEMENTS = frozenset({"0500", "0501"})
UPLOADS = frozenset({"0320", "0321"})
TAMPERINGS = ("missing", "extra", "amount")
_LISTED_MAX = 30

_SUMS = """
    SELECT
        count(*) FILTER (WHERE kind = 'sale'),
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'sale'), 0),
        count(*) FILTER (WHERE kind = 'sale' AND voided),
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'sale' AND voided), 0),
        count(*) FILTER (WHERE kind = 'refund'),
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0),
        count(*) FILTER (WHERE kind = 'refund' AND voided),
        coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund' AND voided), 0)
    FROM capture WHERE terminal_id = ? AND batch = ? AND currency = ?
        AND kind IN ('sale', 'refund') AND (state = 'captured' OR voided)
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer to a settlement message, whole, with its code and a note for the log."""

    answer: bytes
    code: str
    note: str


def reconcile(ledger: AcquirerLedger, profile: Profile, request: Request) -> Settled:
    """Compares the till's totals with the captures; 00 closes the batch here too."""
    batch = request.fields[profile.batch_field]
    currency = request.fields[50]
    place = (request.terminal_id, batch, currency)
    row = ledger.connection.execute(_SUMS, place).fetchone()
    assert row is not None
    own: list[int] = [int(str(value)) for value in row]
    sums = list(zip(own[0::2], own[1::2], strict=True))
    net = sums[0][1] - sums[1][1] - sums[2][1] + sums[3][1]
    fields: dict[int, str] = {97: net_field(net)}
    for (number, amount), (count, minor) in zip(TOTAL_FIELDS, sums, strict=True):
        fields[number], fields[amount] = f"{count:010d}", f"{minor:016d}"
    agreed = all(request.fields.get(number) == value for number, value in fields.items())
    extras = "" if agreed else _extras(ledger, request, place)
    if extras:
        fields[48] = extras
    code = "00" if agreed else "95"
    if agreed or request.fields[3] == RECONCILE_AFTER_UPLOAD:
        ledger.connection.execute(
            "INSERT INTO settled VALUES (?, ?) ON CONFLICT DO NOTHING", place[:2]
        )
    answer = compose_settlement_answer(profile, request, code, fields)
    return Settled(answer, code, f"batch {batch}: {'agrees' if agreed else 'differs'}")


def _extras(ledger: AcquirerLedger, request: Request, place: tuple[str, str, str]) -> str:
    if request.fields[3] != RECONCILE_AFTER_UPLOAD:
        return ""
    found = ledger.connection.execute(
        "SELECT kind, stan, rrn, amount_minor FROM capture WHERE terminal_id = ? AND batch = ?"
        " AND currency = ? AND kind IN ('sale', 'refund') AND state = 'captured'"
        " AND uploaded = 0 ORDER BY number LIMIT ?",
        (*place, _LISTED_MAX),
    )
    return ";".join(f"{kind} {stan} {rrn} {minor}" for kind, stan, rrn, minor in found)


def upload(ledger: AcquirerLedger, profile: Profile, request: Request, at: str) -> Settled:
    """Compares one transaction: 00 the same, 25 it was missing, 64 its amount was another."""
    original = request.original
    if original is None:
        answer = compose_settlement_answer(profile, request, "30", {})
        return Settled(answer, "30", "an upload without DE 90")
    batch, stan = request.fields[profile.batch_field], f"{original.stan:06d}"
    identity = (request.terminal_id, stan, original.transmitted)
    row = ledger.connection.execute(
        "SELECT number, amount_minor FROM capture WHERE terminal_id = ? AND stan = ?"
        " AND transmitted = ? AND state = 'captured'",
        identity,
    ).fetchone()
    wanted = request.amount_minor
    fields: dict[int, str] = {}
    if row is None:
        code = "25"
        _book_missing(ledger, request, batch, identity, at)
    else:
        number, had = int(str(row[0])), int(str(row[1]))
        code = "00" if had == wanted else "64"
        fields[4] = f"{had:012d}"
        ledger.connection.execute(
            "UPDATE capture SET uploaded = 1, batch = ?, amount_minor = ? WHERE number = ?",
            (batch, wanted, number),
        )
    answer = compose_settlement_answer(profile, request, code, fields)
    return Settled(answer, code, f"upload of {stan}: {code}")


def _book_missing(
    ledger: AcquirerLedger,
    request: Request,
    batch: str,
    identity: tuple[str, str, str],
    at: str,
) -> None:
    kind = "refund" if request.fields[3].startswith("20") else "sale"
    values: tuple[Any, ...] = (
        *(at, *identity, request.rrn, request.amount_minor, request.fields[49], "", ""),
        *(request.fields.get(38, "").strip(), "captured", "00", kind, batch),
        request.rrn if kind == "refund" else "",
    )
    ledger.connection.execute(
        "INSERT INTO capture (at, terminal_id, stan, transmitted, rrn, amount_minor, currency,"
        " card, card_hash, approval_code, state, response_code, kind, batch, original_rrn, window,"
        " uploaded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT max(number) FROM duplicate_window), 1)",
        values,
    )


def batch_for(ledger: AcquirerLedger, terminal_id: str, batch: str) -> str:
    """The batch that a capture enters: what is settled takes no more, the next one does."""
    row = ledger.connection.execute(
        "SELECT coalesce(max(CAST(batch AS INTEGER)), 0) FROM settled WHERE terminal_id = ?",
        (terminal_id,),
    ).fetchone()
    assert row is not None
    settled = int(str(row[0]))
    return f"{settled + 1:06d}" if batch and int(batch) <= settled else batch


def tamper(ledger: AcquirerLedger, how: str) -> None:
    """Puts the newest captured sale of the books wrong: it is lost, doubled, or a cent more.

    Raises:
        ConfigError: there is no such way, or no sale.
    """
    if how not in TAMPERINGS:
        raise ConfigError(
            f"The books cannot be put wrong by {how!r}.", remedy=f"Ways: {', '.join(TAMPERINGS)}."
        )
    newest = "(SELECT max(number) FROM capture WHERE state = 'captured' AND kind = 'sale')"
    statements = {
        "missing": f"DELETE FROM capture WHERE number = {newest}",  # noqa: S608 - constants
        "amount": (
            f"UPDATE capture SET amount_minor = amount_minor + 1 WHERE number = {newest}"  # noqa: S608 - constants
        ),
        "extra": (
            "INSERT INTO capture (at, terminal_id, stan, transmitted, rrn, amount_minor, currency,"  # noqa: S608 - constants
            " card, card_hash, approval_code, state, response_code, window, kind, batch)"
            " SELECT at, terminal_id, '999999', transmitted, '999999999999', amount_minor,"
            " currency, card, card_hash, approval_code, state, response_code, window, kind, batch"
            f" FROM capture WHERE number = {newest}"
        ),
    }
    ledger.connection.execute(statements[how])
    if not ledger.connection.changes():
        raise ConfigError("There is no captured sale that could be put wrong.")
