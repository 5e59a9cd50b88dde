"""The steps of one scheme each: what kernels 2, 4, 5 and 6 ask for and make of the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from terminal.emv.apdu import Command, Response
from terminal.emv.converse import converse
from terminal.emv.kernels import (
    c2,
    c4,
    c5,
    c6,
    cvm_list,
    data_exchange,
    fast_dda,
    issuer_update,
    mag_stripe,
    relay_resistance,
)
from terminal.emv.kernels.activation import AAC, ARQC, TC, Activation
from terminal.emv.kernels.at_once import Wishes
from terminal.emv.kernels.cvm_list import CvmList, CvmRule
from terminal.emv.kernels.generate_ac import CDA_FAILED, Run
from terminal.emv.kernels.issuer_update import IssuerData, Updated
from terminal.emv.oda import RsaPublicKey
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.relay import RelayResistance
from terminal.emv.tlv import decode
from terminal.errors import CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import MASTERCARD_PAN, mastercard, mastercard_reader
from tests.terminal.emv.scheme import ScriptedCard, ok, request, tap, tlv
from tests.terminal.emv.steps import Values, activation
from tests.terminal.emv.test_kernel_steps import account_of

ACCOUNT: Values = {0x5A: scheme.PAN, 0x5F24: "491231"}


def ran(dialogue: Any, card: ScriptedCard) -> Any:
    return converse(dialogue, card, monotonic=lambda: 0.0).result


# -- kernel 2 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aip", "contactless", "on_device", "minor", "over"),
    [
        ("0000", 1000, 5000, 1000, False),
        ("0000", 1000, 5000, 1001, True),
        ("0000", 5000, 1000, 1001, False),
        ("0200", 1000, 5000, 1001, False),
        ("0200", 1000, 5000, 5000, False),
        ("0200", 1000, 5000, 5001, True),
        ("0000", None, 5000, 9999, False),
        ("0200", 1000, None, 9999, False),
        ("0002", 1000, 5000, 1001, True),
    ],
)
def test_the_limit_by_who_verifies_the_holder(
    aip: str, contactless: int | None, on_device: int | None, minor: int, *, over: bool
) -> None:
    at = activation(
        aip=aip,
        minor=minor,
        contactless_limit_minor=contactless,
        on_device_limit_minor=on_device,
    )
    assert c2._over_limit(at) is over


def test_an_amount_over_the_cards_limit_goes_to_the_next_application() -> None:
    settings = mastercard_reader(contactless_limit_minor=1000, on_device_limit_minor=5000)
    subject = mastercard()
    outcome = tap(subject, request(1250), settings)
    assert outcome.decision is Decision.END_APPLICATION
    assert [command[1] for command in subject.sent] == [0xA4, 0xA4, 0xA8]


@pytest.mark.parametrize(
    ("minor", "limit", "capabilities"),
    [
        *((5000, 5000, "000808"), (5001, 5000, "002008"), (5001, None, "000808")),
        (1, 0, "002008"),
    ],
)
def test_the_capabilities_follow_the_verification_limit(
    minor: int, limit: int | None, capabilities: str
) -> None:
    outcome = tap(mastercard(), request(minor), mastercard_reader(cvm_limit_minor=limit))
    assert outcome.chip_data[0x9F33].hex() == capabilities


@pytest.mark.parametrize(
    ("aip", "key", "tvr", "cvm", "distrusts"),
    [
        ("0200", False, 0, Cvm.CONFIRMATION_CODE, True),
        ("0200", False, 0, Cvm.NONE, False),
        ("0200", False, CDA_FAILED, Cvm.NONE, True),
        ("0200", True, CDA_FAILED, Cvm.CONFIRMATION_CODE, False),
        ("0000", False, CDA_FAILED, Cvm.CONFIRMATION_CODE, False),
        ("0200", False, CDA_FAILED << 1, Cvm.SIGNATURE, False),
    ],
)
def test_a_devices_word_without_a_signature(
    aip: str, tvr: int, cvm: Cvm, *, key: bool, distrusts: bool
) -> None:
    run = Run(activation(aip=aip), account_of(), tvr=tvr)
    run.key = RsaPublicKey(3, 3, 1) if key else None
    assert c2._distrusts_device(run, cvm) is distrusts


@pytest.mark.parametrize(
    ("lifetime_s", "list_", "recovers"),
    [(300, "9F3704", True), (300, None, False), (300, "", False), (0, "9F3704", False)],
)
def test_torn_transactions_need_a_lifetime_and_a_list(
    lifetime_s: int, list_: str | None, *, recovers: bool
) -> None:
    objects: dict[int, str | bytes] = {} if list_ is None else {0x9F51: list_}
    assert c2._recovers(activation(objects=objects, torn_lifetime_s=lifetime_s)) is recovers


@pytest.mark.parametrize(
    ("made", "objects", "terminal", "decision", "message"),
    [
        (ARQC, {}, "000808", Decision.ONLINE_REQUEST, MessageId.AUTHORISING),
        (TC, {}, "000808", Decision.APPROVED, MessageId.APPROVED),
        (AAC, {}, "000808", Decision.DECLINED, MessageId.NOT_AUTHORISED),
        (AAC, {}, "200808", Decision.TRY_ANOTHER_INTERFACE, MessageId.INSERT_CARD),
        (AAC, {}, "800808", Decision.DECLINED, MessageId.NOT_AUTHORISED),
        (
            *(AAC, {0x9F6E: "00560000" + "3031"}, "200808"),
            *(Decision.DECLINED, MessageId.NOT_AUTHORISED),
        ),
        (ARQC, {0xDF4B: "000001"}, "000808", Decision.TRY_AGAIN, MessageId.SEE_PHONE),
        (ARQC, {0xDF4B: "000300"}, "000808", Decision.TRY_AGAIN, MessageId.SEE_PHONE),
        (ARQC, {0xDF4B: "00000F"}, "000808", Decision.TRY_AGAIN, MessageId.SEE_PHONE),
        (ARQC, {0xDF4B: "FCFCF0"}, "000808", Decision.ONLINE_REQUEST, MessageId.AUTHORISING),
        (ARQC, {0xDF4B: "000000FF"}, "000808", Decision.ONLINE_REQUEST, MessageId.AUTHORISING),
        (ARQC, {0xDF4B: ""}, "000808", Decision.ONLINE_REQUEST, MessageId.AUTHORISING),
    ],
)
def test_the_outcome_by_cryptogram(
    made: int,
    objects: dict[int, str | bytes],
    terminal: str,
    decision: Decision,
    message: MessageId,
) -> None:
    at = activation(objects={**ACCOUNT, **objects}, terminal={0x9F33: terminal})
    outcome = c2._outcome(Run(at, account_of()), made, Cvm.NONE)
    assert outcome.decision is decision
    assert outcome.ui is not None
    assert outcome.ui.message is message


@pytest.mark.parametrize("missing", [0x5A, 0x5F24, 0x8C])
def test_what_kernel_2_cannot_do_without(missing: int) -> None:
    outcome = tap(mastercard(records={missing: None}), request(), mastercard_reader())
    assert outcome.decision is Decision.END_APPLICATION
    assert f"({missing:02X})" in outcome.reason


# -- data around the payment -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "capabilities", "answer", "balance"),
    [
        (True, "0002", "9F5006000000001234", 1234),
        (True, "00FF00", "9F5006000000001234", 1234),
        (True, "00FD", "9F5006000000001234", None),
        (True, "02", "9F5006000000001234", None),
        (True, "0002", "9F50050000001234", None),
        (True, "0002", "9F500700000000001234", None),
        (True, "0002", "9F5006000000001234" * 2, None),
        (True, "0002", "9F500600000000123A", None),
        (False, "0002", "9F5006000000001234", None),
    ],
)
def test_the_balance_behind_the_payment(
    capabilities: str, answer: str, balance: int | None, *, reads: bool
) -> None:
    at = activation(
        objects={**ACCOUNT, 0x9F5D: capabilities},
        reads_balance=reads,
        data_to_write={0x9F75: b"\x01", 0xDF8102: b"\x02"},
    )
    card = ScriptedCard({"80CA9F5000": ok(bytes.fromhex(answer)), "80DA": b"\x90\x00"})
    paid = c2._outcome(Run(at, account_of()), ARQC, Cvm.NONE)
    found = ran(data_exchange.finish(at, paid, {0x9F70: b"read"}), card)
    assert (found.balance_minor, found.data) == (balance, {0x9F70: b"read"})
    assert found == replace(paid, balance_minor=balance, data={0x9F70: b"read"})
    sent = [command.hex() for command in card.sent]
    assert sent[:2] == ["80da9f750101", "80da81020102"]


def test_nothing_follows_a_tap_without_an_account() -> None:
    at = activation(objects={0x9F5D: "0002"}, reads_balance=True, data_to_write={0x9F75: b"\x01"})
    refused = Outcome(Decision.END_APPLICATION, "why")
    card = ScriptedCard({})
    assert ran(data_exchange.finish(at, refused, {}), card) is refused
    assert not card.sent


def test_what_is_read_before_the_payment() -> None:
    at = activation(data_to_read=(0x9F70, 0x9F71, 0x9F72, 0x5A, 0x9F73))
    card = ScriptedCard(
        {
            "80CA9F7000": ok(tlv({0x9F70: "01"})),
            "80CA9F7100": ok(tlv({0x9F72: "02"})),
            "80CA9F7200": ok(tlv({0x9F72: "03"}) * 2),
            "80CA005A00": ok(tlv({0x5A: scheme.PAN})),
            "80CA9F7300": ok(tlv({0x9F73: ""})),
        }
    )
    assert ran(data_exchange.read_data(at), card) == {0x9F70: b"\x01", 0x9F73: b""}
    assert len(card.sent) == 5


# -- the issuer's update -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 8, 16])
def test_authentication_data_of_the_issuer(size: int) -> None:
    assert IssuerData(bytes(size)).authentication_91 == bytes(size)


def test_scripts_of_128_bytes() -> None:
    whole = tlv({0x71: tlv({0x86: bytes(124)})})
    assert len(IssuerData(scripts=whole).scripts) == 128
    with pytest.raises(CardError, match="longer than 128"):
        IssuerData(scripts=tlv({0x71: tlv({0x86: bytes(125)})}))
    with pytest.raises(CardError, match="neither template"):
        IssuerData(scripts=b"\x73\x00")


@pytest.mark.parametrize(
    ("answer", "updated", "sent"),
    [
        ("9000", Updated(authenticated=True, script_results=bytes.fromhex("2000000000")), 2),
        ("6300", Updated(authenticated=False, script_results=b""), 1),
    ],
)
def test_scripts_follow_only_an_issuer_that_is_known(
    answer: str, updated: Updated, sent: int
) -> None:
    data = IssuerData(bytes(8), tlv({0x72: tlv({0x86: "8424000000"})}))
    card = ScriptedCard({"0082": bytes.fromhex(answer), "8424": b"\x90\x00"})
    assert ran(issuer_update.run(data), card) == updated
    assert len(card.sent) == sent
    assert card.sent[0] == bytes.fromhex("0082000008") + bytes(8)


@pytest.mark.parametrize(
    ("failing", "sw", "identifier", "results"),
    [
        (1, "6A80", "", "1100000000"),
        (2, "6A80", "9F180401020304", "1201020304"),
        (15, "6A80", "9F180199", "1f00000099"),
        (16, "6A80", "9F180500AABBCCDD", "1faabbccdd"),
        (17, "6A80", "", "1f00000000"),
        (1, "6283", "", "2000000000"),
        (1, "6300", "", "2000000000"),
        (1, "9001", "", "2000000000"),
        (1, "6400", "", "1100000000"),
        (1, "6110", "", "1100000000"),
    ],
)
def test_how_far_a_script_came(failing: int, sw: str, identifier: str, results: str) -> None:
    commands = b"".join(bytes.fromhex(f"86048424{number:02X}00") for number in range(1, 19))
    objects = bytes.fromhex(identifier) + commands
    (script,) = decode(tlv({0x71: objects}))
    found = issuer_update._script(script.children)
    card = ScriptedCard({"8424": b"\x90\x00", f"8424{failing:02X}": bytes.fromhex(sw)})
    assert ran(found, card).hex() == results
    assert len(card.sent) == (failing if results[0] == "1" else 18)


@pytest.mark.parametrize("number", [1, 2, 15, 16])
def test_a_command_of_a_script_that_is_none(number: int) -> None:
    good = bytes.fromhex("860484240000") * (number - 1)
    (script,) = decode(tlv({0x71: good + b"\x86\x01\x84"}))
    card = ScriptedCard({"8424": b"\x90\x00"})
    result = ran(issuer_update._script(script.children), card)
    assert result == bytes((0x10 | min(number, 15),)) + bytes(4)


# -- mag-stripe mode ---------------------------------------------------------------------------

TRACK = "5413330089600044D28122010000000000000F"


@pytest.mark.parametrize(
    ("places", "counter_digits", "udol", "sent"),
    [
        ("01C6", "02", None, "00000063"),
        ("01C6", "05", None, "00000000"),
        ("01FE", "00", None, "13872063"[-8:]),
        ("0002", "00", None, "00000003"),
        ("01C6", "02", "9F6A049F0206", "00000063" + "000000001250"),
    ],
)
def test_the_digits_that_are_sent(
    places: str, counter_digits: str, udol: str | None, sent: str
) -> None:
    objects: dict[int, str | bytes] = {0x9F6B: TRACK, 0x9F65: "0038", 0x9F66: places}
    objects |= {0x9F67: counter_digits}
    if udol:
        objects[0x9F69] = udol
    at = activation(objects=objects)
    at.terminal[0x9F37] = (13_872_063).to_bytes(4)
    card = ScriptedCard({"802A8E80": ok(tlv({0x77: tlv({0x9F61: "01F5", 0x9F36: "000B"})}))})
    ran(mag_stripe.run(at), card)
    body = bytes.fromhex(sent)
    assert card.sent == [bytes.fromhex("802A8E80") + bytes((len(body),)) + body + b"\0"]


@pytest.mark.parametrize(
    ("places", "counter_digits", "fine"),
    [
        ("01FF", "00", False),
        ("01FF", "01", True),
        ("0003", "02", True),
        ("0003", "03", False),
    ],
)
def test_at_most_eight_unpredictable_digits(
    places: str, counter_digits: str, *, fine: bool
) -> None:
    objects = {0x9F6B: TRACK, 0x9F65: "0000", 0x9F66: places, 0x9F67: counter_digits}
    at = activation(objects=objects)
    card = ScriptedCard({"802A8E80": ok(tlv({0x77: tlv({0x9F61: "01F5", 0x9F36: "000B"})}))})
    if fine:
        assert ran(mag_stripe.run(at), card).decision is Decision.ONLINE_REQUEST
        return
    with pytest.raises(CardError, match="impossible count"):
        ran(mag_stripe.run(at), card)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (tlv({0x77: ""}) + tlv({0x77: ""}), "not one template 77"),
        (tlv({0x80: "00"}), "not one template 77"),
        (b"", "not one template 77"),
    ],
)
def test_the_answer_in_mag_stripe_mode_is_one_template(answer: bytes, said: str) -> None:
    at = activation(objects={0x9F6B: TRACK, 0x9F65: "0038", 0x9F66: "01C6", 0x9F67: "02"})
    with pytest.raises(CardError, match=said):
        ran(mag_stripe.run(at), ScriptedCard({"802A8E80": ok(answer)}))


@pytest.mark.parametrize(
    ("wish", "decision"),
    [
        (None, Decision.DECLINED),
        ("000001", Decision.TRY_AGAIN),
        ("000300", Decision.TRY_AGAIN),
        ("FCFCF0", Decision.DECLINED),
        ("00000001", Decision.DECLINED),
    ],
)
def test_a_phone_that_gives_no_code(wish: str | None, decision: Decision) -> None:
    objects: dict[int, str | bytes] = {} if wish is None else {0xDF4B: wish}
    assert mag_stripe._without_code(activation(objects=objects)).decision is decision


# Places from the right; what stands in the discretionary data 0000000000 afterwards.
@pytest.mark.parametrize(
    ("code_places", "places", "count", "written"),
    [
        ("001C", "0002", 1, "0000050171"),
        ("0200", "0000", 0, "1000000000"),
        ("001C", "0182", 1, "0110050171"),
    ],
)
def test_where_the_digits_are_written(
    code_places: str, places: str, count: int, written: str
) -> None:
    at = activation(objects={0x9F65: code_places, 0x9F66: places, 0x9F36: "000B"})
    track = "4761739001010010D2812201" + "0" * 10
    found = mag_stripe._filled(at, track, b"\x01\xf5", "00000007", count, claims=False)
    head, _, tail = found.partition("D")
    assert (head, tail[:7]) == ("4761739001010010", "2812201")
    assert tail[7:] == written or written == ""


@pytest.mark.parametrize(("places", "fine"), [("0200", True), ("0400", False), ("0000", True)])
def test_a_place_is_inside_the_track(places: str, *, fine: bool) -> None:
    at = activation(objects={0x9F65: "0002", 0x9F66: places, 0x9F36: "0001"})
    track = "4761739001010010D2812201" + "0" * 10
    if fine:
        mag_stripe._filled(at, track, b"\x01", "00000000", 0, claims=False)
        return
    with pytest.raises(CardError, match="outside its track"):
        mag_stripe._filled(at, track, b"\x01", "00000000", 0, claims=False)


@pytest.mark.parametrize(
    ("count", "claims", "last"),
    [(0, False, "0"), (3, False, "3"), (3, True, "8"), (5, True, "0"), (8, True, "3")],
)
def test_the_last_digit_counts_the_others(count: int, last: str, *, claims: bool) -> None:
    """And five more where the customer's device verified its holder, in one digit."""
    places = f"{(1 << count) - 1 << 1:04X}"
    at = activation(objects={0x9F65: "0000", 0x9F66: places, 0x9F36: "0001"})
    track = "5413330089600044D2812201" + "0" * 10
    found = mag_stripe._filled(at, track, b"\x01", "00000000", count, claims=claims)
    assert found[-1] == last


