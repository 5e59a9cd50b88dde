"""What must be true of a world, whatever happened in it.

Rules of this file: it believes nobody. What was shown was noted when it was shown, the till's
ledger is read with SQL of its own, and the acquirer's books with the acquirer's. The first thing
that is not true ends the world.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hardware_sim.acquirer_ledger import Capture, CaptureState
from terminal.risk import OfflineLimits
from terminal.terms import Tender, TransactionKind
from terminal.transaction import FINAL, State, Transaction

MAY_BECOME: Mapping[State, frozenset[State]] = {
    State.STORED: frozenset(
        {State.STORED, State.APPROVED, State.DECLINED_AFTER_FORWARD, State.SET_ASIDE}
    ),
    State.UNKNOWN: frozenset({State.UNKNOWN, State.REVERSED}),
    State.SET_ASIDE: frozenset({State.SET_ASIDE}),
    State.VOIDING: frozenset({State.VOIDING, State.VOIDED, State.APPROVED, State.HELD}),
    State.AWAITED: frozenset({State.AWAITED, State.APPROVED, State.CANCELLED}),
}
"""What somebody was shown, and what may have come of it; every other end stays as it is."""

_TAKEN = frozenset({State.STORED, *MAY_BECOME[State.STORED]})
"""What may have come of a hold that somebody wanted to take."""

AT_REST = FINAL | {State.SET_ASIDE, State.AWAITED}
"""Where a sale may stand once the forwarder has nothing left to send. A transfer waits on."""


class Untrue(AssertionError):
    """Something that must be true of every world is not true of this one."""


@dataclass(slots=True)
class Shown:
    """Everything that people were shown about a sale, in order: state and approved minor units."""

    amount_minor: int
    said: list[tuple[State, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The transactions that somebody wanted to void, and the holds that were to be taken."""

    voids: AbstractSet[str] = frozenset()
    takes: AbstractSet[str] = frozenset()


NO_WISHES = Wishes()


def asked_minor(sale: Transaction) -> int:
    """What was asked for: of a hold that was taken, what had been held."""
    return sale.held_minor or sale.amount.minor


