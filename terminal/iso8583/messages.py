"""The messages of a till: a sale, its advice, repeats, its reversal, and what answers mean.

Rules of this file: pure functions on values and bytes. A message is composed once; whatever goes
out later for the same sale (advice, repeat, reversal) is made from those bytes, so that the host
can tell that it is the same sale. An answer is trusted only where it repeats its request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from terminal.errors import HostGarbled
from terminal.iso8583.chip_data import encode_chip_data
from terminal.iso8583.codec import Message
from terminal.iso8583.envelope import envelope_fields
from terminal.iso8583.packing import field_name, pack, unpack
from terminal.iso8583.profile import Action, Profile, Response
from terminal.money import Amount

__all__ = [
    "PURCHASE",
    "REFUND",
    "Action",
    "Answer",
    "Original",
    "SaleFacts",
    "advice_of",
    "compose_advice",
    "compose_echo",
    "compose_sale",
    "decline_reason",
    "is_answer_to",
    "pack",
    "read_answer",
    "repeat_of",
    "reversal_of",
    "unpack",
]

ANSWERS: Mapping[str, str] = {
    "0100": "0110",
    "0200": "0210",
    "0220": "0230",
    "0221": "0230",
    "0420": "0430",
    "0421": "0430",
    "0320": "0330",
    "0321": "0330",
    "0500": "0510",
    "0501": "0510",
    "0600": "0610",
    "0800": "0810",
}
"""Which message type answers which; a repeat is answered like the first copy."""

_REPEATS: Mapping[str, str] = {
    "0220": "0221",
    "0221": "0221",
    "0420": "0421",
    "0421": "0421",
    "0320": "0321",
    "0321": "0321",
    "0500": "0501",
    "0501": "0501",
}
_APPROVABLE = frozenset({"0100", "0200", "0220", "0221"})
_ASKED_ONLINE = frozenset({"0100", "0200"})

PURCHASE = "000000"
"""DE 3 of a sale, and of a hold: goods and services, default account (ISO 8583:1987)."""

REFUND = "200000"
"""DE 3 of a refund: a return of goods."""


@dataclass(frozen=True, slots=True)
class Original:
    """The message that another one is about: DE 90 is made of it."""

    mti: str
    stan: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleFacts:
    """Everything that the message of a sale, refund or hold says.

    ``at`` is aware and becomes DE 7 in UTC; ``local_at`` is the shop's wall clock (DE 12, 13).
    ``stan`` is 1 to 999999, ``rrn`` 12 letters and digits, ``terminal_id`` up to 8 and
    ``merchant_id`` up to 15 characters. ``reference`` is ``SEQUENCE:TXN_ID``. ``chip_data`` maps
    EMV tags to values for DE 55, ``envelope`` is the sealed card. ``entry_mode`` 071 is
    contactless chip without PIN entry. ``offline_reason`` is prose for an advice; what is not
    printable ASCII in it is replaced. Chip data and envelope are both empty where no card was
    tapped; ``original`` and ``approval_code`` are those of the transaction that it is about.

    Raises:
        AssertionError: a value does not fit its field.
    """

    amount: Amount
    stan: int
    rrn: str
    at: datetime
    local_at: datetime
    terminal_id: str
    merchant_id: str
    reference: str
    chip_data: Mapping[int, bytes] = field(repr=False)
    envelope: bytes = field(repr=False)
    batch: int
    pan_sequence: int | None = None
    entry_mode: str = "071"
    offline_reason: str = ""
    processing_code: str = PURCHASE
    approval_code: str = ""
    original: Original | None = None

    def __post_init__(self) -> None:
        checks = {
            "amount": self.amount.minor > 0,
            "stan": 1 <= self.stan <= 999_999,
            "rrn": len(self.rrn) == 12 and self.rrn.isalnum(),
            "at": self.at.utcoffset() is not None,
            "terminal_id": 0 < len(self.terminal_id) <= 8,
            "merchant_id": 0 < len(self.merchant_id) <= 15,
            "reference": bool(self.reference),
            "chip_data": bool(self.chip_data) is bool(self.envelope),
            "batch": 0 <= self.batch <= 999_999,
            "pan_sequence": self.pan_sequence is None or 0 <= self.pan_sequence <= 99,
        }
        if wrong := [name for name, right in checks.items() if not right]:
            raise AssertionError(f"a sale's facts are wrong: {', '.join(wrong)}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host said.

    ``amount_minor`` is the approved amount of a sale or advice, None where nothing was approved.
    ``text`` is plain English for a person; nothing in it was written by the host.
    """

    action: Action
    response_code: str
    approval_code: str
    rrn: str
    amount_minor: int | None
    text: str


