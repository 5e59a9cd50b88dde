"""The units in which people count money: how many decimals they type and read."""

from __future__ import annotations

from terminal.money import Currency

WHOLE_UNITS = frozenset({"HUF", "IRR"})
"""Currencies whose ISO 4217 decimals nobody types or prints (CLDR gives IRR none)."""


def shown_decimals(currency: Currency) -> int:
    """How many decimals a person types and reads in this currency."""
    return 0 if currency.code in WHOLE_UNITS else currency.exponent
