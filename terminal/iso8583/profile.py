"""What an acquirer's dialect of ISO 8583 is made of: fields, messages and response codes.

Rules of this file: values only. A dialect is data (see ``profiles``), checked on construction, so
that a mistake in a table is found at import and not at a sale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from terminal.iso8583.framing import Framing

_DAY = r"(0[13578]|1[02])(0[1-9]|[12]\d|3[01])|(0[469]|11)(0[1-9]|[12]\d|30)|02(0[1-9]|1\d|2\d)"
_TIME = r"([01]\d|2[0-3])[0-5]\d[0-5]\d"


class Content(Enum):
    """What characters a field may hold (ISO 8583:1987, attribute symbols).

    Each value is a pattern over the whole field. Dates are their own classes, since the
    standard writes them as a format of a numeric field. Binary content is held as upper-case
    hexadecimal.
    """

    N = r"\d*"
    A = r"[A-Za-z ]*"
    AN = r"[A-Za-z0-9]*"
    ANP = r"[A-Za-z0-9 ]*"
    ANS = r"[ -~]*"
    XN = r"[CD]\d*"
    Z = r"[0-9=D]*"
    B = r"[0-9A-F]*"
    MMDDHHMMSS = rf"({_DAY}){_TIME}"
    HHMMSS = _TIME
    MMDD = rf"({_DAY})"
    YYMM = r"\d\d(0[1-9]|1[0-2])"

    def admits(self, value: str) -> bool:
        """Whether ``value`` is of this class."""
        return _PATTERNS[self].fullmatch(value) is not None


_PATTERNS = {content: re.compile(content.value, re.ASCII) for content in Content}


@dataclass(frozen=True, slots=True)
class Field:
    """One data element: its content, its length and how both are written.

    ``length`` is exact without a length prefix and a maximum with one; it counts bytes, or
    nibbles where ``nibbles`` is set (BCD); an odd number of them gets a zero in front, or behind
    with ``padded_right``. ``encoding`` is a text encoding or ``b`` for bytes; ``prefix_encoding`` a
    text encoding, ``bcd`` or ``b``. The names are those of pyiso8583.
    """

    name: str
    content: Content
    length: int
    prefix_bytes: int = 0
    encoding: str = "ascii"
    prefix_encoding: str = "ascii"
    nibbles: bool = False
    padded_right: bool = False

    def __post_init__(self) -> None:
        if self.length < 1 or not 0 <= self.prefix_bytes <= 6:
            raise AssertionError(f"the lengths of field {self.name!r} cannot be right")

    def admits(self, value: str) -> bool:
        """Whether ``value`` is of the field's content class; lengths are the codec's part."""
        return self.content.admits(value)


@dataclass(frozen=True, slots=True)
class Layout:
    """A wire layout: how the message type, the bitmap and each field become bytes.

    ``mti_encoding`` and ``bitmap_encoding`` are text encodings, or ``b`` for bytes (BCD for the
    message type). With ``secondary_always`` the second bitmap is there even when it is empty.
    """

    name: str
    fields: Mapping[int, Field]
    mti_encoding: str = "ascii"
    bitmap_encoding: str = "b"
    secondary_always: bool = False
    spec: Mapping[str, Mapping[str, Any]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unusable = [number for number in self.fields if not 2 <= number <= 128 or number == 65]
        if unusable:
            raise AssertionError(f"layout {self.name!r} has fields {unusable}")
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        object.__setattr__(self, "spec", MappingProxyType(self._spec()))

    def _spec(self) -> dict[str, Mapping[str, Any]]:
        """The same layout in pyiso8583's form."""

        def plain(encoding: str, length: int) -> dict[str, Any]:
            return {"data_enc": encoding, "len_enc": "ascii", "len_type": 0, "max_len": length}

        bitmap = plain(self.bitmap_encoding, 8 if self.bitmap_encoding == "b" else 16)
        spec: dict[str, Mapping[str, Any]] = {
            "h": plain("ascii", 0),
            "t": plain(self.mti_encoding, 2 if self.mti_encoding == "b" else 4),
            "p": bitmap,
            "1": bitmap,
        }
        for number, one in self.fields.items():
            spec[str(number)] = {
                "data_enc": one.encoding,
                "len_enc": one.prefix_encoding,
                "len_type": one.prefix_bytes,
                "max_len": one.length,
                "len_count": "nibbles" if one.nibbles else "bytes",
                "right_pad" if one.padded_right else "left_pad": "0",
                "desc": one.name,
            }
        return spec


class Action(Enum):
    """What the till does with a response code."""

    APPROVED = "approved"
    PARTIAL = "approved in part"
    DECLINED = "declined"
    DECLINED_BLOCK = "declined, never try this card again"
    RETRY_SAME = "host trouble, send the same message later"
    RETRY_REPEAT = "send once more as a repeat"
    DUPLICATE = "the host has had this message before"
    QUARANTINE = "the host refuses the message itself"


