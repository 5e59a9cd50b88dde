"""What the simulated acquirer makes of a message about an earlier one: a refund, a completion.

Rules of this file: the books decide, and what they hold is found by the RRN (DE 37). A refund is
never above what is left of its sale, nor to another card than the one that paid, where the card
is there; a completion takes an open hold, once, up to its amount.
"""

from __future__ import annotations

from hardware_sim.acquirer_ledger import AcquirerLedger, Capture
from hardware_sim.acquirer_rules import IssuerRules, Judgement
from terminal.iso8583.hostside import Request

SALE, REFUND, HOLD, COMPLETION = "sale", "refund", "hold", "completion"


def kind_of(request: Request) -> str:
    """What a 0100, 0200, 0220 or 0221 asks for."""
    if request.mti == "0100":
        return HOLD
    if request.fields[3].startswith("20"):
        return REFUND
    return COMPLETION if request.mti != "0200" and 38 in request.fields else SALE


def judge_later(rules: IssuerRules, ledger: AcquirerLedger, request: Request) -> Judgement:
    """The answer to a refund or a completion."""
    if kind_of(request) == COMPLETION:
        return _completion(ledger, request)
    return _refund(rules, ledger, request)


def _completion(ledger: AcquirerLedger, request: Request) -> Judgement:
    held = ledger.standing(request.terminal_id, request.rrn, (HOLD,))
    if not held:
        return Judgement("25", "no open hold under this RRN")
    hold = held[0]
    if request.fields[49] != hold.currency or request.amount_minor > hold.amount_minor:
        return _about(hold, "13", "more than was held, or another currency")
    if request.fields[38] != hold.approval_code.ljust(6):
        return _about(hold, "12", "another approval code than that of the hold")
    return _about(hold, "00", "takes a hold", request.amount_minor)


def _refund(rules: IssuerRules, ledger: AcquirerLedger, request: Request) -> Judgement:
    found = ledger.standing(request.terminal_id, request.rrn, (SALE,))
    if not found:
        return Judgement("25", "no sale under this RRN")
    sale = found[0]
    if request.envelope:
        opened = rules.open(request)
        if isinstance(opened, Judgement):
            return opened
        if rules.hash_of(opened) != sale.card_hash:
            return _about(sale, "12", "another card than the one that paid")
    left = sale.amount_minor - ledger.refunded_minor(request.terminal_id, request.rrn)
    if request.fields[49] != sale.currency or request.amount_minor > left:
        return _about(sale, "13", "more than is left of the sale, or another currency")
    return _about(sale, "00", f"refunds {sale.stan}", request.amount_minor)


def _about(sale: Capture, code: str, note: str, approved_minor: int = 0) -> Judgement:
    return Judgement(code, note, approved_minor, card=sale.card, card_hash=sale.card_hash)
