"""A year of a busy shop: a generated ledger, and how long its reports take.

``python -m benchmarks.year --sales 1000000 --dir /var/tmp/year`` makes a million transactions of
all kinds (card, cash, transfer; tips, refunds, voids, holds, declines, stored sales), with every
event and sum as the till itself would have left them, opens the ledger as a till does, reports,
and adds everything up again from the events by other code. The seed is printed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw

from offline_queue import projection, summary
from offline_queue.day_reports import DayReports
from offline_queue.events import encode
from offline_queue.integrity import Protection
from offline_queue.macs import FIRST_EPOCH, UNKEYED, Keys
from offline_queue.store import Store
from terminal.dayreport import DayReport
from terminal.happenings import AuthorisationSent, CardSummary, SaleIntended
from terminal.money import Amount, Currency
from terminal.terms import Part, Tender, Terms, TransactionKind, slice_of, tax_in
from terminal.transaction import (
    Cancelled,
    CardDeclined,
    Completed,
    Event,
    HoldApproved,
    HostApproved,
    HostDeclined,
    State,
    StoredOffline,
    TenderConfirmed,
    Transaction,
    TransferShown,
    VoidConfirmed,
    VoidSent,
    replay,
)
from ui.reporting.page import page_of
from ui.reporting.sheet import sheet_of
from ui.reporting.speech import Speech

EUR = Currency.of("EUR")
YEAR = 2025
SCHEMES = ("Visa", "Mastercard", "Maestro", "American Express")
CASHIERS = ("Ada", "Ben", "Cleo", "Dimo", "Eva")
GROUPS = (("food", 1000), ("drinks", 2100), ("wine", 2100), ("books", 400))
BUSY_HOURS = (8, 9, 10, 11, 12, 12, 13, 13, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21)
BULK = 2000


@dataclass
class _Shop:
    """Makes transactions one after the other, and remembers what can be given back."""

    chance: random.Random
    stan: int = 0
    sequence: int = 0
    past: list[Transaction] = field(default_factory=list)

    def card(self) -> CardSummary:
        person = int(self.chance.paretovariate(1.2) * 7) % 60_000
        scheme = SCHEMES[person % len(SCHEMES)]
        return CardSummary(
            token=f"tok_{person:06d}{self.sequence:08d}",
            masked_pan=f"\u2022\u2022\u2022\u2022 {person % 10_000:04d}",
            scheme=scheme,
            aid="A0000000031010",
            label=scheme.upper(),
            fingerprint=f"{person:032x}",
            fingerprint_epoch=1,
            device="phone" if person % 3 == 0 else "card",
            card_ms=120 + person % 90,
        )

    def events(self, at: datetime, batch: int) -> list[Event]:
        """The whole life of one transaction that begins at ``at``."""
        dice = self.chance.random()
        self.sequence += 1
        if dice < 0.015 and self.past:
            return self._refund(at, batch, self.past[self.chance.randrange(len(self.past))])
        tender = Tender.CARD if dice < 0.76 else Tender.CASH if dice < 0.985 else Tender.TRANSFER
        kind = TransactionKind.HOLD if 0.015 <= dice < 0.02 else TransactionKind.SALE
        amount, terms = self._terms(at, kind, tender)
        cashier = CASHIERS[self.chance.randrange(5)]
        begun = SaleIntended(at, self._name(), self.sequence, amount, cashier, terms=terms)
        later = at + timedelta(seconds=self.chance.uniform(2, 15))
        if tender is Tender.CASH:
            rounding = -(amount.minor % 5) if amount.minor % 5 < 3 else 5 - amount.minor % 5
            return [begun, TenderConfirmed(later, batch, cashier, amount.minor + 500, rounding)]
        if tender is Tender.TRANSFER:
            shown = TransferShown(later, f"T-{self.sequence}")
            return [begun, shown, TenderConfirmed(later, batch, cashier)]
        return [begun, *self._by_card(later, batch, amount, kind)]

    def _by_card(
        self, at: datetime, batch: int, amount: Amount, kind: TransactionKind
    ) -> list[Event]:
        dice, card = self.chance.random(), self.card()
        if dice < 0.01:
            return [Cancelled(at, "Nobody tapped in time.")]
        if dice < 0.015:
            return [CardDeclined(at, "the card said no", card)]
        self.stan = self.stan % 999_999 + 1
        rrn = f"{self.sequence:012d}"
        taps = 1 + (dice > 0.9)
        answered = at + timedelta(seconds=self.chance.uniform(0.3, 2.5))
        if kind is TransactionKind.HOLD:
            sent: Event = AuthorisationSent(at, card, self.stan, rrn, batch, at, taps)
            self.stan += 1
            done = Completed(
                answered, amount, 0, self.stan, rrn, batch, answered, parts=self._parts(amount)
            )
            booked = HostApproved(answered, "00", "123456", amount.minor)
            return [sent, HoldApproved(answered, "00", "123456"), done, booked]
        if dice < 0.035:
            sent = StoredOffline(at, card, self.stan, rrn, batch, "away", False, at, taps)
            answered = at + timedelta(minutes=self.chance.uniform(1, 90))
        else:
            sent = AuthorisationSent(at, card, self.stan, rrn, batch, at, taps)
        if dice < 0.07:
            return [sent, HostDeclined(answered, "51", "There is not enough money.")]
        approved = HostApproved(answered, "00", f"{self.stan:06d}", amount.minor)
        if dice > 0.995:
            sent_back = VoidSent(answered, "wrong", "Eva")
            return [sent, approved, sent_back, VoidConfirmed(answered, "00")]
        return [sent, approved]

    def _name(self) -> str:
        return f"sale_{self.sequence:020x}"

    def _parts(self, amount: Amount) -> tuple[Part, ...]:
        group, rate = GROUPS[self.sequence % 4]
        return (Part(group, rate, amount.minor, tax_in(amount.minor, rate)),)

    def _terms(self, at: datetime, kind: TransactionKind, tender: Tender) -> tuple[Amount, Terms]:
        first, second = (max(50, int(self.chance.lognormvariate(6.6, 0.7))) for _ in range(2))
        (group, rate), (other, other_rate) = GROUPS[self.sequence % 4], GROUPS[second % 4]
        parts = [Part(group, rate, first, tax_in(first, rate))]
        if self.sequence % 3 == 0:
            parts.append(Part(other, other_rate, second, tax_in(second, other_rate)))
        goods = sum(part.gross_minor for part in parts)
        tip = goods // 10 if tender is Tender.CARD and self.sequence % 5 == 0 else 0
        terms = Terms(
            kind=kind,
            tender=tender,
            tip_minor=tip,
            parts=tuple(parts),
            day=at.date().isoformat(),
            hour=at.hour,
        )
        return Amount(goods + tip, EUR), terms

    def _refund(self, at: datetime, batch: int, sale: Transaction) -> list[Event]:
        self.past.remove(sale)
        goods = sale.approved_minor - sale.terms.tip_minor
        minor = goods if self.sequence % 2 else max(1, goods // 3)
        terms = Terms(
            kind=TransactionKind.REFUND,
            tender=sale.terms.tender,
            original=sale.txn_id,
            parts=slice_of(sale.terms.parts, 0, minor),
            day=at.date().isoformat(),
            hour=at.hour,
        )
        amount = Amount(minor, EUR)
        begun = SaleIntended(at, self._name(), self.sequence, amount, "Eva", terms=terms)
        later = at + timedelta(seconds=5)
        if sale.terms.tender is not Tender.CARD:
            return [begun, TenderConfirmed(later, batch, "Eva")]
        self.stan = self.stan % 999_999 + 1
        sent = AuthorisationSent(later, sale.card, self.stan, sale.rrn, batch, later)
        return [begun, sent, HostApproved(later, "00", "123456", minor)]


def transactions(count: int, seed: int) -> Iterator[tuple[int, list[Event], Transaction]]:
    """Transactions in the order of their time, with the number of their batch."""
    shop = _Shop(random.Random(seed))
    made = 0
    for day in range(365):
        today = count * (day + 1) // 365 - made
        made += today
        moments = sorted(
            datetime(YEAR, 1, 1, shop.chance.choice(BUSY_HOURS), tzinfo=UTC)
            + timedelta(days=day, seconds=shop.chance.uniform(0, 3599))
            for _ in range(today)
        )
        for moment in moments:
            events = shop.events(moment, day + 1)
            sale = replay(events)
            if sale.state is State.APPROVED and sale.kind is not TransactionKind.REFUND:
                shop.past.append(sale)
                if len(shop.past) > 800:
                    del shop.past[:400]
            yield day + 1, events, sale


def generate(path: Path, count: int, seed: int) -> None:
    """Writes a ledger, in bulk; then every row gets its MAC as the till would have given it."""
    Store.open(path, at=datetime(YEAR, 1, 1, tzinfo=UTC)).close()
    connection = apsw.Connection(str(path))
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "OFF")
    connection.execute("DELETE FROM numbers")
    counts = summary.Counts()
    columns = None
    rows: list[tuple[Any, ...]] = []
    events: list[tuple[str, str, str, str]] = []

    def flush() -> None:
        if not rows or columns is None:
            return
        with connection:
            marks = ", ".join("?" * len(columns))
            connection.executemany(f"INSERT INTO txn ({', '.join(columns)}) VALUES ({marks})", rows)
            connection.executemany(
                "INSERT INTO event (txn_id, type, at, payload) VALUES (?, ?, ?, ?)", events
            )
        rows.clear()
        events.clear()

    batch = last = stan = 0
    connection.execute("DROP TRIGGER batch_is_kept")
    connection.execute("DELETE FROM batch")
    for number, happened, sale in transactions(count, seed):
        if number != batch:
            flush()
            batch = number
            opened = f"{happened[0].at:%Y-%m-%dT}00:00:00.000000Z"
            connection.execute("UPDATE batch SET closed_at = ? WHERE closed_at IS NULL", (opened,))
            connection.execute(
                "INSERT INTO batch (number, opened_at) VALUES (?, ?)", (batch, opened)
            )
        row = projection.row_of(sale)
        columns = columns or tuple(row)
        rows.append(tuple(row.values()))
        for event in happened:
            stored = encode(event)
            events.append((sale.txn_id, stored.type, stored.at, stored.payload))
        counts.count(sale)
        last, stan = sale.sequence, max(stan, sale.stan or 0)
        if len(rows) >= BULK:
            flush()
    flush()
    with connection:
        summary.write(connection, counts)
        connection.execute("INSERT INTO numbers VALUES ('sequence', ?, NULL)", (last,))
        connection.execute("INSERT INTO numbers VALUES ('stan', ?, NULL)", (stan,))
        connection.execute(
            "CREATE TRIGGER batch_is_kept BEFORE DELETE ON batch"
            " BEGIN SELECT raise(ABORT, 'batches are never deleted'); END"
        )
        connection.execute("ANALYZE")
    _protect(connection)
    connection.close()


def _protect(connection: apsw.Connection) -> None:
    with connection:
        Protection(Keys.of(UNKEYED, FIRST_EPOCH)).adopt(connection)


def recomputed(path: Path) -> Counter[str]:
    """The year's figures from the events alone, by code that shares nothing with the reports."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    sums: Counter[str] = Counter()
    intents: dict[str, tuple[str, int, int, str]] = {}
    booked: dict[str, int] = {}
    for name, kind, payload in connection.execute(
        "SELECT txn_id, type, payload FROM event ORDER BY txn_id, seq"
    ):
        txn = str(name)
        if kind == "SaleIntended":
            for done, minor in booked.items():
                _into(sums, intents[done], minor)
            intents.clear()
            booked.clear()
            said = json.loads(str(payload))
            terms = said["terms"]
            intents[txn] = (
                *(terms["kind"], terms["tip_minor"]),
                *(sum(part["tax_minor"] for part in terms["parts"]), terms["tender"]),
            )
            amount = said["amount"]["minor"]
        elif kind == "Completed":
            said = json.loads(str(payload))
            tax = sum(part["tax_minor"] for part in said["parts"])
            intents[txn] = (intents[txn][0], said["tip_minor"], tax, intents[txn][3])
        elif kind == "HostApproved":
            booked[txn] = json.loads(str(payload))["approved_minor"]
        elif kind == "TenderConfirmed":
            booked[txn] = amount
        elif kind in {"VoidConfirmed", "Voided"}:
            booked.pop(txn, None)
            sums["voids"] += 1
    for done, minor in booked.items():
        _into(sums, intents[done], minor)
    return sums


