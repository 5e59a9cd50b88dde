"""The simulated acquirer as a till sees it: over real TLS, from its own process."""

from __future__ import annotations

from hardware_sim.acquirer_ledger import CaptureState
from hardware_sim.bench_till import BenchTill, Slip
from terminal.iso8583.profile import Action


def test_a_sale_is_approved_over_tls_and_captured_once(till: BenchTill) -> None:
    answer = till.sell(Slip())
    assert answer.action is Action.APPROVED
    (capture,) = till.control.captures()
    assert (capture.state, capture.amount_minor, capture.card, capture.approval_code) == (
        CaptureState.CAPTURED,
        1250,
        "\u2022\u2022\u2022\u2022 0010",
        answer.approval_code,
    )
