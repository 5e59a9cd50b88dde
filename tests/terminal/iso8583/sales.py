"""A sale to make messages of, and how a host would answer it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from terminal.iso8583.hostside import compose_answer, parse_request
from terminal.iso8583.messages import SaleFacts
from terminal.iso8583.profiles import BASE87
from terminal.money import Amount, Currency

EUR = Currency.of("EUR")
AT = datetime(2026, 3, 31, 22, 59, 58, tzinfo=UTC)
LOCAL_AT = AT.astimezone(timezone(timedelta(hours=2)))  # Already the first of April.

FACTS = SaleFacts(
    amount=Amount(1250, EUR),
    stan=42,
    rrn="609022000042",
    at=AT,
    local_at=LOCAL_AT,
    terminal_id="T0000001",
    merchant_id="SHOP00000000001",
    reference="17:0123456789abcdef",
    chip_data={0x9F26: bytes(range(8)), 0x82: b"\x39\x00", 0x95: bytes(5), 0x9F36: b"\x00\x34"},
    envelope=bytes(range(150)),
    batch=3,
    pan_sequence=1,
)


def facts(**changes: Any) -> SaleFacts:
    return replace(FACTS, **changes)


def answer(request: bytes, code: str = "00", **options: Any) -> bytes:
    """What a host that behaves would say; an approval of a sale gets its approval code."""
    parsed = parse_request(BASE87, request)
    if code in {"00", "08", "10", "11", "16", "85"} and parsed.mti[:2] == "02":
        options.setdefault("approval_code", "A1B2C3")
    return compose_answer(BASE87, parsed, code, **options)
