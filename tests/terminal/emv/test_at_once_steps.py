"""The steps of the kernels that decide at once (3, 6, 7), and what tears or fails in 2, 4 and 5."""

from __future__ import annotations

from typing import Any

import pytest

from terminal.emv.converse import converse
from terminal.emv.kernels import at_once, c2, c4, c5, c6, data_exchange, fast_dda
from terminal.emv.kernels.activation import ARQC, TC, Activation
from terminal.emv.kernels.at_once import AtOnce, Wishes
from terminal.emv.kernels.cvm_list import Verification
from terminal.emv.kernels.generate_ac import Run
from terminal.emv.oda import RsaPublicKey
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome, TornTransaction
from terminal.errors import AuthenticationFailed, CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.scheme import ScriptedCard, ok, tlv
from tests.terminal.emv.steps import account_of, activation

MADE = {0x9F26: "1122334455667788", 0x9F36: "0007", 0x9F10: "06011203A0"}


def ran(dialogue: Any, card: ScriptedCard) -> Any:
    return converse(dialogue, card, monotonic=lambda: 0.0).result


# What the card says of its cryptogram in 9F27 and in byte 5 of 9F10; which one it is.
@pytest.mark.parametrize(
    ("information", "byte_5", "kind", "stated"),
    [
        ("80", "A0", 0x80, "80"),
        ("81", "A0", 0x80, "81"),
        ("40", "A0", 0x40, "40"),
        ("00", "A0", 0x00, "00"),
        ("3F", "A0", 0x00, "3f"),
        (None, "A0", 0x80, "80"),
        (None, "2F", 0x80, "80"),
        (None, "21", 0x80, "80"),
        (None, "10", 0x40, "40"),
        (None, "CF", 0x00, "00"),
    ],
)
def test_which_cryptogram_a_card_made(
    information: str | None, byte_5: str, kind: int, stated: str
) -> None:
    objects: dict[int, str | bytes] = {**MADE, 0x9F10: "06011203" + byte_5}
    if information is not None:
        objects[0x9F27] = information
    at = activation(3, objects)
    assert at_once._cryptogram(at) == kind
    assert at.application.objects[0x9F27].hex() == stated


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({0x9F27: "C0"}, "does not exist"),
        ({0x9F27: "C1"}, "does not exist"),
        ({0x9F27: "FF"}, "does not exist"),
        ({0x9F27: "8080"}, "does not exist"),
        ({0x9F27: ""}, "does not exist"),
        ({0x9F10: "06011203"}, "does not say which"),
        ({0x9F10: None}, "9F10"),
        ({0x9F26: None}, "9F26"),
        ({0x9F36: None}, "9F36"),
    ],
)
def test_a_cryptogram_of_no_kind(change: dict[int, str | None], said: str) -> None:
    stated = {tag: value for tag, value in {**MADE, **change}.items() if value is not None}
    with pytest.raises(CardError, match=said):
        at_once._cryptogram(activation(3, stated))


def fails(_: Activation, __: Any) -> None:
    raise AuthenticationFailed("forged")


def step(at: Activation, wishes: Wishes | None, *, holds: bool = True) -> at_once._Step:
    kind = AtOnce(
        wishes=lambda _: wishes,
        confirms_device=lambda *_: True,
        authenticate=(lambda *_: None) if holds else fails,
        proof="a proof",
    )
    return at_once._Step(at, kind, account_of(), wishes)


# TTQ, what the card wishes, whether verification is required, and what is agreed on.
@pytest.mark.parametrize(
    ("ttq", "wishes", "minor", "cvm"),
    [
        ("26004000", Wishes(online_pin=True), 100, Cvm.ONLINE_PIN),
        ("22004000", Wishes(online_pin=True), 100, Cvm.NONE),
        ("22004000", Wishes(online_pin=True), 9000, None),
        ("22004000", Wishes(online_pin=True, or_signature=True), 100, Cvm.SIGNATURE),
        ("22004000", Wishes(or_signature=True), 100, Cvm.NONE),
        ("22004000", Wishes(or_signature=True), 9000, None),
        ("20004000", Wishes(online_pin=True, or_signature=True), 9000, None),
        ("22004000", Wishes(signature=True), 100, Cvm.SIGNATURE),
        ("20004000", Wishes(signature=True), 100, Cvm.NONE),
        ("22004000", Wishes(on_device=True), 100, Cvm.CONFIRMATION_CODE),
        ("22000000", Wishes(on_device=True), 100, Cvm.NONE),
        ("22004000", Wishes(or_nothing=True), 9000, Cvm.NONE),
        ("22004000", Wishes(), 9000, None),
        ("22004000", None, 100, Cvm.NONE),
        ("22004000", None, 9000, Cvm.SIGNATURE),
        ("24004000", None, 9000, Cvm.ONLINE_PIN),
        ("24000000", None, 9000, None),
        ("20004000", None, 9000, None),
    ],
)
def test_the_verification_both_sides_agree_on(
    ttq: str, wishes: Wishes | None, minor: int, cvm: Cvm | None
) -> None:
    at = activation(3, ttq=bytes.fromhex(ttq), minor=minor, cvm_limit_minor=5000)
    assert at_once._cardholder_verification(step(at, wishes), TC) is cvm


