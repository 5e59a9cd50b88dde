"""The steps of kernel 2, one by one: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from terminal.emv.apdu import Command, Response
from terminal.emv.kernels import (
    c2,
    data_exchange,
    issuer_update,
    relay_resistance,
)
from terminal.emv.kernels.activation import AAC, ARQC, TC
from terminal.emv.kernels.generate_ac import CDA_FAILED, Run
from terminal.emv.kernels.issuer_update import IssuerData, Updated
from terminal.emv.oda import RsaPublicKey
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome
from terminal.emv.relay import RelayResistance
from terminal.emv.tlv import decode
from terminal.errors import CardError
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import mastercard, mastercard_reader
from tests.terminal.emv.scheme import ScriptedCard, ok, request, tap, tlv
from tests.terminal.emv.steps import ACCOUNT, account_of, activation, ran

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