def compose_sale(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0200 of a sale or refund that is authorised online.

    Raises:
        AssertionError: a value does not fit its field.
    """
    return pack(profile, Message("0200", sale_fields(profile, facts)))


def original_data(original: Original) -> str:
    """DE 90 without acquirer and forwarder, which this till does not fill."""
    return (
        f"{original.mti}{original.stan:06d}{original.at.astimezone(UTC):%m%d%H%M%S}"
        f"{'':0>11}{'':0>11}"
    )


def compose_advice(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0220 of a sale that was taken offline and is forwarded later.

    Raises:
        AssertionError: a value does not fit its field.
    """
    fields = sale_fields(profile, facts)
    if facts.offline_reason:
        fields[profile.reason_field] = _prose(profile, facts.offline_reason)
    return pack(profile, Message("0220", fields))


def advice_of(profile: Profile, message: bytes) -> bytes:
    """The 0220 of a sale whose 0200 never left: the same bytes but the message type.

    Any other message stays as it is.

    Raises:
        AssertionError: the bytes are no message of this profile.
    """
    original = _ours(profile, message)
    return _retyped(profile, original, "0220") if original.mti == "0200" else message


def repeat_of(profile: Profile, message: bytes) -> bytes:
    """The second copy of an advice or reversal: the same bytes but the message type.

    A repeat stays as it is.

    Raises:
        AssertionError: the message is of a kind that is never sent twice (a 0200 is reversed).
    """
    original = _ours(profile, message)
    if original.mti not in _REPEATS:
        raise AssertionError(f"a {original.mti} is never sent twice")
    return _retyped(profile, original, _REPEATS[original.mti])


def reversal_of(profile: Profile, message: bytes, reason_code: str = "68") -> bytes:
    """The 0420 that undoes whatever ``message`` (0200, 0220 or 0221) may have done.

    It repeats the sale's numbers and carries no card: DE 90 is the original's message type,
    STAN, DE 7, acquirer and forwarder (ISO 8583:1987). ``reason_code`` is 68 for an answer that
    came too late or never.

    Raises:
        AssertionError: the message is no sale.
    """
    original = _ours(profile, message)
    if original.mti not in _APPROVABLE:
        raise AssertionError(f"a {original.mti} cannot be reversed")
    fields = {
        number: value
        for number, value in original.fields.items()
        if number in profile.messages["0420"].allowed
    }
    fields[39] = reason_code
    fields[90] = (
        f"{original.mti}{original.fields[11]}{original.fields[7]}"
        f"{original.fields.get(32, '').zfill(11)}{original.fields.get(33, '').zfill(11)}"
    )
    return pack(profile, Message("0420", fields))


def compose_echo(
    profile: Profile, *, stan: int, at: datetime, terminal_id: str, network_code: str = "301"
) -> bytes:
    """The 0800 that asks whether the host is there; ``network_code`` 301 is an echo test.

    Raises:
        AssertionError: a value does not fit its field.
    """
    if not 1 <= stan <= 999_999 or at.utcoffset() is None:
        raise AssertionError("an echo's STAN or time is wrong")
    fields = {
        7: f"{at.astimezone(UTC):%m%d%H%M%S}",
        11: f"{stan:06d}",
        41: terminal_id.ljust(8),
        70: network_code,
    }
    return pack(profile, Message("0800", fields))


def is_answer_to(profile: Profile, request: bytes) -> Callable[[bytes], bool]:
    """Tells the answer to ``request`` from other messages: by message type, STAN and terminal.

    Bytes that cannot be read at all count as the answer: the fate of the sale is not known
    either way, and ``read_answer`` then says so at once rather than when time is up.
    """
    asked = _ours(profile, request)
    expected = ANSWERS[asked.mti]

    def is_answer(wire: bytes) -> bool:
        try:
            message = unpack(profile, wire)
        except HostGarbled:
            return True
        return message.mti == expected and all(
            message.fields.get(number) == asked.fields[number] for number in (11, 41)
        )

    return is_answer


def read_answer(profile: Profile, request: bytes, answer: bytes) -> Answer:
    """What the host's answer to ``request`` means.

    An approval must name the amount that was asked for (less for a partial approval) and have
    an approval code, and nothing else may have one; so one damaged character cannot turn a
    decline into an approval. A code that the profile does not list is DECLINED for a 0200 (the
    host answered, without an approval code) and QUARANTINE for anything that was sent from the
    outbox, where a person must look.

    Raises:
        HostGarbled: the answer is unreadable, incomplete or about something else.
    """
    asked = _ours(profile, request)
    message = unpack(profile, answer)
    _check_belongs(profile, asked, message)
    code = message.fields[39]
    response = _response(profile, asked.mti, code)
    approval_code = message.fields.get(38, "").strip()
    if asked.mti in _APPROVABLE:
        _check_approval(response, approval_code)
    return Answer(
        action=response.action,
        response_code=code,
        approval_code=approval_code,
        rrn=message.fields.get(37, ""),
        amount_minor=_approved_minor(asked, message, response),
        text=response.text,
    )


def decline_reason(profile: Profile, code: str) -> str:
    """What a response code of a sale means, in plain English."""
    response = profile.responses.get(code)
    return response.text if response else f"The host declined with code {code}."


def _ours(profile: Profile, message: bytes) -> Message:
    try:
        return unpack(profile, message)
    except HostGarbled as error:
        fault = str(error)
    raise AssertionError(f"our own message cannot be read back: {fault}")


def _retyped(profile: Profile, original: Message, mti: str) -> bytes:
    return pack(profile, Message(mti, original.fields))


def sale_fields(profile: Profile, facts: SaleFacts) -> dict[int, str]:
    fields = {
        3: facts.processing_code,
        4: f"{facts.amount.minor:012d}",
        7: f"{facts.at.astimezone(UTC):%m%d%H%M%S}",
        11: f"{facts.stan:06d}",
        12: f"{facts.local_at:%H%M%S}",
        13: f"{facts.local_at:%m%d}",
        22: facts.entry_mode,
        25: "00",  # Normal presentment.
        37: facts.rrn,
        41: facts.terminal_id.ljust(8),
        42: facts.merchant_id.ljust(15),
        49: f"{facts.amount.currency.number:03d}",
        profile.batch_field: f"{facts.batch:06d}",
        profile.reference_field: facts.reference,
    }
    if facts.chip_data:
        fields[55] = encode_chip_data(facts.chip_data).hex().upper()
        fields |= envelope_fields(profile, facts.envelope)
    if facts.approval_code:
        fields[38] = facts.approval_code.ljust(6)
    if facts.original is not None:
        fields[90] = original_data(facts.original)
    if facts.pan_sequence is not None:
        fields[23] = f"{facts.pan_sequence:03d}"
    return fields


def _prose(profile: Profile, reason: str) -> str:
    """A reason as its field can hold it: it may quote a system in any language."""
    limit = profile.layout.fields[profile.reason_field].length
    return "".join(c if " " <= c <= "~" else "?" for c in reason)[:limit]


def _response(profile: Profile, mti: str, code: str) -> Response:
    if mti in {"0420", "0421"}:
        unlisted = Response(Action.QUARANTINE, f"The host refused the reversal with code {code}.")
        return profile.reversal_responses.get(code, unlisted)
    action = Action.DECLINED if mti in _ASKED_ONLINE else Action.QUARANTINE
    return profile.responses.get(code, Response(action, decline_reason(profile, code)))


def _check_belongs(profile: Profile, asked: Message, message: Message) -> None:
    """Refuses an answer that is about something else than its request."""
    if message.mti != ANSWERS[asked.mti]:
        raise HostGarbled(f"The host answered a {asked.mti} with a {message.mti}.")
    for number in sorted(profile.echoed & asked.fields.keys() & message.fields.keys()):
        if message.fields[number] != asked.fields[number]:
            raise HostGarbled(
                f"The host's answer has another DE {number} ({field_name(profile, number)})"
                " than the request."
            )


def _check_approval(response: Response, approval_code: str) -> None:
    """Refuses an approval without its code, and a code without its approval."""
    approved = response.action in {Action.APPROVED, Action.PARTIAL}
    if approved and not approval_code:
        raise HostGarbled("The host approved without DE 38 (approval code).")
    if approval_code and not approved and response.action is not Action.DUPLICATE:
        raise HostGarbled("The host sent DE 38 (approval code) without an approval.")


def _approved_minor(asked: Message, message: Message, response: Response) -> int | None:
    """The amount that was approved, checked against the amount asked for."""
    if 4 not in asked.fields:
        return None
    wanted, got = int(asked.fields[4]), int(message.fields[4])
    if response.action is Action.PARTIAL:
        if not 0 < got < wanted:
            raise HostGarbled("The host's partial approval is not a part of the amount.")
        return got
    if got != wanted:
        raise HostGarbled("The host's answer has another DE 4 (amount) than the request.")
    return got if asked.mti in _APPROVABLE and response.action is Action.APPROVED else None