# -- relay resistance --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    ["800A" + "00" * 9, "8009" + "00" * 9, "810A" + "00" * 10, "800A" + "00" * 10 + "8100"],
)
def test_the_answer_to_the_relay_resistance_exchange(answer: str) -> None:
    at = activation()
    card = ScriptedCard({"80EA": ok(bytes.fromhex(answer))})
    with pytest.raises(CardError):
        ran(relay_resistance.exchange_relay_resistance_data(at, RelayResistance()), card)


# An estimate of 2 ms on the air fits the reader's; one of 28 ms does not.
@pytest.mark.parametrize(("air", "tvr"), [("0014", 0x02), ("0114", 0x0A)])
def test_the_times_are_those_of_the_answer(air: str, tvr: int) -> None:
    """Entropy, least, most and air time, in hundreds of microseconds: 1 ms, 3 ms and 2 ms."""
    dialogue = relay_resistance.exchange_relay_resistance_data(activation(), RelayResistance())
    command = next(dialogue)
    assert command == Command(0x80, 0xEA, 0x00, 0x00, scheme.UNPREDICTABLE)
    answer = bytes.fromhex("800A" + "AABBCCDD" + "000A" + "001E" + air)
    with pytest.raises(StopIteration) as end:
        dialogue.send(Response(answer, 0x9000, elapsed_s=0.004))
    signed, found = end.value.value
    assert signed == scheme.UNPREDICTABLE + answer[2:]
    assert found == tvr


