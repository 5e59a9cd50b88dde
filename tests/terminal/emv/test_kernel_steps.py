"""The steps that kernels share before and after the judgement, one by one, each as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.emv.kernels import activation as act
from terminal.emv.outcome import Cvm, Decision, MessageId, Start, UiStatus
from terminal.emv.preprocessing import pre_process, terminal_objects
from terminal.emv.settings import Combination
from terminal.errors import CardError
from terminal.money import Amount, Currency
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import MASTERCARD, VISA
from tests.terminal.emv.steps import account_of, activation

# -- pre-processing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("currency", "minor", "checked"),
    [
        *(("EUR", 100, True), ("EUR", 1, False), ("EUR", 1000, False), ("EUR", 110, False)),
        *(("JPY", 1, True), ("JPY", 10, False), ("KWD", 1000, True), ("KWD", 100, False)),
    ],
)
def test_one_unit_is_a_status_check(currency: str, minor: int, *, checked: bool) -> None:
    combination = Combination(VISA, 3, "Visa", status_check=True, floor_limit_minor=None)
    found = pre_process(combination, Amount(minor, Currency.of(currency)))
    assert found.status_check is checked
    assert found.online_cryptogram_required is checked
    plain = pre_process(replace(combination, status_check=False), Amount(minor, Currency.of("EUR")))
    assert plain.status_check is False


@pytest.mark.parametrize(
    ("kernel", "contactless", "on_device", "minor", "exceeded"),
    [
        (2, 0, 0, 0, True),
        (2, 0, 500, 499, False),
        (2, 500, 0, 499, False),
        (2, 500, 100, 500, True),
        (3, 500, 900, 500, True),
        (3, 500, 900, 499, False),
        (3, None, 100, 900, False),
    ],
)
def test_the_contactless_limit(
    kernel: int, contactless: int | None, on_device: int, minor: int, *, exceeded: bool
) -> None:
    combination = Combination(
        VISA,
        kernel,
        "any",
        contactless_limit_minor=contactless,
        on_device_limit_minor=on_device,
    )
    found = pre_process(combination, Amount(minor, Currency.of("EUR")))
    assert found.limit_exceeded is exceeded
    assert found.zero_amount is (minor == 0)


@pytest.mark.parametrize(
    ("ttq", "zero_allowed", "minor", "allowed"),
    [
        ("22004000", True, 0, True),
        ("22004000", False, 0, False),
        ("2A004000", True, 0, False),
        ("22004000", False, 1, True),
        ("2A004000", True, 1, True),
    ],
)
def test_an_amount_of_zero(ttq: str, minor: int, *, zero_allowed: bool, allowed: bool) -> None:
    combination = Combination(
        VISA, 3, "Visa", ttq=bytes.fromhex(ttq), zero_amount_allowed=zero_allowed
    )
    assert pre_process(combination, Amount(minor, Currency.of("EUR"))).allowed is allowed


def test_a_combination_without_qualifiers_keeps_them_at_zero() -> None:
    found = pre_process(
        Combination(MASTERCARD, 2, "any", ttq=None, cvm_limit_minor=1),
        Amount(5, Currency.of("EUR")),
    )
    assert (found.ttq, found.cvm_required, found.online_capable) == (bytes(4), True, True)
    assert found.floor_limit_exceeded is True


@pytest.mark.parametrize(
    ("kernel", "stated"), [(3, "03"), (0x8102C0, "8102C0"), (255, "FF"), (256, "000100")]
)
def test_what_the_terminal_says_of_itself(kernel: int, stated: str) -> None:
    settings = scheme.settings(
        VISA, kernel, data={0x9F1E: b"TILL0001", 0x9F4E: b"SHOP", 0x5A: b"never"}
    )
    (combination,) = settings.combinations
    combination = replace(combination, data={0x9F4E: b"DESK"})
    request = scheme.request(1250, other_minor=300, sequence=42, transaction_type=0x20)
    found = terminal_objects(request, settings, combination, bytes.fromhex("22804000"))
    assert {f"{tag:X}": value.hex().upper() for tag, value in found.items()} == {
        "9F2A": stated,
        "9F09": "0002",
        "9F1A": "0250",
        "9F33": "002808",
        "9F35": "22",
        "9F39": "07",
        "9F40": "6000F0A001",
        "9F1E": b"TILL0001".hex().upper(),
        "9F4E": b"DESK".hex().upper(),
        "95": "0000000000",
        "9A": "260314",
        "9C": "20",
        "5F2A": "0978",
        "5F36": "02",
        "9F02": "000000001250",
        "9F03": "000000000300",
        "9F21": "150926",
        "9F37": "C0FFEE01",
        "9F66": "22804000",
        "9F41": "00000042",
    }
    plain = terminal_objects(scheme.request(), settings, combination, bytes(4))
    assert 0x9F41 not in plain


# -- what was tapped ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "aip", "form", "device"),
    [
        (3, "0000", "03000000", "phone"),
        (3, "0000", "24000000", "watch"),
        (3, "0000", "1F000000", "card"),
        (3, "0000", "030000", "card"),
        (3, "0000", "0300000000", "card"),
        (3, "0000", "00560000" + "3033", "card"),
        (2, "0000", "00560000" + "3031", "phone"),
        (2, "0000", "00560000" + "3032", "key fob"),
        (2, "0000", "00560000" + "3033", "watch"),
        (2, "0000", "00560000" + "303499", "sticker"),
        (2, "0000", "00560000" + "3035", "wristband"),
        (2, "0000", "00560000" + "3036", "phone"),
        (2, "0000", "00560000" + "3037", "phone"),
        (2, "0000", "00560000" + "3038", "phone"),
        (2, "0000", "00560000" + "3039", "phone"),
        (2, "0000", "00560000" + "3130", "card"),
        (2, "0000", "00568000" + "3031", "card"),
        (2, "0000", "00560080" + "3031", "phone"),
        (2, "0000", "00560100" + "3031", "phone"),
        (2, "0000", "00560000" + "30", "card"),
        (2, "0000", "03000000", "card"),
        (2, "0000", "", "card"),
        (4, "0040", "", "phone"),
        (4, "0001", "", "card"),
        (4, "4000", "00560000" + "3031", "card"),
        (5, "0040", "00560000" + "3031", "card"),
        (7, "0040", "03000000", "card"),
    ],
)
def test_what_was_tapped(kernel: int, aip: str, form: str, device: str) -> None:
    assert act.device(activation(kernel, {0x9F6E: form}, aip=aip)) == device


@pytest.mark.parametrize(
    ("stated", "shown"),
    [("1234", "1234"), ("0000", "0000"), ("12A4", ""), ("1234FF", ""), ("12", ""), ("", "")],
)
def test_the_last_four_digits_of_the_plastic_card(stated: str, shown: str) -> None:
    run = activation(objects={0x9F25: stated})
    assert act.ending(run, Decision.DECLINED, "", MessageId.NOT_AUTHORISED).last4 == shown


@pytest.mark.parametrize(
    ("objects", "candidate", "label"),
    [
        ({0x50: b"LABEL", 0x9F12: b"PREFERRED", 0x9F11: "01"}, "listed", "PREFERRED"),
        ({0x50: b"LABEL", 0x9F12: b"PREFERRED", 0x9F11: "05"}, "listed", "LABEL"),
        ({0x50: b"LABEL", 0x9F12: b"PREFERRED"}, "listed", "LABEL"),
        ({0x50: b"LABEL", 0x9F11: "01"}, "listed", "LABEL"),
        ({}, "listed", "listed"),
        ({0x50: b"\x01\x02"}, "", "Visa"),
        ({0x50: b"SEVENTEEN LETTERS"}, "", "SEVENTEEN LETTER"),
    ],
)
def test_an_application_as_a_receipt_names_it(
    objects: dict[int, str | bytes], candidate: str, label: str
) -> None:
    found = act.used_application(activation(3, objects, label=candidate))
    assert (found.label, found.aid, found.scheme, found.kernel_id) == (label, VISA, "Visa", 3)


@pytest.mark.parametrize(
    ("stated", "languages"),
    [
        (b"FrEn", ("fr", "en")),
        (b"fr", ("fr",)),
        (b"f", ()),
        (b"frendeites", ("fr", "en", "de", "it")),
        (b"", ()),
    ],
)
def test_at_most_four_languages(stated: bytes, languages: tuple[str, ...]) -> None:
    run = activation(3, {0x5F2D: stated})
    found = act.ending(run, Decision.DECLINED, "why", MessageId.NOT_AUTHORISED)
    assert found.ui is not None
    assert found.ui.languages == languages


@pytest.mark.parametrize(
    ("decision", "start", "status", "hold_ms"),
    [
        (Decision.APPROVED, Start.NONE, UiStatus.CARD_READ, 0),
        (Decision.DECLINED, Start.NONE, UiStatus.CARD_READ, 0),
        (Decision.ONLINE_REQUEST, Start.NONE, UiStatus.CARD_READ, 0),
        (Decision.TRY_AGAIN, Start.B, UiStatus.PROCESSING_ERROR, 1300),
        (Decision.SELECT_NEXT, Start.C, UiStatus.PROCESSING_ERROR, 0),
        (Decision.TRY_ANOTHER_INTERFACE, Start.NONE, UiStatus.PROCESSING_ERROR, 0),
    ],
)
def test_what_is_shown_at_an_end(
    decision: Decision, start: Start, status: UiStatus, hold_ms: int
) -> None:
    goes_on = decision in {Decision.APPROVED, Decision.ONLINE_REQUEST}
    card = account_of() if goes_on else None
    at = activation()
    found = act.ending(at, decision, "why", MessageId.PRESENT_CARD, start=start, card=card)
    assert found.ui is not None
    assert (found.ui.message, found.ui.status, found.ui.hold_time_ms) == (
        MessageId.PRESENT_CARD,
        status,
        hold_ms,
    )
    assert (found.decision, found.reason, found.start) == (decision, "why", start)
    assert (found.cvm, found.card) == (Cvm.NOT_APPLICABLE, card)
    assert bool(found.chip_data) is goes_on


# -- what goes to the host ---------------------------------------------------------------------

LENGTHS = {
    0x9F26: (8, 8),
    0x9F27: (1, 1),
    0x9F10: (0, 32),
    0x9F36: (2, 2),
    0x82: (2, 2),
    0x5F34: (1, 1),
    0x9F6E: (0, 32),
    0x84: (5, 16),
}


@pytest.mark.parametrize("tag", LENGTHS)
def test_lengths_of_the_cards_data_for_the_host(tag: int) -> None:
    least, most = LENGTHS[tag]
    for length in (least, most):
        assert act.chip_data(activation(2, {tag: bytes(length)}))[tag] == bytes(length)
    for length in {least - 1, most + 1} - {-1}:
        with pytest.raises(CardError, match=rf"tag {tag:02X} has {length} bytes"):
            act.chip_data(activation(2, {tag: bytes(length)}))


def test_what_goes_to_the_host_is_named() -> None:
    secret: dict[int, str | bytes] = {
        0x5A: "4761739001010010",
        0x57: "4761",
        0x5F20: b"DOE",
        0x9F1F: b"1",
        0x56: b"B",
    }
    found = act.chip_data(activation(3, {**secret, 0x9F26: bytes(8)}, {0x9F4E: b"SHOP"}))
    stated = {0x9F26, 0x9F37, 0x95, 0x9A, 0x9C, 0x9F02, 0x9F03, 0x5F2A, 0x9F1A, 0x9F33, 0x9F35}
    assert found.keys() == stated | {0x9F09}


@pytest.mark.parametrize(
    ("kernel", "form", "sent"),
    [
        (3, "207070FF", "207070f0"),
        (3, "2070FFFF00", "2070ffff00"),
        (2, "207070FF", "207070ff"),
        (4, "207070FF", None),
    ],
)
def test_the_form_factor_for_the_host(kernel: int, form: str, sent: str | None) -> None:
    found = act.chip_data(activation(kernel, {0x9F6E: form})).get(0x9F6E)
    assert (found.hex() if found is not None else None) == sent
