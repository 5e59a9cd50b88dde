"""Giving money back: what the shop's rules allow, and what looks like abuse.

Rules of this file: pure. A refund goes back to the sale it gives back, never above what is left
of it, never to another currency, never after the window. What an honest customer never notices
can still need a supervisor: each reason is said in one sentence.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from terminal.errors import ConfigError, RefundRefused, SupervisorNeeded
from terminal.ledger import Judge, Outgoing, Standing, Undo
from terminal.money import Amount
from terminal.terms import Tender, Terms, TransactionKind, slice_of
from terminal.transaction import CardSummary, State, Transaction, Voided, VoidSent

VoidMessage = Callable[[Transaction], Outgoing]
"""Makes the 0420 of an approved transaction."""

NORM_DAYS = 30
"""How many days back the shop's norm is looked at."""

_ENOUGH = 5
"""Fewer refunds than this say nothing about a person or a card."""

_OFTEN = 3
"""How many times the shop's own share of refunds is suspicious."""


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """The shop's rules. ``limit_minor`` is what a cashier may give back without a supervisor."""

    enabled: bool = True
    limit_minor: int = 50_00
    window_days: int = 30
    recent_days: int = 14
    without_card: bool = True

    def __post_init__(self) -> None:
        if min(self.limit_minor, self.window_days, self.recent_days) < 0:
            raise ConfigError("A refund rule is negative.", remedy="Use 0 to allow none.")


POLICY = RefundPolicy()
"""What a shop gets that says nothing about refunds."""


@dataclass(frozen=True, slots=True)
class Norms:
    """How often is given back here: refunds and sales of the last ``NORM_DAYS`` days.

    ``card`` counts are of the card that paid the sale, ``cashier`` counts of who refunds now.
    """

    shop_refunds: int = 0
    shop_sales: int = 0
    card_refunds: int = 0
    card_sales: int = 0
    cashier_refunds: int = 0
    cashier_sales: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """A refund as it is asked for. ``with_card`` says that the card will be tapped again."""

    amount: Amount
    at: datetime
    cashier: str
    tender: Tender
    with_card: bool = True
    other_card: bool = False
    approved_by: str = ""
    remark: str = ""


def signals(policy: RefundPolicy, wish: Wish, sale: Transaction, norms: Norms) -> tuple[str, ...]:
    """Why a supervisor should look at this refund first; empty for an ordinary one."""
    found = []
    if wish.amount.minor > policy.limit_minor:
        limit = Amount(policy.limit_minor, wish.amount.currency)
        found.append(f"It is above the limit of {limit}.")
    if wish.at - sale.created_at > timedelta(days=policy.recent_days):
        days = (wish.at - sale.created_at).days
        found.append(f"The sale was {days} days ago, and nothing newer is being returned.")
    if _often(norms.card_refunds, norms.card_sales, norms):
        found.append(
            f"This card was refunded {norms.card_refunds} times in {NORM_DAYS} days, far more than"
            " is usual here."
        )
    if _often(norms.cashier_refunds, norms.cashier_sales, norms):
        found.append(
            f"{wish.cashier or 'This cashier'} has refunded {norms.cashier_refunds} times in"
            f" {NORM_DAYS} days, far more than is usual here."
        )
    if wish.other_card:
        found.append("The money would go to another card than the one that paid.")
    if wish.tender is not sale.terms.tender:
        found.append(
            f"The sale was paid by {sale.terms.tender.value}, and the money would go back by"
            f" {wish.tender.value}."
        )
    return tuple(found)


def _often(refunds: int, sales: int, norms: Norms) -> bool:
    """Whether this share of refunds is several times that of the shop, by whole numbers."""
    mine, whole = max(sales, 1), max(norms.shop_sales, 1)
    return refunds >= _ENOUGH and refunds * whole > _OFTEN * max(norms.shop_refunds, 1) * mine


def judge_refund(policy: RefundPolicy, wish: Wish, norms: Norms) -> Judge:
    """The rules of a refund, for the moment when it is recorded."""

    def judge(standing: Standing) -> Terms:
        sale = standing.transaction
        if refusal := _refusal(policy, wish, standing):
            raise RefundRefused(refusal[0], remedy=refusal[1])
        reasons = signals(policy, wish, sale, norms)
        if reasons and not wish.approved_by:
            raise SupervisorNeeded(reasons)
        before = standing.refunded_minor
        after = before + wish.amount.minor
        # A refund gives the goods back before the tip, as a payment in part pays for them.
        goods = sale.approved_minor - sale.terms.tip_minor
        return Terms(
            kind=TransactionKind.REFUND,
            tender=wish.tender,
            original=sale.txn_id,
            bill=sale.terms.bill,
            tip_minor=max(0, after - goods) - max(0, before - goods),
            parts=slice_of(sale.terms.parts, min(before, goods), min(after, goods)),
            approved_by=wish.approved_by if reasons else "",
            remark=wish.remark,
        )

    return judge


