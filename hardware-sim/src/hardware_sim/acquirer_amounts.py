"""Test amounts: the last two digits of the amount choose the answer, as test hosts commonly do.

Rules of this file: the digits are the ISO 8583 response code (12.51 is declined with 51), for the
codes listed here and no others; every other amount is decided by the issuer's rules alone, so
12.00 and 12.50 are ordinary sales.
"""

from __future__ import annotations

from dataclasses import dataclass

APPROVED = "00"
PARTIAL = "10"
PARTIAL_PERCENT = 60


@dataclass(frozen=True, slots=True)
class TestAmount:
    """One ending of an amount, and the answer that it asks for."""

    # Tells pytest that the name is no sign of a test class.
    __test__ = False

    ending: str
    meaning: str
    request: str
    advice: str

    @property
    def example(self) -> str:
        """An amount in a currency with two decimals."""
        return f"12.{self.ending}"


_DECLINED = "declined"
_LATER = "declined after forward"
TEST_AMOUNTS = {
    row.ending: row
    for row in (
        TestAmount("05", "do not honour", _DECLINED, _LATER),
        TestAmount("10", "partial approval", f"approved for {PARTIAL_PERCENT} %", "approved"),
        TestAmount("30", "format error", _DECLINED, "set aside"),
        TestAmount("41", "lost card", _DECLINED, _LATER),
        TestAmount("43", "stolen card", _DECLINED, _LATER),
        TestAmount("51", "insufficient funds", _DECLINED, _LATER),
        TestAmount("54", "expired card", _DECLINED, _LATER),
        TestAmount("57", "not permitted to cardholder", _DECLINED, _LATER),
        TestAmount("58", "not permitted to terminal", _DECLINED, "set aside"),
        TestAmount("61", "exceeds amount limit", _DECLINED, _LATER),
        TestAmount("65", "exceeds count limit", _DECLINED, _LATER),
        TestAmount("91", "issuer unavailable", _DECLINED, "91 once, approved when repeated"),
        TestAmount("96", "system malfunction", _DECLINED, "96 once, approved when repeated"),
    )
}

NOT_FINAL = frozenset({"91", "96"})
"""Answers that decide nothing: the same message may be sent again and is judged afresh."""


def code_for(amount_minor: int) -> str:
    """The response code that an amount asks for; 00 for every ordinary amount."""
    ending = f"{amount_minor % 100:02d}"
    return ending if ending in TEST_AMOUNTS else APPROVED


def partial_minor(amount_minor: int) -> int:
    """What a partial approval grants: 60 %, rounded down, and at least one minor unit."""
    return max(1, amount_minor * PARTIAL_PERCENT // 100)