def require(condition: object, finding: str) -> None:
    """Ends the world where this is not true."""
    if not condition:
        raise Untrue(finding)


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A stored sale that the host has not answered, as the ledger has it.

    ``cards`` are the names of its card and account, under the key of now and the one before.
    """

    txn_id: str
    amount_minor: int
    cards: frozenset[str]
    scheme: str
    created_at: datetime
    set_aside: bool


def check_limits(limits: OfflineLimits, stored: Iterable[AtRisk], new: Iterable[AtRisk]) -> None:
    """No limit is exceeded now. ``new`` are those of ``stored`` that were not there last time.

    Raises:
        Untrue: one is.
    """
    waiting = list(stored)
    total = sum(sale.amount_minor for sale in waiting)
    require(len(waiting) <= limits.count, f"{len(waiting)} sales are stored at once")
    require(total <= limits.total_minor, f"stored sales add up to {total}")
    for sale in waiting:
        same = [each for each in waiting if each.cards & sale.cards]
        of_card = sum(each.amount_minor for each in same)
        require(len(same) <= limits.card_count, f"{len(same)} sales of one card are stored")
        require(of_card <= limits.card_total_minor, f"stored sales of a card add up to {of_card}")
    for sale in new:
        minor = sale.amount_minor
        require(minor <= limits.per_sale_minor, f"a sale of {minor} was stored")
        first = min((each.created_at for each in waiting if not each.set_aside), default=None)
        hours = (sale.created_at - (first or sale.created_at)) / timedelta(hours=1)
        require(hours < limits.hours, f"a sale was stored when others had waited {hours:.1f} h")
        refused = sale.scheme in limits.refused_schemes
        require(not refused, f"a {sale.scheme} card was taken offline")


def check_clock(now: datetime, latest: datetime | None) -> None:
    """A sale that is stored now is not before the latest time that the till had seen.

    Raises:
        Untrue: it is, by more than the two minutes that are allowed.
    """
    back = latest is not None and latest - now > timedelta(minutes=2)
    require(not back, f"a sale was stored at {now}, though the till had seen {latest}")


def check_settled(outcomes: Mapping[int, str]) -> None:
    """Each batch that was settled agrees with the acquirer's totals, at once or once uploaded.

    Or it differs by nothing but what was carried over into the next one.

    Raises:
        Untrue: one does not.
    """
    for batch, outcome in outcomes.items():
        agrees = outcome in {"balanced", "corrected", "carried"}
        require(agrees, f"batch {batch} was settled and is {outcome}")


def check_once(captures: list[Capture]) -> None:
    """No sale is captured twice.

    Raises:
        Untrue: one is.
    """
    times = Counter(
        c.rrn for c in captures if c.state is CaptureState.CAPTURED and c.kind == "sale"
    )
    twice = [rrn for rrn, count in times.items() if count > 1]
    require(not twice, f"the host has captured twice: {twice}")


def judge(
    shown: Mapping[str, Shown],
    sales: Mapping[str, Transaction],
    captures: list[Capture],
    wishes: Wishes = NO_WISHES,
) -> int:
    """Both ledgers and all that was shown agree; returns what was charged, in minor units.

    Raises:
        Untrue: they do not.
    """
    check_once(captures)
    for txn_id, seen in shown.items():
        require(txn_id in sales, f"{txn_id} was shown and is not in the ledger")
        _check_shown(txn_id, seen, sales[txn_id], wishes)
    numbers = Counter((sale.batch, sale.stan) for sale in sales.values() if sale.stan is not None)
    twice = [number for number, count in numbers.items() if count > 1]
    require(not twice, f"a batch has a trace number twice: {twice}")
    charged_minor = _check_charges(sales, captures)
    _check_holds(sales, captures)
    _check_refunds(sales, captures)
    receipts = sum(
        _signed(sale.kind is TransactionKind.REFUND, sale.approved_minor)
        for sale in sales.values()
        if sale.state is State.APPROVED and sale.terms.tender is Tender.CARD
    )
    require(charged_minor == receipts, f"{charged_minor} was charged, receipts say {receipts}")
    return charged_minor


def _signed(given_back: bool, minor: int) -> int:  # noqa: FBT001 - the question is the argument
    return -minor if given_back else minor


def _check_shown(txn_id: str, seen: Shown, sale: Transaction, wishes: Wishes) -> None:
    """What was shown has come true: at once, or later as the words on the screen allow."""
    require(
        asked_minor(sale) == seen.amount_minor,
        f"{txn_id}: {seen.amount_minor} was asked for and {asked_minor(sale)} is recorded",
    )
    undone = {State.VOIDING, State.VOIDED} if txn_id in wishes.voids else set()
    taken = _TAKEN if txn_id in wishes.takes else frozenset()
    for state, approved_minor in seen.said:
        allowed = MAY_BECOME.get(state, frozenset({state})) | undone
        if state in {State.HELD, State.VOIDING}:
            allowed |= taken
        require(
            sale.state in allowed, f"{txn_id} was shown as {state.value} and is {sale.state.value}"
        )
        if state is State.APPROVED:
            require(
                approved_minor == sale.approved_minor,
                f"{txn_id} was shown as approved for {approved_minor}, not {sale.approved_minor}",
            )


def _check_charges(sales: Mapping[str, Transaction], captures: list[Capture]) -> int:
    """Each approved sale or refund was booked once and to the cent, and nothing else was."""
    known = {_numbers(sale) for sale in sales.values()}
    booked: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for capture in captures:
        if capture.state is CaptureState.CAPTURED:
            numbers = (capture.stan, capture.transmitted)
            # An older Taptill did not keep DE 7.
            place = numbers if numbers in known else (capture.stan, "")
            booked[place].append((capture.kind, capture.amount_minor))
    for numbers, rows in booked.items():
        require(numbers in known, f"{rows} was booked under {numbers}, which no sale has")
    for txn_id, sale in sales.items():
        require(sale.state in AT_REST, f"{txn_id} is {sale.state.value} and nothing moves it")
        booked_here = sale.state is State.APPROVED and sale.terms.tender is Tender.CARD
        # What is taken of a hold is a sale to the host.
        kind = "refund" if sale.kind is TransactionKind.REFUND else "sale"
        wanted = [(kind, sale.approved_minor)] if booked_here else []
        got = booked.get(_numbers(sale), [])
        require(
            got == wanted, f"{txn_id} is {sale.state.value} for {wanted}, and the host booked {got}"
        )
    return sum(_signed(kind == "refund", minor) for rows in booked.values() for kind, minor in rows)


def _check_holds(sales: Mapping[str, Transaction], captures: list[Capture]) -> None:
    """What the till says is held is held at the host, to the cent, and nothing else is."""
    held = {
        (capture.stan, capture.transmitted): capture
        for capture in captures
        if capture.state is CaptureState.HELD
    }
    refused = {
        sale.rrn
        for sale in sales.values()
        if sale.held_minor and sale.state in {State.DECLINED_AFTER_FORWARD, State.SET_ASIDE}
    }
    for txn_id, sale in sales.items():
        if sale.state is State.HELD:
            found = held.pop(_numbers(sale), None)
            minor = found.amount_minor if found else 0
            require(minor == sale.held_minor, f"{txn_id} holds {sale.held_minor}, the host {minor}")
    left = [capture.rrn for capture in held.values() if capture.rrn not in refused]
    require(not left, f"the host holds {left}, and the till does not know it")


def _numbers(sale: Transaction) -> tuple[str, str]:
    """DE 11 and DE 7, by which the host tells messages apart."""
    if sale.stan is None:
        return (sale.txn_id, "")
    sent = sale.transmitted_at
    return (f"{sale.stan:06d}", f"{sent:%m%d%H%M%S}" if sent else "")


def _check_refunds(sales: Mapping[str, Transaction], captures: list[Capture]) -> None:
    """In neither of the ledgers is more given back of a sale than was taken for it."""
    given: dict[str, int] = defaultdict(int)
    for sale in sales.values():
        if sale.kind is TransactionKind.REFUND and sale.state is State.APPROVED:
            given[sale.terms.original] += sale.approved_minor
    for original, minor in given.items():
        taken = sales[original].approved_minor if sales[original].state is State.APPROVED else 0
        require(minor <= taken, f"{minor} was given back of {original}, which took {taken}")
    taken_by: dict[str, int] = defaultdict(int)
    given_by: dict[str, int] = defaultdict(int)
    for capture in captures:
        if capture.state is CaptureState.CAPTURED:
            side = given_by if capture.kind == "refund" else taken_by
            side[capture.original_rrn or capture.rrn] += capture.amount_minor
    for rrn, minor in given_by.items():
        took = taken_by[rrn]
        require(minor <= took, f"the host gave back {minor} under {rrn} and took {took}")