GOOD, OLD, YOUNG = "491231", "251231", "270101"


# Expiry, effective date, wishes, floor limit, whether the proof holds; how it ends and why.
@pytest.mark.parametrize(
    ("objects", "wishes", "changes", "holds", "decision", "reason"),
    [
        ({0x5F24: GOOD}, Wishes(), {}, True, Decision.APPROVED, "approved offline with a proof"),
        ({0x5F24: GOOD}, None, {}, True, Decision.APPROVED, "approved offline with a proof"),
        ({0x5F24: OLD}, None, {}, True, Decision.DECLINED, "the application has expired"),
        ({}, None, {}, True, Decision.DECLINED, "the application has expired"),
        ({0x5F24: OLD}, Wishes(), {}, True, Decision.DECLINED, "the application has expired"),
        (
            *({0x5F24: OLD}, Wishes(online_if_expired=True), {}, True),
            *(Decision.ONLINE_REQUEST, "the application has expired"),
        ),
        (
            *({0x5F24: OLD}, Wishes(online_if_expired=True)),
            *({"ttq": bytes.fromhex("2A004000")}, True),
            *(Decision.DECLINED, "the application has expired"),
        ),
        (
            *({0x5F24: OLD}, Wishes(online_if_expired=True, online_pin=True)),
            *({"ttq": bytes.fromhex("26004000")}, True),
            *(Decision.ONLINE_REQUEST, "the card asks for an online PIN"),
        ),
        (
            *({0x5F24: OLD}, Wishes(online_if_expired=True), {"floor_limit_minor": 0}, True),
            *(Decision.ONLINE_REQUEST, "the card approved offline, and an online cryptogram"),
        ),
        (
            *({0x5F24: GOOD, 0x5F25: YOUNG}, Wishes(), {}, True),
            *(Decision.DECLINED, "the application is not yet effective"),
        ),
        (
            *({0x5F24: GOOD}, Wishes(), {"cvm_limit_minor": 1, "ttq": bytes(4)}, True),
            *(Decision.DECLINED, "no cardholder verification that both sides have"),
        ),
        ({0x5F24: GOOD}, Wishes(), {}, False, Decision.DECLINED, "forged"),
        ({0x5F24: GOOD}, None, {}, False, Decision.DECLINED, "forged"),
        (
            *({0x5F24: GOOD}, Wishes(online_if_unauthenticated=True), {}, False),
            *(Decision.ONLINE_REQUEST, "forged"),
        ),
        (
            *({0x5F24: GOOD}, Wishes(online_if_unauthenticated=True)),
            *({"ttq": bytes.fromhex("2A004000")}, False, Decision.DECLINED, "forged"),
        ),
        (
            *({0x5F24: GOOD}, Wishes(switch_if_unauthenticated=True)),
            *({"ttq": bytes.fromhex("32004000")}, False),
            *(Decision.TRY_ANOTHER_INTERFACE, "forged"),
        ),
        (
            *({0x5F24: GOOD}, Wishes(switch_if_unauthenticated=True), {}, False),
            *(Decision.DECLINED, "forged"),
        ),
        (
            *({0x5F24: GOOD}, Wishes(), {"ttq": bytes.fromhex("32004000")}, False),
            *(Decision.DECLINED, "forged"),
        ),
    ],
)
def test_what_the_reader_makes_of_an_offline_approval(
    objects: dict[int, str | bytes],
    wishes: Wishes | None,
    changes: dict[str, Any],
    decision: Decision,
    reason: str,
    *,
    holds: bool,
) -> None:
    at = activation(3, objects, **({"floor_limit_minor": None} | changes))
    outcome = at_once._offline_approved(step(at, wishes, holds=holds))
    assert outcome.decision is decision
    assert outcome.reason.startswith(reason)


