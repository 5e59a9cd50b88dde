"""What the simulated acquirer says about bank transfers: arrived, not yet, or another amount.

Rules of this file: called inside the books' SQL transaction. Nobody pays here by themselves, so a
transfer is there once it has been asked for often enough; test amounts decide as they do for
cards: an account without money (51) never pays, and a part (10) comes with a part of the amount.
"""

from __future__ import annotations

from hardware_sim.acquirer_amounts import PARTIAL, code_for, partial_minor
from hardware_sim.acquirer_ledger import AcquirerLedger
from hardware_sim.acquirer_settlement import Settled
from terminal.iso8583.hostside import Request, compose_settlement_answer
from terminal.iso8583.profile import Profile
from terminal.iso8583.transfers import ARRIVED, NOT_ARRIVED, OTHER_AMOUNT

INQUIRIES = frozenset({"0600"})

_ASKED = """
    INSERT INTO transfer (reference, terminal_id, amount_minor, currency, asked, arrived_minor)
    VALUES (?, ?, ?, ?, 1, 0)
    ON CONFLICT (reference, terminal_id) DO UPDATE SET asked = asked + 1
    RETURNING asked, amount_minor, currency, arrived_minor
"""


def inquire(ledger: AcquirerLedger, profile: Profile, request: Request, after: int) -> Settled:
    """The answer to a 0600: the payer has paid when it was asked for the ``after``-th time."""
    about = (request.reference, request.terminal_id)
    row = ledger.connection.execute(
        _ASKED, (*about, request.amount_minor, request.fields[49])
    ).fetchone()
    assert row is not None
    asked, minor, currency, arrived = int(str(row[0])), int(str(row[1])), str(row[2]), row[3]
    came = int(str(arrived))
    if not came and after and asked >= after:
        came = _paid_minor(minor)
        ledger.connection.execute(
            "UPDATE transfer SET arrived_minor = ? WHERE reference = ? AND terminal_id = ?",
            (came, *about),
        )
    code = NOT_ARRIVED
    if came:
        same = (came, currency) == (request.amount_minor, request.fields[49])
        code = ARRIVED if same else OTHER_AMOUNT
    answer = compose_settlement_answer(
        profile, request, code, {4: f"{came or request.amount_minor:012d}"}
    )
    return Settled(answer, code, f"transfer {request.reference}: {came} of {minor}")


def _paid_minor(minor: int) -> int:
    code = code_for(minor)
    if code == PARTIAL:
        return partial_minor(minor)
    return 0 if code == "51" else minor