class Category(Enum):
    """How often a declined payment may be tried again with the same card.

    The three categories are Visa's (its rules on reattempts); Mastercard's advice codes fall
    into the same ones. ``ONCE`` is for 05, behind which most issuers hide their real reason.
    """

    NONE = "no decline"
    NEVER = "never again"
    LATER = "later, within limits"
    NEW_DATA = "only with new card data"
    ONCE = "once more at most"


@dataclass(frozen=True, slots=True)
class Response:
    """One code of DE 39: what to do, what to tell a person, and whether to try the card again."""

    action: Action
    text: str
    category: Category = Category.NONE


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most ``tries`` payments of one card may be declined for one reason in ``days`` days.

    Beyond that each try costs the shop a fee, so the card is refused before anything is sent.
    With ``same_amount`` only payments of the same amount count as tries of the same payment.
    """

    tries: int
    days: int
    same_amount: bool

    def __post_init__(self) -> None:
        if self.tries < 1 or self.days < 1:
            raise AssertionError("a retry ceiling allows at least one try in one day")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the acquirer wants queued messages to be repeated; what differs between acquirers.

    ``repeats_max`` is how often a message goes out again for a host that asked for it once more
    (19, 22, 68); ``silences_max`` how many times it may stay without an answer while the host
    answers others: then it is set aside, since it is the message's trouble and not the line's.
    ``late_booking_s`` is how long an asynchronous host may take to book a sale, so that "I have
    no such sale" (25) about a reversal is no end before. ``duplicate_is_booked`` says that a
    host which calls a repeat a duplicate (94), and does not repeat its first answer, booked it.
    ``host_time_field`` is the field of an answer in which the host writes its own time as DE 7
    does (UTC), None where it only echoes the till's.
    """

    ceilings: Mapping[Category, Ceiling]
    repeats_max: int = 2
    silences_max: int = 12
    late_booking_s: int = 60
    duplicate_is_booked: bool = True
    host_time_field: int | None = None

    def __post_init__(self) -> None:
        if min(self.repeats_max, self.silences_max) < 1 or self.late_booking_s < 0:
            raise AssertionError("the limits on repeats cannot be right")


@dataclass(frozen=True, slots=True)
class MessageFormat:
    """Which fields a message type must have and which it may have; no other is let through."""

    required: frozenset[int]
    optional: frozenset[int] = frozenset()

    @property
    def allowed(self) -> frozenset[int]:
        """Every field that the message type may have."""
        return self.required | self.optional


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """An acquirer's dialect; one is equal to itself alone.

    ``header`` precedes each message inside its frame; an answer has one of the same length.
    ``messages`` has a format for each message type; ``0200/20`` is that of a 0200 whose
    processing code (DE 3) begins with 20, ``0220/38`` that of a 0220 with an approval code: they
    are about an earlier transaction. ``envelope_field`` is the private binary field of the sealed
    card envelope; with a ``serial_field`` it is sealed by DUKPT, and the key serial number travels
    in that one (DE 53). ``reference_field`` is the private text field that carries
    ``SEQUENCE:TXN_ID``, so that till and host agree on what the envelope was sealed to.
    ``batch_field`` carries the batch number and ``reason_field`` why a sale was taken offline.
    ``echoed`` lists the fields that an answer, where it has them, repeats from its request.
    With a ``key_field`` each message that moves money carries the till's key for the MAC of its
    answer, which the host puts into the ``mac_field``; see ``answer_mac``.
    ``responses`` is for sales and advices, ``reversal_responses`` for reversals; ``delivery`` says
    how queued messages are repeated.
    """

    name: str
    layout: Layout
    framing: Framing
    messages: Mapping[str, MessageFormat]
    responses: Mapping[str, Response]
    reversal_responses: Mapping[str, Response]
    echoed: frozenset[int]
    envelope_field: int
    reference_field: int
    batch_field: int
    reason_field: int
    delivery: Delivery
    header: bytes = b""
    refund_without_card: bool = True
    serial_field: int = 0
    key_field: int = 0
    mac_field: int = 0

    def __post_init__(self) -> None:
        known = set(self.layout.fields)
        # The clear PAN and track data have no place in a till's message; see the design, 5.
        if known & {2, 35, 45}:
            raise AssertionError(f"profile {self.name!r} has a field for clear card data")
        for mti, form in self.messages.items():
            if missing := form.allowed - known:
                raise AssertionError(f"{mti} of {self.name!r} has unknown fields {missing}")
        binary = {self.envelope_field, self.serial_field or self.envelope_field}
        if any(self.layout.fields[number].content is not Content.B for number in binary):
            raise AssertionError(f"the envelope field of {self.name!r} is not binary")

    def form_of(self, mti: str, fields: Mapping[int, str]) -> MessageFormat | None:
        """The format of a message of this type with these fields; None where there is none."""
        variant = ""
        if mti == "0200" and fields.get(3, "").startswith("20"):
            variant = "0200/20"
        elif mti in {"0220", "0221"} and 38 in fields:
            variant = f"{mti}/38"
        return self.messages.get(variant) or self.messages.get(mti)
