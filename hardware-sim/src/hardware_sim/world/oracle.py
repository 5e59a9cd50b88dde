"""What must be true of a world, whatever happened in it.

Rules of this file: it believes nobody. What was shown was noted when it was shown, the till's
ledger is read with SQL of its own, and the acquirer's books with the acquirer's. The first thing
that is not true ends the world.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hardware_sim.acquirer_ledger import Capture, CaptureState
from terminal.risk import OfflineLimits
from terminal.transaction import FINAL, State, Transaction

MAY_BECOME: Mapping[State, frozenset[State]] = {
    State.STORED: frozenset(
        {State.STORED, State.APPROVED, State.DECLINED_AFTER_FORWARD, State.SET_ASIDE}
    ),
    State.UNKNOWN: frozenset({State.UNKNOWN, State.REVERSED}),
    State.SET_ASIDE: frozenset({State.SET_ASIDE}),
}
"""What somebody was shown, and what may have come of it; every other end stays as it is."""

AT_REST = FINAL | {State.SET_ASIDE}
"""Where a sale may stand once the forwarder has nothing left to send."""


class Untrue(AssertionError):
    """Something that must be true of every world is not true of this one."""


@dataclass(slots=True)
class Shown:
    """Everything that people were shown about a sale, in order: state and approved minor units."""

    amount_minor: int
    said: list[tuple[State, int]] = field(default_factory=list)


def _require(condition: object, finding: str) -> None:
    if not condition:
        raise Untrue(finding)


def check_limits(limits: OfflineLimits, stored: Iterable[int], new: Iterable[int]) -> None:
    """No limit is exceeded now. ``stored`` are amounts at risk, ``new`` those since last time.

    Raises:
        Untrue: one is.
    """
    amounts = list(stored)
    _require(len(amounts) <= limits.count, f"{len(amounts)} sales are stored at once")
    _require(sum(amounts) <= limits.total_minor, f"stored sales add up to {sum(amounts)}")
    for amount in new:
        _require(amount <= limits.per_sale_minor, f"a sale of {amount} was stored")


def check_once(captures: list[Capture]) -> None:
    """No sale is captured twice.

    Raises:
        Untrue: one is.
    """
    times = Counter(c.rrn for c in captures if c.state is CaptureState.CAPTURED)
    twice = [rrn for rrn, count in times.items() if count > 1]
    _require(not twice, f"the host has captured twice: {twice}")


def judge(
    shown: Mapping[str, Shown], sales: Mapping[str, Transaction], captures: list[Capture]
) -> int:
    """Both ledgers and all that was shown agree; returns what was charged, in minor units.

    Raises:
        Untrue: they do not.
    """
    for txn_id, seen in shown.items():
        _require(txn_id in sales, f"{txn_id} was shown and is not in the ledger")
        _check_shown(txn_id, seen, sales[txn_id])
    numbers = Counter((sale.batch, sale.stan) for sale in sales.values() if sale.stan is not None)
    twice = [number for number, count in numbers.items() if count > 1]
    _require(not twice, f"a batch has a trace number twice: {twice}")
    charged_minor = _check_charges(sales, captures)
    receipts = sum(sale.approved_minor for sale in sales.values() if sale.state is State.APPROVED)
    _require(charged_minor == receipts, f"{charged_minor} was charged, receipts say {receipts}")
    return charged_minor


def _check_shown(txn_id: str, seen: Shown, sale: Transaction) -> None:
    """What was shown has come true: at once, or later as the words on the screen allow."""
    _require(
        sale.amount.minor == seen.amount_minor,
        f"{txn_id}: {seen.amount_minor} was asked for and {sale.amount.minor} is recorded",
    )
    for state, approved_minor in seen.said:
        allowed = MAY_BECOME.get(state, frozenset({state}))
        _require(
            sale.state in allowed, f"{txn_id} was shown as {state.value} and is {sale.state.value}"
        )
        if state is State.APPROVED:
            _require(
                approved_minor == sale.approved_minor,
                f"{txn_id} was shown as approved for {approved_minor}, not {sale.approved_minor}",
            )


def _check_charges(sales: Mapping[str, Transaction], captures: list[Capture]) -> int:
    """Each approved sale was captured once and to the cent, and nothing else was."""
    captured: dict[str, list[int]] = defaultdict(list)
    for capture in captures:
        if capture.state is CaptureState.CAPTURED:
            captured[capture.rrn].append(capture.amount_minor)
    known = {sale.rrn for sale in sales.values() if sale.rrn}
    for rrn, amounts in captured.items():
        _require(rrn in known, f"{amounts} was captured under {rrn}, which no sale has")
    for txn_id, sale in sales.items():
        _require(sale.state in AT_REST, f"{txn_id} is {sale.state.value} and nothing moves it")
        wanted = [sale.approved_minor] if sale.state is State.APPROVED else []
        got = captured.get(sale.rrn, []) if sale.rrn else []
        _require(
            got == wanted,
            f"{txn_id} is {sale.state.value} for {wanted}, and the host has captured {got}",
        )
    return sum(sum(amounts) for amounts in captured.values())
