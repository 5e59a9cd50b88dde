"""The steps that kernels share, one by one, each as a table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from terminal.emv import oda, tags
from terminal.emv.apdu import Response
from terminal.emv.converse import converse
from terminal.emv.entry_point import ActionCodes
from terminal.emv.kernels import activation as act
from terminal.emv.kernels import generate_ac
from terminal.emv.kernels.activation import AAC, ARQC, TC
from terminal.emv.kernels.cvm_list import Verification
from terminal.emv.kernels.generate_ac import Run
from terminal.emv.outcome import Cvm, Decision, MessageId, Start, UiStatus
from terminal.emv.preprocessing import pre_process, terminal_objects
from terminal.emv.risk_management import RandomSelection
from terminal.emv.settings import Combination
from terminal.errors import AuthenticationFailed, CardError
from terminal.money import Amount, Currency
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import MASTERCARD, VISA, ScriptedCard, ok, tlv
from tests.terminal.emv.steps import Values, activation

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


# -- the certificates --------------------------------------------------------------------------

STATIC = b""


@pytest.mark.parametrize("missing", [0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47])
def test_every_part_of_the_chain_is_needed(missing: int) -> None:
    parts: dict[int, str | bytes] = {**scheme.certificates(STATIC), 0x5A: scheme.PAN}
    parts[0x5F24] = "491231"
    whole = activation(3, parts)
    card = act.account(whole)
    assert act.card_key(whole, card).length == 128
    assert act.issuer_key(whole, card).identifier == "476173"
    for lacking in ({missing: b""}, {}):
        less = {tag: value for tag, value in parts.items() if tag != missing}
        name = tags.TAGS[missing].name
        with pytest.raises(AuthenticationFailed, match=f"the card gave no {name}"[:30]):
            act.card_key(activation(3, less | lacking), card)


def test_remainders_may_be_missing() -> None:
    parts: dict[int, str | bytes] = {**scheme.certificates(STATIC), 0x5A: scheme.PAN}
    parts[0x5F24] = "491231"
    card = act.account(activation(3, parts))
    for tag in (0x92, 0x9F48):
        less = {other: value for other, value in parts.items() if other != tag}
        with pytest.raises(AuthenticationFailed) as without:
            act.card_key(activation(3, less), card)
        with pytest.raises(AuthenticationFailed) as empty:
            act.card_key(activation(3, less | {tag: b""}), card)
        assert str(without.value) == str(empty.value)
        assert "gave no" not in str(without.value)


def test_keys_that_fit_into_their_certificates_have_no_remainder() -> None:
    ca, issuer, icc = scheme.key("large ca", 1984), scheme.key("ca", 1408), scheme.key("icc", 1024)
    head = bytes.fromhex("02476173FF12490000420101") + bytes((issuer.length, 3))
    body = head + issuer.modulus.ljust(ca.length - 36, b"\xbb")
    issuer_certificate = ca.sign(body, scheme.EXPONENT)
    head = bytes.fromhex(f"04{scheme.PAN}FFFF12490000420101") + bytes((icc.length, 3))
    body = head + icc.modulus.ljust(issuer.length - 42, b"\xbb")
    parts: dict[int, str | bytes] = {
        0x8F: "F9",
        0x90: issuer_certificate,
        0x9F32: scheme.EXPONENT,
        0x9F46: issuer.sign(body, scheme.EXPONENT),
        0x9F47: scheme.EXPONENT,
        0x5A: scheme.PAN,
        0x5F24: "491231",
    }
    keys = oda.CaKeys((oda.CaPublicKey(VISA[:5], 0xF9, ca.modulus, scheme.EXPONENT),))
    at = activation(3, parts, ca_keys=keys)
    assert act.card_key(at, act.account(at)).modulus == int.from_bytes(icc.modulus)


@pytest.mark.parametrize(
    ("kernel", "pan", "taken"),
    [
        (3, "4761739001010010", True),
        (3, "5413330089600044", False),
        (2, "5413330089600044", True),
        (2, "2223000048400011", True),
        (2, "6799990100000000019", True),
        (2, "4761739001010010", False),
    ],
)
def test_an_account_belongs_to_its_scheme(kernel: int, pan: str, *, taken: bool) -> None:
    objects: dict[int, str | bytes] = {0x5A: pan + "F" * (len(pan) % 2), 0x5F24: "491231"}
    run = activation(kernel, objects, luhn_required=False)
    if taken:
        assert act.account(run).pan.reveal() == pan
        return
    with pytest.raises(CardError, match="another scheme"):
        act.account(run)


# -- terminal action analysis ------------------------------------------------------------------

ZERO, ONES = "0000000000", "FFFFFFFFFF"
BIT = "0000004000"


# Terminal type, TVR, the terminal's denial, online and default; the issuer's; the cryptogram.
@pytest.mark.parametrize(
    ("kind", "tvr", "own", "issuer", "asked"),
    [
        (0x22, ZERO, (ONES, ONES, ONES), {}, TC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: ZERO}, TC),
        (0x22, BIT, (ZERO, BIT, ZERO), {0x9F0F: ZERO}, ARQC),
        (0x22, BIT, (BIT, ZERO, ZERO), {}, AAC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0E: BIT}, AAC),
        (0x22, "0000000002", (ZERO, ZERO, ZERO), {}, TC),
        (0x22, "0000000004", (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, "8000000000", (ZERO, ZERO, ZERO), {}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "00000040"}, ARQC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "000000"}, TC),
        (0x22, BIT, (ZERO, ZERO, ZERO), {0x9F0F: "000000000040"}, TC),
        (0x21, ZERO, (ZERO, ZERO, ZERO), {}, ARQC),
        (0x21, BIT, (BIT, ZERO, ZERO), {}, AAC),
        (0x23, ZERO, (ONES, ONES, ONES), {}, TC),
        (0x23, BIT, (ZERO, ONES, ZERO), {}, AAC),
        (0x23, BIT, (ZERO, ONES, ZERO), {0x9F0D: ZERO}, TC),
        (0x23, BIT, (ZERO, ZERO, BIT), {0x9F0D: ZERO}, AAC),
    ],
)
def test_terminal_action_analysis(
    kind: int, tvr: str, own: tuple[str, str, str], issuer: dict[int, str | bytes], asked: int
) -> None:
    codes = ActionCodes(*(bytes.fromhex(code) for code in own))
    run = activation(2, issuer, {0x95: tvr}, terminal_type=kind, action_codes=codes)
    assert generate_ac.action_analysis(run) == asked


NONE = Verification(bytes.fromhex("1F0002"), Cvm.NONE)


@pytest.mark.parametrize(
    ("kind", "key", "without_cda", "asked"),
    [
        (0x22, True, False, TC),
        (0x22, False, False, ARQC),
        (0x22, False, True, TC),
        (0x23, True, False, TC),
        (0x23, False, False, AAC),
        (0x23, False, True, TC),
    ],
)
def test_an_offline_approval_needs_a_signature(
    kind: int, asked: int, *, key: bool, without_cda: bool
) -> None:
    at = activation(
        terminal_type=kind, offline_without_cda=without_cda, objects={0x9F0F: ZERO, 0x9F0D: ZERO}
    )
    run = Run(at, account_of(), key=oda.RsaPublicKey(3, 3, 1) if key else None)
    assert generate_ac.decide(run, NONE) == asked


def account_of(sequence: int | None = 1) -> Any:
    objects: dict[int, str | bytes] = {0x5A: scheme.PAN, 0x5F24: "491231"}
    if sequence is not None:
        objects[0x5F34] = bytes((sequence,))
    return act.account(activation(3, objects))


@pytest.mark.parametrize(
    ("tvr", "byte_3", "missing", "found"),
    [
        (0, 0, False, "0000000000"),
        (0x80_00_00_00_00, 0x84, False, "8000840000"),
        (0x04_00_00_00_01, 0x40, True, "2400400001"),
    ],
)
def test_what_is_written_down_before_the_cryptogram(
    tvr: int, byte_3: int, found: str, *, missing: bool
) -> None:
    at = activation()
    verified = Verification(
        bytes.fromhex("1E0300"), Cvm.SIGNATURE, byte_3, icc_data_missing=missing
    )
    generate_ac.decide(Run(at, account_of(), tvr=tvr), verified)
    assert at.terminal[0x95].hex() == found
    assert at.terminal[0x9F34].hex() == "1e0300"


# -- risk management of a kernel ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "minor", "floor", "status_check", "tvr"),
    [
        (None, 100, 1000, False, 0),
        (None, 1000, 1000, False, 0),
        (None, 1001, 1000, False, 0x8000),
        (None, 100, 1000, True, 0x8000),
        (None, 100, None, False, 0),
        (True, 100, 1000, False, 0x10_0000_0000),
        (True, 1001, 1000, False, 0x10_0000_8000),
        (False, 100, 1000, False, 0),
    ],
)
def test_risk_management(
    listed: bool | None,  # noqa: FBT001 - a column of the table.
    minor: int,
    floor: int | None,
    tvr: int,
    *,
    status_check: bool,
) -> None:
    at = activation(minor=minor, floor_limit_minor=floor, status_check=status_check)
    if listed is not None:
        at.settings = replace(at.settings, exception_file=lambda *_: bool(listed))
    assert generate_ac.risk_management(at, account_of()) == tvr


@pytest.mark.parametrize(
    ("number", "minor", "tvr"),
    [(50, 100, 0x1000), (51, 100, 0), (None, 100, 0), (50, 1001, 0x8000)],
)
def test_a_kernel_selects_at_random(number: int | None, minor: int, tvr: int) -> None:
    at = activation(
        minor=minor,
        floor_limit_minor=1000,
        random_selection=RandomSelection(50, 50),
        asked={"random_percent": number},
    )
    assert generate_ac.risk_management(at, account_of()) == tvr


def test_a_denial_stays_a_denial_without_a_key() -> None:
    codes = ActionCodes(denial=bytes.fromhex("FFFFFFFFFF"))
    at = activation(action_codes=codes)
    assert generate_ac.decide(Run(at, account_of(), tvr=1), NONE) == AAC


# -- authentication before the cryptogram ------------------------------------------------------

CHAIN = scheme.certificates(STATIC)
SDA, DDA, CDA = "4000", "2000", "0100"


@pytest.mark.parametrize(
    ("aip", "security", "changes", "tvr", "key"),
    [
        (CDA, "08", {}, 0, True),
        (CDA, "88", {}, 0, True),
        (CDA, "80", {}, 0x80, False),
        (CDA, "00", {}, 0x80, False),
        ("4100", "88", {}, 0, True),
        (SDA, "08", {}, 0x80, False),
        (SDA, "80", {0x93: b""}, 0x62, False),
        (SDA, "80", {0x93: bytes(8)}, 0x42, False),
        (SDA, "88", {0x93: b"own"}, 0x02, False),
        (SDA, "80", {0x93: b"own", 0x90: b""}, 0x62, False),
        (DDA, "88", {}, 0x80, False),
        ("0000", "88", {}, 0x80, False),
        (CDA, "08", {0x90: b""}, 0x24, False),
        (CDA, "08", {0x9F46: b""}, 0x24, False),
        (CDA, "08", {0x90: bytes(176)}, 0x04, False),
        (CDA, "08", {0x9F46: bytes(144)}, 0x04, False),
    ],
)
def test_authentication_before_the_cryptogram(
    aip: str, security: str, changes: Values, tvr: int, *, key: bool
) -> None:
    parts: dict[int, str | bytes] = {**CHAIN, 0x5A: scheme.PAN, 0x5F24: "491231", **changes}
    if parts.get(0x93) == b"own":
        parts[0x93] = scheme.key("issuer", 1152).sign(bytes.fromhex("0301DAC0"), STATIC)
    settings = replace(scheme.settings(VISA, 3), capabilities=bytes.fromhex("0028" + security))
    at = activation(3, parts, aip=aip, settings=settings)
    run = Run(at, account_of())
    generate_ac.prepare_authentication(run)
    assert run.tvr == tvr << 32
    assert (run.key is not None) is key


@pytest.mark.parametrize(
    ("listed", "needed", "tvr"),
    [(b"\x82", True, 0), (b"", True, 0x24), (None, True, 0x24), (None, False, 0), (b"", False, 0)],
)
def test_kernel_2_wants_the_tag_list(listed: bytes | None, tvr: int, *, needed: bool) -> None:
    parts: dict[int, str | bytes] = {0x5A: scheme.PAN, 0x5F24: "491231"}
    parts |= scheme.certificates(bytes.fromhex("0100") if listed else STATIC)
    if listed is not None:
        parts[0x9F4A] = listed
    at = activation(3, parts, aip=CDA)
    run = Run(at, account_of())
    generate_ac.prepare_authentication(run, needs_tag_list=needed)
    assert run.tvr == tvr << 32


@pytest.mark.parametrize(("keys", "security"), [(True, "002888"), (False, "002800")])
def test_a_terminal_without_keys_claims_no_authentication(security: str, *, keys: bool) -> None:
    settings = replace(scheme.settings(VISA, 3, keys=keys), capabilities=bytes.fromhex("002888"))
    at = activation(3, settings=settings)
    generate_ac.announce_authentication(at)
    assert at.terminal[0x9F33].hex() == security


# -- the answer to GENERATE AC -----------------------------------------------------------------

PARTS = {0x9F27: "80", 0x9F36: "0007", 0x9F26: "1122334455667788", 0x9F10: "0102"}
FORMAT_1 = "80" + "0007" + "1122334455667788"


def answered(answer: bytes, asked: int = ARQC) -> tuple[int, dict[int, str]]:
    at = activation()
    made = generate_ac.take_cryptogram(Run(at, account_of()), asked, Response(answer, 0x9000))
    return made, {tag: value.hex() for tag, value in at.application.objects.items()}


@pytest.mark.parametrize("more", [0, 32])
def test_an_answer_in_format_1(more: int) -> None:
    data = bytes.fromhex(FORMAT_1 + "AB" * more)
    made, objects = answered(bytes((0x80, len(data))) + data)
    assert made == ARQC
    assert objects == {
        0x9F27: "80",
        0x9F36: "0007",
        0x9F26: "1122334455667788",
        0x9F10: "ab" * more,
    }


def test_an_answer_in_format_2() -> None:
    made, objects = answered(b"\x77" + bytes((len(tlv(PARTS)),)) + tlv(PARTS))
    assert (made, objects) == (ARQC, {tag: value.lower() for tag, value in PARTS.items()})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("", "not one template"),
        ("80009F3600", "not one template"),
        ("800A" + FORMAT_1[:20], "impossible length"),
        ("802C" + FORMAT_1 + "AB" * 33, "impossible length"),
        ("7000", "neither format 1 nor 2"),
        ("77099F2701809F36020007", "no Application Cryptogram"),
        ("77059F36020007", "no Cryptogram Information Data"),
        ("77049F270180", "no Application Transaction Counter"),
        ("770A9F27028080" + "9F36020007", "is not one byte"),
        ("77089F2700" + "9F36020007", "is not one byte"),
    ],
)
def test_an_answer_that_is_none(answer: str, said: str) -> None:
    with pytest.raises(CardError, match=said):
        answered(bytes.fromhex(answer))


@pytest.mark.parametrize(
    ("asked", "information", "made"),
    [
        *((AAC, "00", AAC), (AAC, "80", None), (AAC, "40", None), (ARQC, "80", ARQC)),
        *((ARQC, "00", AAC), (ARQC, "40", None), (TC, "40", TC), (TC, "80", ARQC)),
        *((TC, "00", AAC), (TC, "C0", None), (ARQC, "BF", ARQC)),
    ],
)
def test_a_card_may_only_make_a_worse_cryptogram(
    asked: int, information: str, made: int | None
) -> None:
    data = bytes.fromhex(information + FORMAT_1[2:])
    answer = bytes((0x80, len(data))) + data
    if made is None:
        with pytest.raises(CardError, match="another cryptogram than it was asked for"):
            answered(answer, asked)
    else:
        assert answered(answer, asked)[0] == made


@pytest.mark.parametrize(
    ("key", "asked", "p1"),
    [
        *((True, TC, 0x50), (True, ARQC, 0x90), (True, AAC, 0x00)),
        *((False, TC, 0x40), (False, ARQC, 0x80), (False, AAC, 0x00)),
    ],
)
def test_a_signature_is_asked_for_where_it_can_be_verified(
    asked: int, p1: int, *, key: bool
) -> None:
    run = Run(activation(objects={0x8C: "9F37049F0206"}), account_of())
    run.key = oda.RsaPublicKey(3, 3, 1) if key else None
    card = ScriptedCard({"80AE": ok(b"")})
    converse(generate_ac.generate(run, asked), card, monotonic=lambda: 0.0)
    assert card.sent == [bytes((0x80, 0xAE, p1, 0, 10)) + run.cdol_data + b"\0"]
    assert run.cdol_data.hex() == "c0ffee01" + "000000001250"


def test_without_a_list_there_is_nothing_to_send() -> None:
    run = Run(activation(), account_of())
    with pytest.raises(CardError, match="8C"):
        converse(generate_ac.generate(run, ARQC), ScriptedCard({}), monotonic=lambda: 0.0)