# -- kernel 4 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minor", "reader", "enhanced", "capabilities"),
    [(1250, "c0", "18a00003", "000808"), (7500, "c8", "18a04003", "002008")],
)
def test_the_readers_capabilities_of_kernel_4(
    minor: int, reader: str, enhanced: str, capabilities: str
) -> None:
    data = {0x9F6D: b"\xc8", 0x9F6E: bytes.fromhex("18A04003")}
    at = activation(4, minor=minor, cvm_limit_minor=5000, data=data)
    at.terminal |= data
    c4._state_capabilities(at)
    assert at.terminal[0x9F6D].hex() == reader
    assert at.terminal[0x9F6E].hex() == enhanced
    assert at.terminal[0x9F33].hex() == capabilities


@pytest.mark.parametrize("missing", [0x5A, 0x5F24, 0x8C])
@pytest.mark.parametrize("kernel", [c4, c5])
def test_what_kernels_4_and_5_cannot_do_without(kernel: Any, missing: int) -> None:
    name = 4 if kernel is c4 else 5
    record: dict[int, str | bytes] = {0x5A: MASTERCARD_PAN, 0x5F24: "281231", 0x8C: "9F3704"}
    del record[missing]
    at = activation(name, {0x9F38: "9F5201"}, luhn_required=False)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003"), 0x9F53: bytes(3)}
    card = ScriptedCard(
        {
            "80A8": ok(tlv({0x77: tlv({0x82: "0080", 0x94: "08010100"})})),
            "00B2010C": ok(tlv({0x70: tlv(record)})),
        }
    )
    with pytest.raises(CardError, match=rf"\({missing:02X}\)"):
        ran(kernel.run(at), card)