def _refusal(policy: RefundPolicy, wish: Wish, standing: Standing) -> tuple[str, str] | None:
    """Why no supervisor either can allow this refund, and what to do instead."""
    sale = standing.transaction
    if not policy.enabled:
        return "Refunds are switched off in this shop.", "Switch them on in [refunds]."
    if sale.kind is TransactionKind.REFUND:
        return f"Number {sale.sequence} is a refund itself.", "Name the sale it gave back."
    if sale.state is not State.APPROVED:
        return (
            f"Sale {sale.sequence} is {sale.state.value}: there is nothing to give back yet.",
            "Only an approved sale can be refunded.",
        )
    if wish.amount.currency != sale.amount.currency:
        return (
            f"It was paid in {sale.amount.currency.code}, not in {wish.amount.currency.code}.",
            f"Give {sale.amount.currency.code} back.",
        )
    if wish.amount.minor == 0:
        return "A refund of zero gives nothing back.", "Type what is to be given back."
    left = standing.refundable_minor
    if wish.amount.minor > left:
        rest = Amount(max(left, 0), sale.amount.currency)
        return (
            f"Of sale {sale.sequence}, {rest} can still be given back, and not {wish.amount}.",
            "Type at most that." if left > 0 else "All of it was given back already.",
        )
    if wish.at - sale.created_at > timedelta(days=policy.window_days):
        return (
            f"Sale {sale.sequence} is too old to refund: more than {policy.window_days} days.",
            "The window is window_days in [refunds] of the configuration.",
        )
    if wish.tender is Tender.CARD and sale.terms.tender is not Tender.CARD:
        return f"Sale {sale.sequence} was not paid by card.", "Give the money back in cash."
    if not wish.with_card and wish.tender is Tender.CARD and not policy.without_card:
        return "A refund needs the card here.", "Ask for the card that paid."
    return None


def same_card(sale: Transaction, tapped: CardSummary) -> bool:
    """Whether this is the card that paid, or another device of the same account (PAR)."""
    paid = sale.card
    if paid is None:
        return False
    match tapped.fingerprint_epoch - paid.fingerprint_epoch:
        case 0:
            card, account = tapped.fingerprint, tapped.par_fingerprint
        case 1:
            # The key of fingerprints has rotated since; for some weeks a card is known by both.
            card, account = tapped.previous_fingerprint, tapped.previous_par_fingerprint
        case _:
            return False
    return _same(paid.fingerprint, card) or _same(paid.par_fingerprint, account)


def _same(one: str, other: str) -> bool:
    return bool(one) and hmac.compare_digest(one, other)


@dataclass(frozen=True, slots=True)
class VoidWish:
    """A void as it is asked for."""

    at: datetime
    reason: str
    cashier: str
    approved_by: str = ""


def judge_void(wish: VoidWish, compose: VoidMessage) -> Undo:
    """The rules of a void, for the moment when it is recorded."""

    def undo(standing: Standing) -> tuple[VoidSent | Voided, Outgoing | None]:
        about = standing.transaction
        if refusal := _void_refusal(standing):
            raise RefundRefused(refusal[0], remedy=refusal[1])
        local = about.terms.tender is not Tender.CARD or about.state is State.STORED
        if local:
            return Voided(wish.at, wish.reason, wish.cashier, wish.approved_by), None
        sent = VoidSent(wish.at, wish.reason, wish.cashier, wish.approved_by)
        return sent, compose(about)

    return undo


_WAIT = "Wait for its answer, then void it."


def _void_refusal(standing: Standing) -> tuple[str, str] | None:
    about = standing.transaction
    named = f"{about.kind.value.capitalize()} {about.sequence}"
    if about.state is State.STORED and about.held_minor:
        # Ended here alone, its hold would go on blocking the guest's money at the bank.
        return f"{named} is being taken, and the bank has to hear of it first.", _WAIT
    if about.state is State.STORED and standing.attempts == 0:
        return None
    if about.state is State.STORED:
        return f"{named} may have been sent already.", _WAIT
    if about.state is State.HELD:
        return None
    if about.state is not State.APPROVED:
        return f"{named} is {about.state.value}: there is nothing to void.", ""
    if about.batch != standing.open_batch:
        return (
            f"{named} is in batch {about.batch}, which is closed.",
            "Refund it: a void is possible until the end of its day.",
        )
    if standing.refunded_minor:
        return f"{named} was refunded already, at least in part.", "Void its refunds first."
    if about.terms.tender is Tender.CARD and about.transmitted_at is None:
        return f"{named} was taken by an older Taptill.", "Refund it."
    return None


def completion_terms(held: Transaction, amount: Amount, tip_minor: int) -> Transaction:
    """The hold as it is taken.

    Raises:
        RefundRefused: it is no hold, another currency, nothing, or more than was held.
    """
    if held.state is not State.HELD:
        raise RefundRefused(
            f"Number {held.sequence} is no open hold ({held.state.value}).",
            remedy="Name a hold that was approved and not taken yet.",
        )
    if amount.currency != held.amount.currency or not 0 < amount.minor <= held.held_minor:
        most = Amount(held.held_minor, held.amount.currency)
        raise RefundRefused(
            f"Of hold {held.sequence}, at most {most} can be taken, and not {amount}.",
            remedy="Take the rest as a sale of its own.",
        )
    return replace(held, amount=amount, terms=replace(held.terms, tip_minor=tip_minor, parts=()))