def _into(sums: Counter[str], intent: tuple[str, int, int, str], minor: int) -> None:
    kind, tip, tax, tender = intent
    side = "refunds" if kind == "refund" else "sales"
    sign = -1 if kind == "refund" else 1
    sums[f"{side} count"] += 1
    sums[f"{side} minor"] += minor
    sums["tips"] += sign * tip
    sums["tax"] += sign * tax
    sums[f"tender {tender}"] += sign * minor


def figures(report: DayReport) -> Counter[str]:
    """The same figures of a report."""
    sums = Counter(
        {
            "sales count": report.sales.count,
            "sales minor": report.sales.minor,
            "refunds count": report.refunds.count,
            "refunds minor": report.refunds.minor,
            "tips": report.tips.minor,
            "tax": report.tax_minor,
            "voids": report.voids.count,
        }
    )
    sums.update({f"tender {line.name}": line.net_minor for line in report.tenders})
    return sums


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Runs, and prints how long it took."""
    begun = time.perf_counter()
    result = work()
    print(f"{name:<44}{time.perf_counter() - begun:9.3f} s")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Generates, opens, reports and recomputes; 1 when a figure differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sales", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dir", type=Path, help="kept, and used again when it is there")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="taptill-year-") as folder:
        path = (given.dir or Path(folder)) / "ledger.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"{given.sales} transactions of {YEAR}, seed {given.seed}")
        if not path.exists():
            timed("generated", lambda: generate(path, given.sales, given.seed))
        return _measure(path)


def _measure(path: Path) -> int:
    at = datetime(YEAR, 12, 31, 22, 0, tzinfo=UTC)
    timed("opened for selling, checks included", lambda: Store.open(path, at=at).close())
    with Store.read_only(path) as store:
        reports = DayReports(store)
        busiest = 350
        timed("Z report of a day", lambda: reports.of_batch("Z", busiest, at, EUR))
        year = timed(
            "year report",
            lambda: reports.of_days("Year", f"{YEAR}-01-01", f"{YEAR}-12-31", at, EUR),
        )
        sheet = sheet_of(year[0], Speech("en"), "Busy shop", UTC)
        timed("page of PDF", lambda: page_of(sheet))
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{'memory, at most':<44}{rss:9d} MB")
    again = timed("added up again from the events", lambda: recomputed(path))
    said = figures(year[0])
    differing = {name for name in again | said if again[name] != said[name]}
    print(f"figures equal to those of the events: {'no' if differing else 'yes'} {differing or ''}")
    print(f"ledger: {path.stat().st_size // 1024 // 1024} MB")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
