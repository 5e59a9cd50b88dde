"""The messages that close a batch: reconciliation (0500) and upload (0320), and their answers.

Rules of this file: as in ``terminal.iso8583.messages``. What ISO 8583 leaves to the two sides is
stated here, and is our own reading and no acquirer's word (docs/decisions, 015): DE 3 is 920000
for the first reconciliation of a batch and 960000 for the one after an upload; a 0330 says 00
where the host has the same, 25 where it had none, 64 where it had another amount (which DE 4 of
the answer names); DE 48 of a 0510 after an upload lists what only the host has, as
``KIND STAN RRN MINOR`` with semicolons between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from terminal.errors import HostGarbled
from terminal.iso8583.codec import Message
from terminal.iso8583.messages import SaleFacts, original_data, sale_fields
from terminal.iso8583.packing import pack, unpack
from terminal.iso8583.profile import Profile
from terminal.money import Currency

RECONCILE = "920000"
RECONCILE_AFTER_UPLOAD = "960000"
NET_MAX = 10**16 - 1
_EXTRA = re.compile(r"[a-z]+ [0-9]{1,6} [A-Za-z0-9 ]{12} [0-9]{1,12}", re.ASCII)

TOTAL_FIELDS = ((76, 88), (77, 89), (74, 86), (75, 87))
"""Number and amount of debits, their reversals, credits, and their reversals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFacts:
    """What a reconciliation says. ``sums`` are (count, minor) in the order of TOTAL_FIELDS."""

    batch: int
    currency: Currency
    stan: int
    at: datetime
    terminal_id: str
    merchant_id: str
    sums: tuple[tuple[int, int], ...]
    net_minor: int
    after_upload: bool = False


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The host's word on a batch, and its own net where it gave one."""

    response_code: str
    net_minor: int | None
    extras: tuple[str, ...]


def compose_reconciliation(profile: Profile, facts: BatchFacts) -> bytes:
    """The 0500.

    Raises:
        AssertionError: a value does not fit its field.
    """
    fields = {
        3: RECONCILE_AFTER_UPLOAD if facts.after_upload else RECONCILE,
        7: f"{facts.at.astimezone(UTC):%m%d%H%M%S}",
        11: f"{facts.stan:06d}",
        41: facts.terminal_id.ljust(8),
        42: facts.merchant_id.ljust(15),
        50: f"{facts.currency.number:03d}",
        profile.batch_field: f"{facts.batch:06d}",
        97: net_field(facts.net_minor),
    }
    for (number, amount), (count, minor) in zip(TOTAL_FIELDS, facts.sums, strict=True):
        fields[number] = f"{count:010d}"
        fields[amount] = f"{minor:016d}"
    return pack(profile, Message("0500", fields))


def net_field(net_minor: int) -> str:
    """DE 97: C for what the shop gets, D for what it owes, and sixteen digits."""
    if abs(net_minor) > NET_MAX:
        raise AssertionError("a net amount has at most sixteen digits")
    return f"{'D' if net_minor < 0 else 'C'}{abs(net_minor):016d}"


def compose_upload(profile: Profile, facts: SaleFacts) -> bytes:
    """The 0320 of one transaction of a batch: its numbers, and what it was sent as (DE 90).

    Raises:
        AssertionError: a value does not fit its field, or the original is not named.
    """
    if facts.original is None:
        raise AssertionError("an upload is about an original")
    allowed = profile.messages["0320"].allowed
    fields = {n: v for n, v in sale_fields(profile, facts).items() if n in allowed}
    return pack(profile, Message("0320", {**fields, 90: original_data(facts.original)}))


def read_reconciliation(profile: Profile, request: bytes, answer: bytes) -> BatchAnswer:
    """What a 0510 says.

    Raises:
        HostGarbled: it cannot be read, or is about something else.
    """
    message = _answered(profile, request, answer)
    net = message.fields.get(97)
    net_minor = None if net is None else int(net[1:]) * (-1 if net[0] == "D" else 1)
    extras = tuple(filter(None, message.fields.get(48, "").split(";")))
    if wrong := [extra for extra in extras if not _EXTRA.fullmatch(extra)]:
        raise HostGarbled(f"The host's list of its own transactions is unreadable ({wrong[0]!r}).")
    return BatchAnswer(message.fields[39], net_minor, extras)


def read_upload(profile: Profile, request: bytes, answer: bytes) -> tuple[str, int]:
    """The response code of a 0330, and the amount that the host had.

    Raises:
        HostGarbled: it cannot be read, or is about something else.
    """
    message = _answered(profile, request, answer)
    return message.fields[39], int(message.fields.get(4, "0"))


def _answered(profile: Profile, request: bytes, answer: bytes) -> Message:
    asked, message = unpack(profile, request), unpack(profile, answer)
    for number in sorted(profile.echoed & asked.fields.keys() & message.fields.keys()):
        if message.fields[number] != asked.fields[number]:
            raise HostGarbled(f"The host's answer has another DE {number} than the request.")
    return message