@pytest.mark.parametrize(
    ("related", "said"),
    [(None, "not of version 01"), ("", "not of version 01"), ("00A1B2C3D40000", "not of version")],
)
def test_fast_dda_needs_its_data(related: str | None, said: str) -> None:
    objects: dict[int, str | bytes] = {0x9F4B: bytes(128)}
    if related is not None:
        objects[0x9F69] = related
    with pytest.raises(AuthenticationFailed, match=said):
        fast_dda.verify(activation(3, objects, aip="2000"), account_of())


# -- kernel 6 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "signed", "strict", "confirmed"),
    [
        (ARQC, False, False, True),
        (ARQC, False, True, False),
        (ARQC, True, False, False),
        (TC, False, False, False),
        (TC, False, True, False),
        (TC, True, False, False),
    ],
)
def test_whether_kernel_6_believes_the_device(
    kind: int, *, signed: bool, strict: bool, confirmed: bool
) -> None:
    objects: dict[int, str | bytes] = {0x9F4B: bytes(128)} if signed else {}
    at = activation(6, objects, aip="0100", signed_device_cvm_only=strict)
    assert c6._confirms_device(at, account_of(), kind) is confirmed


# -- kernel 2 ----------------------------------------------------------------------------------


def torn_before() -> TornTransaction:
    """The record of a torn transaction, that the next tap gets."""
    run = Run(activation(2, torn_lifetime_s=300), account_of(), cdol_data=b"cdol")
    outcome = c2._torn(run, c2._Asked(ARQC, Cvm.SIGNATURE, b"relay"))
    assert outcome.torn is not None
    return outcome.torn


def test_the_cryptogram_of_a_torn_transaction_is_asked_for() -> None:
    torn = torn_before()
    again = activation(2, {0x9F51: "9F37049F0206"}, torn_lifetime_s=300, asked={"torn": (torn,)})
    again.terminal[0x9F37] = bytes(4)
    run = Run(again, account_of())
    assert c2._torn_before(run) is torn
    answer = "800B" + "80" + "0007" + "1122334455667788"
    card = ScriptedCard({"80D0": ok(bytes.fromhex(answer))})
    outcome = ran(c2._recover(run, torn), card)
    assert card.sent == [bytes.fromhex("80D000000A" + "C0FFEE01" + "000000001250" + "00")]
    assert (outcome.decision, outcome.cvm) == (Decision.ONLINE_REQUEST, Cvm.SIGNATURE)
    # The host gets the numbers of then.
    assert outcome.chip_data[0x9F37] == scheme.UNPREDICTABLE
    assert run.cdol_data == b"cdol"


def test_a_card_without_a_list_has_nothing_to_recover() -> None:
    torn = torn_before()
    for objects, lifetime_s in (({}, 300), ({0x9F51: "9F3704"}, 0)):
        at = activation(2, objects, torn_lifetime_s=lifetime_s, asked={"torn": (torn,)})
        assert c2._torn_before(Run(at, account_of())) is None


@pytest.mark.parametrize(
    ("key", "reason"), [(True, "approved offline with CDA"), (False, "approved offline without")]
)
def test_an_offline_approval_says_what_proves_it(reason: str, *, key: bool) -> None:
    run = Run(activation(), account_of(), key=RsaPublicKey(3, 3, 1) if key else None)
    assert c2._outcome(run, TC, Cvm.NONE).reason.startswith(reason)


# -- kernel 4 ----------------------------------------------------------------------------------


def kernel_4(
    objects: dict[int, str | bytes],
    *,
    aip: str = "1040",
    minor: int = 1250,
    enhanced: str = "18A00003",
    keys: bool = True,
) -> Activation:
    at = activation(4, objects, aip=aip, minor=minor, cvm_limit_minor=5000, keys=keys)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex(enhanced)}
    c4._state_capabilities(at)
    return at


def listed(rules: str) -> dict[int, str | bytes]:
    return {0x8E: "0000000000000000" + rules}