# Mobile CVM, signature, no CVM; what 9F71 says; the amount; 9F34 and the outcome's CVM.
@pytest.mark.parametrize(
    ("rules", "mobile", "minor", "results", "cvm", "byte_3"),
    [
        ("41031E03", "010002", 7500, "410302", Cvm.CONFIRMATION_CODE, 0x00),
        ("41031E03", "010003", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("41031E03", "010002FF", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("41001F00", "", 1250, "1f0002", Cvm.NONE, 0x00),
        ("41005F00", "", 1250, "5f0002", Cvm.NONE, 0x00),
        ("1F061F00", "", 1250, "1f0002", Cvm.NONE, 0x00),
        ("42031F00", "", 7500, "3f0001", Cvm.NONE, 0x80),
        ("6A001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x40),
        ("44001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("40001E03", "", 7500, "1e0300", Cvm.SIGNATURE, 0x00),
        ("00001E03", "", 7500, "000001", Cvm.NONE, 0x80),
        ("2A001E03", "", 7500, "3f0001", Cvm.NONE, 0xC0),
    ],
)
def test_cardholder_verification_of_kernel_4(
    rules: str, mobile: str, minor: int, results: str, cvm: Cvm, byte_3: int
) -> None:
    objects: dict[int, str | bytes] = {0x8E: "0000000000000000" + rules}
    if mobile:
        objects[0x9F71] = mobile
    at = activation(4, objects, aip="1040", minor=minor, cvm_limit_minor=5000)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003")}
    c4._state_capabilities(at)
    found = c4._verify_cardholder(at)
    assert isinstance(found, cvm_list.Verification)
    assert (found.results.hex(), found.cvm, found.tvr_byte_3) == (results, cvm, byte_3)


@pytest.mark.parametrize(
    ("enhanced", "first", "decision"),
    [
        ("1CA00003", "20", Decision.TRY_ANOTHER_INTERFACE),
        ("18A00003", "20", Decision.DECLINED),
        ("1CA00003", "00", Decision.DECLINED),
        ("1CA00003", "80", Decision.DECLINED),
    ],
)
def test_a_decline_of_kernel_4_may_go_to_the_contacts(
    enhanced: str, first: str, decision: Decision
) -> None:
    at = activation(4, {**ACCOUNT, 0x8C: "9F3704"})
    at.terminal |= {0x9F6E: bytes.fromhex(enhanced), 0x9F33: bytes.fromhex(first + "0808")}
    answer = "800B" + "00" + "0007" + "1122334455667788"
    card = ScriptedCard({"80AE": ok(bytes.fromhex(answer))})
    verified = cvm_list.Verification(bytes(3), Cvm.NONE)
    outcome = ran(c4._finish(Run(at, account_of()), ARQC, verified), card)
    assert outcome.decision is decision


@pytest.mark.parametrize("kernel", [4, 5])
def test_restrictions_stand_in_byte_2(kernel: int) -> None:
    """An expired card in its own country, and no other doubt: byte 2 of the TVR is 40."""
    record = {0x5A: MASTERCARD_PAN, 0x5F24: "251231", 0x8C: "9505", 0x5F28: "0250"}
    at = activation(kernel, {0x9F38: "9F5201"}, luhn_required=False, floor_limit_minor=None)
    at.terminal |= {0x9F6D: b"\xc0", 0x9F6E: bytes.fromhex("18A00003"), 0x9F53: bytes(3)}
    card = ScriptedCard(
        {
            "80A8": ok(tlv({0x77: tlv({0x82: "0080", 0x94: "08010100"})})),
            "00B2010C": ok(tlv({0x70: tlv(record)})),
            "80AE": ok(bytes.fromhex("800B" + "80" + "0007" + "1122334455667788")),
        }
    )
    module = {4: c4, 5: c5}[kernel]
    ran(module.run(at), card)
    assert card.sent[-1][5:10].hex() == "8040000000"


# -- kernel 5 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "minor", "profile", "security"),
    [(True, 7500, "f00000", "88"), (True, 1250, "700000", "88"), (False, 7500, "f00000", "00")],
)
def test_the_profile_of_kernel_5(minor: int, profile: str, security: str, *, keys: bool) -> None:
    settings = scheme.settings(
        scheme.MASTERCARD, 5, keys=keys, cvm_limit_minor=5000, capabilities=b"\0\x28\x88"
    )
    at = activation(5, minor=minor, settings=settings)
    at.terminal[0x9F53] = bytes.fromhex("F00000")
    c5._state_profile(at)
    assert at.terminal[0x9F53].hex() == profile
    assert at.terminal[0x9F52] == b"\x02"
    assert at.terminal[0x9F33].hex() == "0028" + security


@pytest.mark.parametrize(
    ("status", "profile", "minor", "results", "cvm"),
    [
        ("10", "40", 1250, "1e0000", Cvm.SIGNATURE),
        ("10", "B0", 1250, None, None),
        ("2F", "20", 7500, "020000", Cvm.ONLINE_PIN),
        ("30", "10", 7500, "010002", Cvm.CONFIRMATION_CODE),
        ("40", "F0", 1250, None, None),
        ("00", "F0", 1250, "1f0002", Cvm.NONE),
        ("00", "F0", 7500, None, None),
        ("", "F0", 1250, "1f0002", Cvm.NONE),
        (None, "40", 7500, "1e0000", Cvm.SIGNATURE),
        (None, "B0", 7500, None, None),
        (None, "40", 1250, "1f0002", Cvm.NONE),
    ],
)
def test_verification_of_kernel_5(
    status: str | None, profile: str, minor: int, results: str | None, cvm: Cvm | None
) -> None:
    objects: dict[int, str | bytes] = {} if status is None else {0x9F50: status}
    at = activation(5, objects, {0x9F53: profile + "0000"}, minor=minor, cvm_limit_minor=5000)
    found = c5._verification(at)
    assert (found and (found.results.hex(), found.cvm)) == (results and (results, cvm))


# -- the wishes of cards that decide at once ---------------------------------------------------

WISHES = (
    *("online_pin", "signature", "on_device", "online_if_unauthenticated"),
    *("switch_if_unauthenticated", "online_if_expired", "or_signature", "or_nothing"),
)


def wishes_of(at: Activation, kernel: int) -> list[str] | None:
    found: Wishes | None = c6._wishes(at) if kernel == 6 else fast_dda.wishes(at)
    return None if found is None else [name for name in WISHES if getattr(found, name)]


@pytest.mark.parametrize(
    ("kernel", "stated", "wishes"),
    [
        (6, "8000", ["online_pin"]),
        (6, "4000", ["signature"]),
        (6, "1000", ["on_device"]),
        (6, "2F00", []),
        (6, "0040", ["online_if_unauthenticated"]),
        (6, "0020", ["switch_if_unauthenticated"]),
        (6, "0008", ["online_if_expired"]),
        (6, "0002", ["or_signature"]),
        (6, "0001", ["or_nothing"]),
        (6, "0094", []),
        (6, None, None),
        (3, "8000", ["online_pin"]),
        (3, "4000", ["signature"]),
        (3, "2000", ["online_if_unauthenticated"]),
        (3, "1000", ["switch_if_unauthenticated"]),
        (3, "0800", ["online_if_expired"]),
        (3, "0080", ["on_device"]),
        (3, "077F", []),
        (3, None, None),
    ],
)
def test_what_a_card_wishes(kernel: int, stated: str | None, wishes: list[str] | None) -> None:
    tag = 0x9F71 if kernel == 6 else 0x9F6C
    at = activation(kernel, {} if stated is None else {tag: stated})
    assert wishes_of(at, kernel) == wishes


@pytest.mark.parametrize("kernel", [3, 6])
@pytest.mark.parametrize("stated", ["", "80", "800000"])
def test_wishes_have_two_bytes(kernel: int, stated: str) -> None:
    at = activation(kernel, {0x9F71 if kernel == 6 else 0x9F6C: stated})
    with pytest.raises(CardError, match="do not have two bytes"):
        wishes_of(at, kernel)


# 9F69 is absent, agrees or differs; strict; a signature is there; the cryptogram; believed?
@pytest.mark.parametrize(
    ("related", "strict", "signed", "kind", "believed"),
    [
        (None, False, False, ARQC, True),
        (None, False, False, TC, False),
        (None, True, False, ARQC, False),
        (None, True, False, TC, False),
        ("0100000000" + "0080", False, False, ARQC, True),
        ("0100000000" + "0080", False, False, TC, True),
        ("0100000000" + "0080", False, True, TC, True),
        ("0100000000" + "0080", True, False, TC, True),
        ("0100000000" + "0080", True, True, ARQC, False),
        ("0100000000" + "0080", True, False, ARQC, False),
        ("0100000000" + "0080", False, True, ARQC, True),
        ("0100000000" + "0000", False, False, ARQC, False),
        ("0100000000" + "00", False, False, ARQC, False),
        ("01000000" + "0080", False, False, ARQC, False),
    ],
)
def test_whether_a_devices_word_is_believed(
    related: str | None, kind: int, *, strict: bool, signed: bool, believed: bool
) -> None:
    objects: dict[int, str | bytes] = {**ACCOUNT, 0x9F6C: "0080"}
    if related is not None:
        objects[0x9F69] = related
    if signed:
        objects[0x9F4B] = bytes(128)
    at = activation(3, objects, aip="2000", signed_device_cvm_only=strict)
    assert fast_dda.confirms_device(at, account_of(), kind) is believed


def test_a_signature_that_does_not_hold_confirms_nothing() -> None:
    objects: dict[int, str | bytes] = {**ACCOUNT, 0x9F6C: "0080", 0x9F69: "01000000000080"}
    objects |= {0x9F4B: bytes(128), 0x8F: "F9"}
    assert not fast_dda.confirms_device(activation(3, objects, aip="2000"), account_of(), ARQC)
    # Without a signature the issuer decides, also where the key is known.
    del objects[0x9F4B]
    assert fast_dda.confirms_device(activation(3, objects, aip="2000"), account_of(), ARQC)
    objects[0x9F4B] = bytes(128)
    unknown = activation(3, {**objects, 0x8F: "F8"}, aip="2000")
    assert fast_dda.confirms_device(unknown, account_of(), ARQC)


# -- the CVM list ------------------------------------------------------------------------------


def test_amounts_and_rules_of_a_cvm_list() -> None:
    value = bytes.fromhex("01020304" + "05060708" + "42031E06")
    found = cvm_list.parse_cvm_list(value)
    rules = (CvmRule(0x42, 0x03), CvmRule(0x1E, 0x06))
    assert found == CvmList(0x01020304, 0x05060708, rules)
    assert [rule.method for rule in rules] == [0x02, 0x1E]
    for wrong in (value[:9], value[:8], value[:-1], b""):
        with pytest.raises(CardError, match="not two amounts and whole rules"):
            cvm_list.parse_cvm_list(wrong)
    assert len(cvm_list.parse_cvm_list(value[:10]).rules) == 1


# Rules of a list, 9F33 byte 2, and what applies: 9F34, the CVM, byte 3 of the TVR.
@pytest.mark.parametrize(
    ("rules", "supported", "found"),
    [
        ("4203", "40", ("420300", Cvm.ONLINE_PIN, 0x04)),
        ("4200", "20", ("3f0001", Cvm.NONE, 0x80)),
        ("42001E00", "20", ("1e0000", Cvm.SIGNATURE, 0x00)),
        ("02001E00", "20", ("3f0001", Cvm.NONE, 0x80)),
        ("40001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("00001F00", "08", ("000001", Cvm.NONE, 0x80)),
        ("0003" + "1F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("41001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("43001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("44001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("45001F00", "08", ("1f0002", Cvm.NONE, 0x00)),
        ("46001F00", "08", ("1f0002", Cvm.NONE, 0x40)),
        ("7F001F00", "08", ("1f0002", Cvm.NONE, 0x40)),
        ("06001F00", "08", ("3f0001", Cvm.NONE, 0xC0)),
    ],
)
def test_the_verification_that_applies(
    rules: str, supported: str, found: tuple[str, Cvm, int]
) -> None:
    at = activation(
        objects={0x8E: bytes(8) + bytes.fromhex(rules)},
        terminal={0x9F33: f"00{supported}08"},
        aip="1000",
    )
    verified = cvm_list.verify_cardholder(at, on_device=False, required=True)
    assert (verified.results.hex(), verified.cvm, verified.tvr_byte_3) == found
