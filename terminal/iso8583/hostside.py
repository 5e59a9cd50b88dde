"""The host's half of the conversation, for an acquirer that is simulated.

Rules of this file: the same codec and the same tables as the till's half, so that the two can
only disagree where a test makes them. No till calls anything here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from terminal.errors import HostGarbled
from terminal.iso8583.chip_data import decode_chip_data, encode_chip_data
from terminal.iso8583.codec import Message
from terminal.iso8583.envelope import envelope_of
from terminal.iso8583.messages import ANSWERS, pack, unpack
from terminal.iso8583.profile import Profile


@dataclass(frozen=True, slots=True)
class OriginalData:
    """DE 90: which message a reversal undoes."""

    mti: str
    stan: int
    transmitted: str


@dataclass(frozen=True, slots=True)
class Request:
    """A message from a till, taken apart.

    ``fields`` are as on the wire (binary ones in hexadecimal), ``chip_data`` the tags of DE 55,
    ``envelope`` the sealed card, ``reference`` the ``SEQUENCE:TXN_ID`` that it is sealed to.
    """

    mti: str
    fields: Mapping[int, str] = field(repr=False)
    chip_data: Mapping[int, bytes] = field(repr=False)
    envelope: bytes = field(repr=False)
    reference: str
    original: OriginalData | None

    @property
    def stan(self) -> int:
        """DE 11."""
        return int(self.fields[11])

    @property
    def terminal_id(self) -> str:
        """DE 41 without its padding."""
        return self.fields[41].rstrip()

    @property
    def amount_minor(self) -> int:
        """DE 4, 0 for a network message."""
        return int(self.fields.get(4, "0"))

    @property
    def rrn(self) -> str:
        """DE 37, empty for a network message."""
        return self.fields.get(37, "")

    @property
    def repeat(self) -> bool:
        """Whether this is a second copy (0221, 0421)."""
        return self.mti[3] == "1"


def parse_request(profile: Profile, wire: bytes) -> Request:
    """A till's message, taken apart.

    Raises:
        HostGarbled: the bytes are not one request of this profile.
    """
    message = unpack(profile, wire)
    if message.mti not in ANSWERS:
        raise HostGarbled(f"A {message.mti} is no request.")
    fields = message.fields
    original = None
    if 90 in fields:
        stan, transmitted = int(fields[90][4:10]), fields[90][10:20]
        original = OriginalData(fields[90][:4], stan, transmitted)
    return Request(
        mti=message.mti,
        fields=fields,
        chip_data=decode_chip_data(bytes.fromhex(fields.get(55, ""))),
        envelope=envelope_of(profile, fields),
        reference=fields.get(profile.reference_field, ""),
        original=original,
    )


def compose_answer(
    profile: Profile,
    request: Request,
    code: str,
    *,
    approval_code: str = "",
    amount_minor: int | None = None,
    chip_data: Mapping[int, bytes] | None = None,
    at: datetime | None = None,
) -> bytes:
    """The answer to a request: its own fields echoed, with a response code.

    ``at`` is the host's time, told in the answer to an echo. ``amount_minor`` replaces DE 4 for
    a partial approval; ``chip_data`` is the issuer's DE 55.

    Raises:
        AssertionError: a value does not fit its field.
    """
    mti = ANSWERS[request.mti]
    form = profile.messages[mti]
    echoed = profile.echoed | {4, 7, 12, 13}
    fields = {n: value for n, value in request.fields.items() if n in echoed & form.allowed}
    fields[39] = code
    if approval_code:
        fields[38] = approval_code.ljust(6)
    if amount_minor is not None:
        fields[4] = f"{amount_minor:012d}"
    if at is not None and mti == "0810":
        fields[7] = f"{at.astimezone(UTC):%m%d%H%M%S}"
    if chip_data:
        fields[55] = encode_chip_data(chip_data).hex().upper()
    return pack(profile, Message(mti, fields))


def compose_settlement_answer(
    profile: Profile, request: Request, code: str, own: Mapping[int, str]
) -> bytes:
    """The answer to a 0500 or 0320: its numbers echoed, a response code, the host's own fields.

    Raises:
        AssertionError: a value does not fit its field.
    """
    mti = ANSWERS[request.mti]
    allowed = profile.messages[mti].allowed
    echoed = (profile.echoed | {7}) & allowed
    fields = {n: value for n, value in request.fields.items() if n in echoed}
    return pack(profile, Message(mti, {**fields, 39: code, **own}))
