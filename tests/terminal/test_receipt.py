"""A receipt says what the ledger holds, four digits of the card, and whether money was taken."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from terminal.card import Pan
from terminal.emv.outcome import Cvm
from terminal.money import Amount, Currency
from terminal.ports import PrintLine
from terminal.receipt import HEADLINES, MONEY_LINES, Receipt, Shop, columns, layout
from terminal.transaction import MONEY_TAKEN, CardSummary, MoneyTaken, State, Transaction

EUR = Currency.of("EUR")
AT = datetime(2026, 3, 31, 22, 30, 15, tzinfo=UTC)
MADRID = ZoneInfo("Europe/Madrid")
CARD = CardSummary(
    token="tok_aaaa",
    masked_pan="•••• 0010",
    scheme="Visa",
    aid="A0000000031010",
    label="VISA CREDIT",
    fingerprint="f" * 32,
    fingerprint_epoch=1,
    device="phone",
    cvm="signature",
)
SALE = Transaction(
    txn_id="sale_0123456789abcdef0123",
    sequence=17,
    state=State.APPROVED,
    amount=Amount(1250, EUR),
    created_at=AT,
    changed_at=AT,
    card=CARD,
    stan=42,
    rrn="609022000042",
    batch=1,
    response_code="00",
    approval_code="A1B2C3",
    approved_minor=1250,
)
ON_PAPER = {State.DECLINED, State.DECLINED_AFTER_FORWARD, State.CANCELLED, State.INTERRUPTED}
"""States that tell the customer why; a host's name or a network's trouble is not for paper."""
SHOP = Shop("Café Ñandú", ("Calle Mayor 1", "28013 Madrid"), "hola@example.com", "Within 14 days.")


def receipt(**changes: object) -> Receipt:
    sale = replace(SALE, **changes)  # type: ignore[arg-type]  # a table's values
    return Receipt(SHOP, sale, "TAPTILL1", "TAPTILLDEMO0001", AT)


def paper(made: Receipt, width: int = 42) -> str:
    return columns(layout(made, MADRID), width)


def test_the_whole_receipt() -> None:
    assert paper(receipt()) == (
        "                Café Ñandú\n"
        "              Calle Mayor 1\n"
        "               28013 Madrid\n"
        "\n"
        "2026-04-01 00:30:15        TAPTILL1-000017\n"
        "Terminal                          TAPTILL1\n"
        "Merchant                   TAPTILLDEMO0001\n"
        "\n"
        "TOTAL                            EUR 12.50\n"
        "\n"
        "                 APPROVED\n"
        "             Money was taken.\n"
        "Approval code                       A1B2C3\n"
        "Response                                00\n"
        "\n"
        "VISA CREDIT                      •••• 0010\n"
        "AID                         A0000000031010\n"
        "Entry                   contactless, phone\n"
        "Verification                     signature\n"
        "RRN                           609022000042\n"
        "STAN                                000042\n"
        "\n"
        "\n"
        "Signature            _____________________\n"
        "Reference        sale_0123456789abcdef0123\n"
        "Questions                 hola@example.com\n"
        "\n"
        "             Within 14 days.\n"
    )


def test_a_phone_s_receipt_names_the_card_behind_its_own_number() -> None:
    shown = paper(receipt(card=replace(CARD, last4="4711")))
    assert (
        "VISA CREDIT                      •••• 0010\nCard                             •••• 4711\n"
        in shown
    )


def test_a_partial_approval_says_what_is_still_due() -> None:
    shown = paper(receipt(amount=Amount(10010, EUR), approved_minor=6006))
    assert "PAID                             EUR 60.06\n" in shown
    assert "STILL DUE                        EUR 40.04\n" in shown
    assert " PARTLY APPROVED\n" in shown
    assert " EUR 60.06 was taken.\n" in shown
    assert MONEY_LINES[MoneyTaken.YES] not in shown
    assert "STILL DUE" not in paper(receipt())


@pytest.mark.parametrize(
    ("cvm", "words"),
    [
        *((Cvm.NONE.value, "not needed"), (Cvm.SIGNATURE.value, "signature")),
        *((Cvm.ONLINE_PIN.value, "PIN"), (Cvm.CONFIRMATION_CODE.value, "on the device")),
        *((Cvm.NOT_APPLICABLE.value, "not needed"), ("of a later version", "of a later version")),
    ],
)
def test_how_the_holder_was_verified(cvm: str, words: str) -> None:
    assert f"Verification{words:>30}\n" in paper(receipt(card=replace(CARD, cvm=cvm)))


@pytest.mark.parametrize("state", State)
def test_a_signature_is_asked_for_where_the_sale_stands(state: State) -> None:
    stands = state in {State.APPROVED, State.STORED, State.SET_ASIDE}
    assert ("Signature  " in paper(receipt(state=state))) is stands
    assert "Signature  " not in paper(receipt(state=state, card=replace(CARD, cvm="no CVM")))


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_words(state: State) -> None:
    shown = paper(receipt(state=state, reason="Because."))
    assert HEADLINES[state] in shown
    assert MONEY_LINES[MONEY_TAKEN[state]] in shown
    assert ("Because." in shown) is (state in ON_PAPER)


def test_a_sale_that_met_no_host_and_no_card() -> None:
    bare = receipt(
        state=State.CANCELLED, card=None, stan=None, rrn="", response_code="", approval_code=""
    )
    shown = paper(replace(bare, shop=Shop("Shop")))
    for absent in ("AID", "RRN", "STAN", "Approval", "Response", "Questions", "Entry"):
        assert absent not in shown
    assert shown.endswith("sale_0123456789abcdef0123\n")


def test_a_card_without_a_label_has_its_scheme() -> None:
    assert "Visa  " in paper(receipt(card=replace(CARD, label="")))


@pytest.mark.parametrize(
    ("flag", "words"), [("simulated", "SIMULATED - NO REAL MONEY"), ("copy", "COPY")]
)
def test_what_a_receipt_is_not(flag: str, words: str) -> None:
    assert words not in paper(receipt())
    assert words in paper(replace(receipt(), **{flag: True}))  # type: ignore[arg-type]  # two flags


def test_the_number_names_terminal_and_sale() -> None:
    assert receipt().number == "TAPTILL1-000017"


@pytest.mark.parametrize("seed", range(50))
def test_no_receipt_has_more_than_four_digits_of_a_card(seed: int) -> None:
    """The numbers of the sale are letters here, so no digits can match by accident."""
    chance = random.Random(seed)
    pan = "".join(chance.choices("0123456789", k=chance.randint(8, 19)))
    made = receipt(
        card=replace(CARD, masked_pan=Pan(pan).masked, aid="A" * 14),
        state=chance.choice(list(State)),
        amount=Amount(1, EUR),
        approved_minor=1,
        rrn="ABCDEFGHIJKL",
        stan=None,
        created_at=datetime(1999, 1, 1, tzinfo=UTC),
        txn_id="sale_x",
        reason="Because.",
    )
    shop = Shop("Shop", contact="us")
    plain = replace(made, shop=shop, terminal_id="TERMINAL", merchant_id="M")
    lines = layout(plain, UTC)[2:]
    assert [line.right for line in lines if pan[-4:] in line.right] == [f"•••• {pan[-4:]}"]
    shown = columns(lines, 42).replace("1999-01-01 00:00:00", "").replace("-000017", "")
    found = [start for start in range(len(pan) - 4) if pan[start : start + 5] in shown]
    assert found == []


# -- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (PrintLine("ab", "cd"), "ab   cd\n"),
        (PrintLine("abc", "def"), "abc def\n"),
        (PrintLine("abcd", "efg"), "abcd\n    efg\n"),
        (PrintLine("", "efg"), "    efg\n"),
        (PrintLine("abc"), "abc\n"),
        (PrintLine(), "\n"),
        (PrintLine("abc", centred=True), "  abc\n"),
        (PrintLine("ab cd ef gh"), "ab cd\nef gh\n"),
        (PrintLine("ab cd ef gh", centred=True), " ab cd\n ef gh\n"),
        (PrintLine("abcdefghij"), "abcdefg\nhij\n"),
        (PrintLine("a", "bcdefghij"), "a\nbcdefgh\n     ij\n"),
    ],
)
def test_columns(line: PrintLine, rows: str) -> None:
    assert columns((line,), 7) == rows


@pytest.mark.parametrize("width", [24, 32, 42, 48, 64])
@pytest.mark.parametrize("state", State)
def test_no_row_is_wider_than_the_paper(width: int, state: State) -> None:
    policy = "Returns within 14 days, unopened, with this receipt and the card that paid."
    reason = "Offline limit reached: EUR 12.00 of room is left in this shop for today."
    shop = Shop("A shop with a name that is quite long", ("1 " * 40,), "c" * 60, policy)
    made = replace(receipt(state=state, reason=reason), shop=shop, simulated=True, copy=True)
    rows = paper(made, width).splitlines()
    assert max(map(len, rows)) <= width
    for words in (policy, reason if state in ON_PAPER else policy):
        assert words in " ".join(" ".join(rows).split())
