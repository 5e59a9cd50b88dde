"""Asking the acquirer whether a bank transfer has arrived: 0600, and its answer 0610.

Rules of this file: as in ``terminal.iso8583.messages``. ISO 8583:1987 keeps the class x6xx for
administrative messages and leaves their content to the two sides, so all of this is data of a
profile that has it, and our own reading: DE 3 is 390000 (an inquiry), DE 63 the reference that
the payer's bank was given, DE 4 what is awaited. The answer says 00 where it has arrived, 25
where it has not, and 13 where another amount has, which DE 4 of the answer names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from terminal.errors import HostGarbled
from terminal.iso8583.codec import Message
from terminal.iso8583.packing import pack, unpack
from terminal.iso8583.profile import Profile
from terminal.money import Amount

INQUIRY = "390000"
ARRIVED, NOT_ARRIVED, OTHER_AMOUNT = "00", "25", "13"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFacts:
    """Which transfer is asked about. ``stan`` numbers no transaction."""

    reference: str
    amount: Amount
    stan: int
    at: datetime
    zone: tzinfo
    terminal_id: str
    merchant_id: str


def answers_transfers(profile: Profile) -> bool:
    """Whether the acquirer can be asked."""
    return "0600" in profile.messages


def compose_inquiry(profile: Profile, facts: TransferFacts) -> bytes:
    """The 0600.

    Raises:
        AssertionError: a value does not fit its field.
    """
    local = facts.at.astimezone(facts.zone)
    fields = {
        3: INQUIRY,
        4: f"{facts.amount.minor:012d}",
        7: f"{facts.at.astimezone(UTC):%m%d%H%M%S}",
        11: f"{facts.stan:06d}",
        12: f"{local:%H%M%S}",
        13: f"{local:%m%d}",
        41: facts.terminal_id.ljust(8),
        42: facts.merchant_id.ljust(15),
        49: f"{facts.amount.currency.number:03d}",
        profile.reference_field: facts.reference,
    }
    return pack(profile, Message("0600", fields))


def read_inquiry(profile: Profile, request: bytes, answer: bytes) -> tuple[str, int]:
    """The response code of a 0610, and the amount that has arrived, in minor units.

    Raises:
        HostGarbled: it cannot be read, or is about another transfer.
    """
    asked, message = unpack(profile, request), unpack(profile, answer)
    for number in (3, 49, profile.reference_field):
        if message.fields.get(number) != asked.fields[number]:
            raise HostGarbled(f"The host's answer has another DE {number} than the request.")
    code, minor = message.fields[39], int(message.fields[4])
    if code == ARRIVED and message.fields[4] != asked.fields[4]:
        raise HostGarbled("The host has confirmed another amount than it was asked about.")
    return code, minor