def test_a_terminal_without_keys_says_so_to_kernel_4() -> None:
    assert kernel_4({}, keys=True).terminal[0x9F33].hex() == "000808"
    assert kernel_4({}, keys=False).terminal[0x9F33].hex() == "000800"


@pytest.mark.parametrize(
    ("rules", "results"), [("1E001F00", "1f0002"), ("1E001F03", "1f0302"), ("1E001F06", "3f0001")]
)
def test_below_the_limit_no_verification_is_taken_wherever_it_stands(
    rules: str, results: str
) -> None:
    found = c4._verify_cardholder(kernel_4(listed(rules), keys=False))
    assert isinstance(found, Verification)
    assert found.results.hex() == results


@pytest.mark.parametrize("listed_", [None, "", "0000000000000000"])
def test_a_card_without_rules(listed_: str | None) -> None:
    objects: dict[int, str | bytes] = {} if listed_ is None else {0x8E: listed_}
    found = c4._verify_cardholder(kernel_4(objects, minor=7500))
    assert found == Verification(bytes.fromhex("3F0000"), Cvm.NONE, icc_data_missing=True)
    # A card that does no cardholder verification needs no list.
    found = c4._verify_cardholder(kernel_4(objects, aip="0040"))
    assert found == Verification(bytes.fromhex("3F0000"), Cvm.NONE)


@pytest.mark.parametrize(
    ("aip", "mobile", "minor", "sees_phone"),
    [
        ("1040", "010001", 1250, True),
        ("1000", "010001", 1250, False),
        ("1040", "010002", 1250, False),
        ("1040", "3F0001", 1250, False),
        ("1040", "0100", 1250, False),
    ],
)
def test_a_phone_that_failed_to_verify_its_owner(
    aip: str, mobile: str, minor: int, *, sees_phone: bool
) -> None:
    at = kernel_4({**listed("1F00"), 0x9F71: mobile}, aip=aip, minor=minor)
    found = c4._verify_cardholder(at)
    if sees_phone:
        assert isinstance(found, Outcome)
        assert found.ui is not None
        assert found.ui.message is MessageId.SEE_PHONE
    else:
        assert isinstance(found, Verification)


@pytest.mark.parametrize(
    ("enhanced", "results"),
    [("18A00003", "410002"), ("18200003", "1e0300"), ("187F0003", "1e0300")],
)
def test_a_reader_may_lack_the_phones_verification(enhanced: str, results: str) -> None:
    objects = {**listed("41001E03"), 0x9F71: "010002"}
    found = c4._verify_cardholder(kernel_4(objects, minor=7500, enhanced=enhanced))
    assert isinstance(found, Verification)
    assert found.results.hex() == results


def test_a_refused_cryptogram_is_named() -> None:
    at = activation(4, {0x8C: "9F3704"})
    card = ScriptedCard({"80AE": bytes.fromhex("6A81")})
    with pytest.raises(CardError, match="GENERATE AC was answered with 6A81"):
        ran(c4._finish(Run(at, account_of()), ARQC, Verification(bytes(3), Cvm.NONE)), card)


# -- kernel 5 and data exchange ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("objects", "answer", "reason"),
    [
        ({}, "6985", "the card has the legacy mode only"),
        ({0x9F38: "9F5303"}, "6985", "the card has the legacy mode only"),
        ({0x9F38: "9F5201"}, "6985", "GET PROCESSING OPTIONS was answered with 6985"),
        ({0x9F38: "9F5201"}, "770A82020000940408010100" + "9000", "mag-stripe mode only"),
    ],
)
def test_cards_that_kernel_5_leaves_to_the_next(
    objects: dict[int, str | bytes], answer: str, reason: str
) -> None:
    at = activation(5, objects, {0x9F53: "500000"})
    outcome = ran(c5.run(at), ScriptedCard({"80A8": bytes.fromhex(answer)}))
    assert outcome.decision is Decision.SELECT_NEXT
    assert reason in outcome.reason


@pytest.mark.parametrize(("sw", "value"), [("9000", b"\x01"), ("6A88", None), ("6283", None)])
def test_data_with_a_refusal_is_no_data(sw: str, value: bytes | None) -> None:
    card = ScriptedCard({"80CA9F70": tlv({0x9F70: "01"}) + bytes.fromhex(sw)})
    assert ran(data_exchange._get_data(0x9F70), card) == value
    assert card.sent == [bytes.fromhex("80CA9F7000")]
