"""What the host's answer to a queued message means for its sale.

Rules of this file: pure, and the same for the till that waits for the answer and for the
forwarder that sends later. The acquirer's response table (data of its profile) says what a code
asks for; this file says what that does to a sale that went out as a request, as an advice or as
a reversal.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.errors import HostGarbled
from terminal.iso8583.messages import Action, Answer, decline_reason, read_answer
from terminal.iso8583.profile import Profile
from terminal.ledger import Kind, OutboxItem
from terminal.transaction import (
    Event,
    FateUnknown,
    HoldApproved,
    HoldKept,
    HostApproved,
    HostDeclined,
    ReversalConfirmed,
    SetAside,
    State,
    Transaction,
    TransactionKind,
    VoidConfirmed,
    VoidRefused,
)

# DE 39 = 25, "unable to locate record": the host has nothing that it could undo.
NOTHING_TO_REVERSE = frozenset({"25"})

NO_APPROVAL_CODE = "The host had booked an earlier copy and did not repeat its approval code."
"""What is said of a sale that is approved and has no approval code."""


@dataclass(frozen=True, slots=True)
class Done:
    """The message has its final answer: record the event, erase the message."""

    event: Event


@dataclass(frozen=True, slots=True)
class Retry:
    """The host is in trouble, or needs more time: send the message again later.

    ``host_trouble`` says that the host itself is not well, which slows down everything.
    """

    reason: str
    host_trouble: bool = False


Verdict = Done | Retry


def read_verdict(
    profile: Profile, item: OutboxItem, sale: Transaction, answer: bytes, at: datetime
) -> Verdict:
    """The meaning of ``answer`` (a whole message) for the sale that ``item`` belongs to.

    Raises:
        HostGarbled: the answer contradicts the request, or cannot be read.
    """
    if item.kind is Kind.SALE:
        return Done(read_sale(profile, item, sale, answer, at))
    read = read_answer(profile, item.message, answer)
    if item.kind is Kind.ADVICE:
        return _of_advice(profile, item, sale, read, at)
    return _of_reversal(profile, item, sale, read, at)


def read_sale(
    profile: Profile, item: OutboxItem, sale: Transaction, answer: bytes, at: datetime
) -> Event:
    """What ``answer`` means for a customer who waits for it: an end in any case, never a retry.

    Raises:
        HostGarbled: the answer contradicts the request, or cannot be read.
    """
    return _of_sale(profile, sale, read_answer(profile, item.message, answer), at)


def _approved(sale: Transaction, read: Answer, at: datetime) -> HostApproved:
    """An approval, of the amount the host names where it approved less."""
    approved_minor = sale.amount.minor
    if read.action is Action.PARTIAL:
        if read.amount_minor is None or not 0 < read.amount_minor <= sale.amount.minor:
            raise HostGarbled("The host approved a part of the amount and did not say which.")
        approved_minor = read.amount_minor
    return HostApproved(at, read.response_code, read.approval_code, approved_minor)


def _of_sale(profile: Profile, sale: Transaction, read: Answer, at: datetime) -> Event:
    """A 0200 or 0100 that a customer waits for: approved, declined, or to be reversed."""
    match read.action:
        case Action.PARTIAL if sale.kind is not TransactionKind.SALE:
            return FateUnknown(at, "The bank granted a part, which a refund or hold cannot use.")
        case Action.APPROVED if sale.kind is TransactionKind.HOLD:
            return HoldApproved(at, read.response_code, read.approval_code)
        case Action.APPROVED | Action.PARTIAL:
            return _approved(sale, read, at)
        case Action.RETRY_REPEAT:
            # 68 and its like say that the host lost track: it may have booked the sale.
            return FateUnknown(at, decline_reason(profile, read.response_code))
        case _:
            return HostDeclined(at, read.response_code, decline_reason(profile, read.response_code))


def _of_advice(
    profile: Profile, item: OutboxItem, sale: Transaction, read: Answer, at: datetime
) -> Verdict:
    """A 0220 that tells the host of a stored sale."""
    reason = decline_reason(profile, read.response_code)
    match read.action:
        case Action.APPROVED | Action.PARTIAL:
            return Done(_approved(sale, read, at))
        case Action.RETRY_SAME:
            return Retry(reason, host_trouble=True)
        case Action.RETRY_REPEAT if item.attempts <= profile.delivery.repeats_max:
            return Retry(reason)
        case Action.RETRY_REPEAT:
            many = f"{reason} It was sent {item.attempts} times."
            return Done(SetAside(at, read.response_code, many))
        case Action.DUPLICATE:
            return Done(_duplicate(profile, item, sale, read, at))
        case Action.QUARANTINE:
            return Done(SetAside(at, read.response_code, reason))
        case Action.DECLINED | Action.DECLINED_BLOCK:
            return Done(HostDeclined(at, read.response_code, reason))


def _duplicate(
    profile: Profile, item: OutboxItem, sale: Transaction, read: Answer, at: datetime
) -> HostApproved | SetAside:
    """The host has had this message before; what it answered then is what counts.

    A host that says so of a first copy knows these numbers from another sale. One that says so
    of a repeat had an earlier copy of ours, whose answer was lost: where it repeats the approval
    code, that is the first answer; where it does not, its profile says what is known.
    """
    if item.attempts < 2:
        return SetAside(
            at, read.response_code, "The host knows another sale under this sale's numbers."
        )
    if read.approval_code:
        return HostApproved(at, read.response_code, read.approval_code, sale.amount.minor)
    if profile.delivery.duplicate_is_booked:
        return HostApproved(at, read.response_code, "", sale.amount.minor, note=NO_APPROVAL_CODE)
    return SetAside(at, read.response_code, "The host has this sale, and does not say its answer.")


def _of_reversal(
    profile: Profile, item: OutboxItem, sale: Transaction, read: Answer, at: datetime
) -> Verdict:
    """A 0420: only a host that has undone the sale, or never had it, ends the doubt.

    A void may be refused as well: then the sale stands, which is no doubt either.
    """
    reason = decline_reason(profile, read.response_code)
    voiding = sale.state is State.VOIDING
    confirmed = VoidConfirmed if voiding else ReversalConfirmed
    if read.response_code in NOTHING_TO_REVERSE:
        waited_s = (at - sale.changed_at).total_seconds()
        # A clock that was set back must not keep the doubt up: then the copies count.
        if waited_s < profile.delivery.late_booking_s and (waited_s >= 0 or item.attempts < 8):
            return Retry(
                "The host has no such sale yet, and is asked once more in case it is slow."
            )
        return Done(confirmed(at, read.response_code))
    if read.action in {Action.APPROVED, Action.DUPLICATE}:
        return Done(confirmed(at, read.response_code))
    if voiding and read.action not in {Action.RETRY_SAME, Action.RETRY_REPEAT}:
        refused = HoldKept if sale.approved_minor == 0 else VoidRefused
        return Done(refused(at, read.response_code, reason))
    return Retry(reason, host_trouble=read.action is Action.RETRY_SAME)
