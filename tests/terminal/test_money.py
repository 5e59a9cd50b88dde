"""Money is read strictly and added exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.errors import AmountError, ConfigError
from terminal.money import CURRENCIES, MINOR_MAX, Amount, Currency, Total

EUR = Currency.of("EUR")
JPY = Currency.of("JPY")
KWD = Currency.of("KWD")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", EUR, 1250),
        ("12.5", EUR, 1250),
        ("12", EUR, 1200),
        ("0.01", EUR, 1),
        ("0", EUR, 0),
        ("007", EUR, 700),
        ("1250", JPY, 1250),
        ("1.234", KWD, 1234),
        ("9999999999.99", EUR, MINOR_MAX),
    ],
)
def test_amounts_that_are_read(text: str, currency: Currency, minor: int) -> None:
    assert Amount.parse(text, currency).minor == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12,505", EUR),
        ("12,50", EUR),
        ("-1", EUR),
        ("+1", EUR),
        ("1e9", EUR),
        ("\u0967\u0968", EUR),
        ("\u06f1\u06f2", EUR),
        ("", EUR),
        (" 1", EUR),
        ("1 ", EUR),
        ("1.", EUR),
        (".5", EUR),
        ("1.2.3", EUR),
        ("12.505", EUR),
        ("12.5", JPY),
        ("1_000", EUR),
        ("0x10", EUR),
        ("nan", EUR),
        ("10000000000.00", EUR),
        ("12\n", EUR),
    ],
)
def test_amounts_that_are_refused_name_the_text_and_the_remedy(
    text: str, currency: Currency
) -> None:
    with pytest.raises(AmountError) as caught:
        Amount.parse(text, currency)
    assert repr(text) in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1250, EUR, "EUR 12.50"),
        (5, EUR, "EUR 0.05"),
        (1250, JPY, "JPY 1250"),
        (1, KWD, "KWD 0.001"),
    ],
)
def test_amounts_as_text(minor: int, currency: Currency, text: str) -> None:
    assert str(Amount(minor, currency)) == text


def test_a_total_has_any_number_of_digits_and_no_sign() -> None:
    assert str(Total(10 * MINOR_MAX, EUR)) == "EUR 99999999999.90"
    assert Total(1250, JPY).decimal == "1250"
    with pytest.raises(AmountError):
        Total(-1, EUR)


@given(st.integers(0, MINOR_MAX), st.sampled_from(sorted(CURRENCIES)))
def test_what_is_written_is_read_back(minor: int, code: str) -> None:
    amount = Amount(minor, Currency.of(code))
    assert Amount.parse(amount.decimal, amount.currency) == amount


def test_currencies_do_not_mix_and_sums_stay_in_range() -> None:
    with pytest.raises(AmountError):
        Amount(1, EUR) + Amount(1, JPY)
    with pytest.raises(AmountError):
        Amount(1, EUR) - Amount(2, EUR)
    with pytest.raises(AmountError):
        Amount(MINOR_MAX, EUR) + Amount(1, EUR)
    assert Amount(3, EUR) - Amount(2, EUR) + Amount(1, EUR) == Amount(2, EUR)


def test_unknown_currencies_are_refused_and_the_known_ones_listed() -> None:
    with pytest.raises(ConfigError, match="EUR"):
        Currency.of("XXX")
    with pytest.raises(ConfigError):
        Currency.of_number(1)
    assert Currency.of_number(978) == EUR
