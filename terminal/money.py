"""Money: integer minor units and a currency, and no float anywhere.

Rules of this file: an ``Amount`` never mixes currencies, never rounds by itself, and is only
made from text by ``Amount.parse``, which refuses what it does not fully understand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from terminal.errors import AmountError, ConfigError

MINOR_MAX = 999_999_999_999
"""The largest amount that fits DE 4 and tag 9F02: twelve decimal digits."""


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency: letters, number as on the wire, and decimals of its minor unit."""

    code: str
    number: int
    exponent: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.code):
            raise ConfigError(f"Currency code {self.code!r} is not three capital letters.")
        if not 1 <= self.number <= 999:
            raise ConfigError(f"Currency number {self.number} is outside 1 to 999.")
        if not 0 <= self.exponent <= 4:
            raise ConfigError(f"Currency {self.code} has {self.exponent} decimals; 0 to 4 exist.")

    @classmethod
    def of(cls, code: str) -> Currency:
        """The currency with this ISO 4217 code.

        Raises:
            ConfigError: the code is not in the table.
        """
        try:
            return CURRENCIES[code.upper()]
        except KeyError:
            known = ", ".join(sorted(CURRENCIES))
            raise ConfigError(
                f"Currency {code!r} is not known.", remedy=f"Use one of: {known}."
            ) from None

    @classmethod
    def of_number(cls, number: int) -> Currency:
        """The currency with this ISO 4217 number.

        Raises:
            ConfigError: the number is not in the table.
        """
        for currency in CURRENCIES.values():
            if currency.number == number:
                return currency
        raise ConfigError(f"Currency number {number:03d} is not known.")


# ISO 4217: code, number, decimals of the minor unit.
_ISO_4217 = """
AED 784 2  ARS 032 2  AUD 036 2  BGN 975 2  BHD 048 3  BRL 986 2  CAD 124 2  CHF 756 2
CLP 152 0  CNY 156 2  COP 170 2  CZK 203 2  DKK 208 2  EUR 978 2  GBP 826 2  HKD 344 2
HUF 348 2  IDR 360 2  ILS 376 2  INR 356 2  IRR 364 2  ISK 352 0  JOD 400 3  JPY 392 0
KRW 410 0  KWD 414 3  MAD 504 2  MXN 484 2  MYR 458 2  NOK 578 2  NZD 554 2  OMR 512 3
PEN 604 2  PHP 608 2  PLN 985 2  QAR 634 2  RON 946 2  RSD 941 2  SAR 682 2  SEK 752 2
SGD 702 2  THB 764 2  TND 788 3  TRY 949 2  TWD 901 2  UAH 980 2  USD 840 2  UYU 858 2
VND 704 0  XAF 950 0  XOF 952 0  ZAR 710 2
"""


def _table() -> dict[str, Currency]:
    words = _ISO_4217.split()
    rows = zip(words[0::3], words[1::3], words[2::3], strict=True)
    return {code: Currency(code, int(number), int(exponent)) for code, number, exponent in rows}


CURRENCIES = _table()


@dataclass(frozen=True, slots=True, order=False)
class Amount:
    """A sum of money in minor units (cents, fils, whole yen).

    Raises:
        AmountError: the sum is negative or does not fit twelve digits.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if self.minor < 0:
            raise AmountError("An amount cannot be negative.")
        if self.minor > MINOR_MAX:
            raise AmountError("The amount has more than twelve digits.")

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Amount:
        """Reads ``12.50`` as a person types it: digits, one dot, no more decimals than exist.

        Commas, signs, exponents, spaces and digits outside 0-9 are refused rather than
        guessed at: ``12,505`` is twelve thousand to one reader and twelve to another.

        Raises:
            AmountError: with the text, the reason and an example.
        """
        example = "1250" if currency.exponent == 0 else f"12.{'5'.ljust(currency.exponent, '0')}"
        remedy = f"Type digits with a dot before the decimals, like {example}."
        if not text.isascii() or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
            raise AmountError(f"{text!r} is not an amount in {currency.code}.", remedy=remedy)
        whole, _, decimals = text.partition(".")
        if len(decimals) > currency.exponent:
            raise AmountError(
                f"{text!r} has more decimals than {currency.code}, which has"
                f" {currency.exponent or 'none'}.",
                remedy=remedy,
            )
        digits = whole.lstrip("0") + decimals.ljust(currency.exponent, "0")
        if len(digits) > 12:
            raise AmountError(
                f"{text!r} is more than this till can take.",
                remedy=f"Take it in parts of at most {cls(MINOR_MAX, currency)}.",
            )
        return cls(int(digits or "0"), currency)

    def __add__(self, other: Amount) -> Amount:
        self._same_currency(other)
        return Amount(self.minor + other.minor, self.currency)

    def __sub__(self, other: Amount) -> Amount:
        self._same_currency(other)
        return Amount(self.minor - other.minor, self.currency)

    def _same_currency(self, other: Amount) -> None:
        if self.currency != other.currency:
            raise AmountError(f"{self.currency.code} and {other.currency.code} do not add up.")

    @property
    def decimal(self) -> str:
        """The number alone, ``12.50``, with ASCII digits and a dot: for logs, files and hosts."""
        return _decimal(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.currency.code} {self.decimal}"


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of amounts in one currency: what no message carries may have any number of digits.

    Raises:
        AmountError: the sum is negative.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if self.minor < 0:
            raise AmountError("A total cannot be negative.")

    @property
    def decimal(self) -> str:
        """The number alone, like that of an amount."""
        return _decimal(self.minor, self.currency)

    def __str__(self) -> str:
        return f"{self.currency.code} {self.decimal}"


def _decimal(minor: int, currency: Currency) -> str:
    if currency.exponent == 0:
        return str(minor)
    whole, part = divmod(minor, 10**currency.exponent)
    return f"{whole}.{part:0{currency.exponent}d}"
