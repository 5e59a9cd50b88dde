"""A catalogue from CSV, bills that several payments pay, and codes for bank transfers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal.bill import Bill, by_items, equal_parts, tip_of
from terminal.catalogue import Item, Line, read_catalogue
from terminal.errors import AmountError, CatalogueError, ConfigError
from terminal.money import Amount, Currency
from terminal.transaction import State
from terminal.transfer_codes import Payee, crc16, iban_valid, merchant_code, sepa_code
from tests.ui.stand_ins import part_paid, sale

EUR = Currency.of("EUR")
GOOD = "name,price,group,tax,barcode,key\nCoffee,1.80,drinks,10,,1\nBook,12.00,books,4.5,978000,\n"


def test_a_good_catalogue() -> None:
    catalogue = read_catalogue(GOOD, EUR)
    assert catalogue.quick == (Item("Coffee", Amount(180, EUR), "drinks", 1000, "", 1),)
    book = catalogue.by_barcode(" 978000\n")
    assert book is not None
    assert (book.name, book.rate_bp) == ("Book", 450)
    assert catalogue.by_barcode("") is None


BROKEN = {
    "no price": ("name\nCoffee\n", ["line 1: there is no column 'price'"]),
    "unknown column": ("name,price,colour\n", ["line 1, column 3: 'colour' is none of"]),
    "several": (
        "name,price,tax,key\nCoffee,1,80,7\nTea,x,10,1\n,2.00,101,1\nMilk,1.00,5,100\n",
        [
            "line 3, column 2 (price): 'x' is not an amount in EUR",
            "line 4, column 1 (name): a name has 1 to 60 letters",
            "line 4, column 3 (tax): '101' is no percentage",
            "line 5, column 4 (key): '100' is no key from 1 to 99",
        ],
    ),
    "columns": ("name,price\nCoffee\n", ["line 2: 1 columns, and the heading has 2"]),
    "twice": (
        "name,price,barcode\nA,1.00,7\nB,2.00,7\n",
        ["line 3, column 3 (barcode): 7 belongs to 'A' of line 2 already"],
    ),
    "decimal commas": (
        "name;price\nA;1,80\n",
        ["line 2, column 2 (price): '1,80' is not an amount in EUR"],
    ),
    "quotes": ('name,price\n"Coffee,1.00\n', ["line 2: unexpected end of data"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_line_is_named_and_nothing_is_taken_in(name: str) -> None:
    text, expected = BROKEN[name]
    with pytest.raises(CatalogueError) as refused:
        read_catalogue(text, EUR, "items.csv")
    assert "items.csv" in refused.value.message
    found = refused.value.faults
    assert len(found) == len(expected)
    for fault, begins in zip(found, expected, strict=True):
        assert fault.startswith(begins)


def test_a_discount_is_rounded_and_its_tax_with_it() -> None:
    line = Line(Item("Book", Amount(1000, EUR), "books", 1000), 3, discount_bp=333)
    assert line.gross_minor == 2900
    assert line.part.tax_minor == 264


@given(st.integers(2, 10_000_000), st.integers(2, 40))
def test_equal_parts_are_equal_but_for_a_cent(minor: int, people: int) -> None:
    if people > minor:
        return
    parts = equal_parts(Amount(minor, EUR), people)
    assert sum(part.minor for part in parts) == minor
    assert parts[0].minor - parts[-1].minor in {0, 1}


def test_a_declined_card_leaves_the_bill_due_and_doubt_does_not() -> None:
    bill = Bill("b", Amount(2500, EUR))
    assert bill.due([sale(State.DECLINED)]).minor == 2500
    assert bill.due([sale(State.APPROVED)]).minor == 1250
    assert bill.due([sale(State.UNKNOWN)]).minor == 1250
    assert bill.due([part_paid(), sale(State.APPROVED)]).minor == 500
    assert bill.paid([sale(State.APPROVED), sale(State.APPROVED)])


def test_the_payments_of_a_bill_have_its_parts_to_the_cent() -> None:
    catalogue = read_catalogue(GOOD, EUR)
    bill = Bill.of("b", [Line(catalogue.items[0], 3), Line(catalogue.items[1])], EUR)
    assert (bill.total.minor, by_items(bill, [1]).minor) == (1740, 1200)
    first = bill.terms_for(Amount(1250, EUR), [], tip_minor=50)
    assert (first.bill, first.tip_minor) == ("b", 50)
    second = bill.terms_for(Amount(490, EUR), [sale(State.APPROVED)])
    tax = sum(part.tax_minor for part in bill.parts)
    assert first.tax_minor + second.tax_minor == tax
    with pytest.raises(AmountError, match=r"EUR 4\.90 is due, and not EUR 4\.91"):
        bill.terms_for(Amount(491, EUR), [sale(State.APPROVED)])


@pytest.mark.parametrize(("minor", "percent", "tip"), [(1250, 10, 125), (5, 10, 1), (4, 10, 0)])
def test_tips_are_rounded_half_up(minor: int, percent: int, tip: int) -> None:
    assert tip_of(Amount(minor, EUR), percent).minor == tip


def test_a_sepa_code_has_the_lines_of_its_standard() -> None:
    payee = Payee("Café Ñandú", iban="DE89370400440532013000")
    text = sepa_code(payee, Amount(1250, EUR), "TAP-000001")
    assert text.split("\n")[:8] == [
        *("BCD", "002", "1", "SCT", "", "Café Ñandú", "DE89370400440532013000", "EUR12.50"),
    ]
    with pytest.raises(AmountError):
        sepa_code(payee, Amount(1250, Currency.of("USD")), "x")
    with pytest.raises(ConfigError, match="is not an IBAN"):
        Payee("x", iban="DE89370400440532013001")
    assert iban_valid("GB82WEST12345698765432")


def test_a_merchant_code_ends_with_its_checksum() -> None:
    # The check value of CRC-16/CCITT-FALSE.
    assert crc16(b"123456789") == 0x29B1
    payee = Payee("Shop", city="Madrid", country="ES", network="com.example", account="42")
    text = merchant_code(payee, Amount(1250, EUR), "TAP-000001")
    assert text.startswith("000201010212")
    assert "540512.50" in text
    assert int(text[-4:], 16) == crc16(text[:-4].encode())
