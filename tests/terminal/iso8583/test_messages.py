"""What a till says to its host, and what it lets the host say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from terminal.errors import ConfigError, HostGarbled
from terminal.iso8583.codec import Message, decode, encode
from terminal.iso8583.hostside import compose_answer, parse_request
from terminal.iso8583.messages import (
    Action,
    advice_of,
    compose_advice,
    compose_echo,
    compose_sale,
    decline_reason,
    is_answer_to,
    pack,
    read_answer,
    repeat_of,
    reversal_of,
    unpack,
)
from terminal.iso8583.profile import Content, Field, Layout, MessageFormat
from terminal.iso8583.profiles import BASE87, PROFILES, profile_named
from terminal.money import Amount, Currency
from tests.terminal.iso8583.sales import AT, EUR, FACTS, answer, facts

SALE = compose_sale(BASE87, FACTS)
ADVICE = compose_advice(BASE87, facts(offline_reason="no network"))
REVERSAL = reversal_of(BASE87, SALE)
ECHO = compose_echo(BASE87, stan=7, at=AT, terminal_id="T1")


def fields_of(wire: bytes) -> dict[int, str]:
    return dict(decode(BASE87.layout, wire).fields)


def changed(wire: bytes, mti: str | None = None, **changes: str | None) -> bytes:
    """The same message with fields replaced (``de4="..."``) or taken out (None)."""
    message = unpack(BASE87, wire)
    fields: dict[int, str] = dict(message.fields)
    for name, value in changes.items():
        number = int(name.removeprefix("de"))
        if value is None:
            del fields[number]
        else:
            fields[number] = value
    return pack(BASE87, Message(mti or message.mti, fields))


def test_a_sale_says_everything_and_no_card_number() -> None:
    assert SALE[:4] == b"0200"
    assert fields_of(SALE) == {
        3: "000000",
        4: "000000001250",
        7: "0331225958",
        11: "000042",
        12: "005958",
        13: "0401",
        22: "071",
        23: "001",
        25: "00",
        37: "609022000042",
        41: "T0000001",
        42: "SHOP00000000001",
        49: "978",
        55: "82023900" + "95050000000000" + "9F26080001020304050607" + "9F36020034",
        60: "000003",
        62: bytes(range(150)).hex().upper(),
        63: "17:0123456789abcdef",
    }


def test_a_sale_in_yen_has_no_decimals() -> None:
    yen = Amount(1250, Currency.of("JPY"))
    read = fields_of(compose_sale(BASE87, facts(amount=yen, pan_sequence=None, terminal_id="T")))
    assert (read[4], read[49], read[41], 23 in read) == ("000000001250", "392", "T       ", False)


def test_an_advice_says_why_it_was_stored() -> None:
    assert ADVICE[:4] == b"0220"
    assert fields_of(ADVICE) == {**fields_of(SALE), 48: "no network"}


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("h\u00f4te injoignable\n", "h?te injoignable?"),
        ("\u4e0d\u901a", "??"),
        ("x" * 2000, "x" * 999),
    ],
)
def test_no_reason_is_too_strange_to_store_a_sale(reason: str, sent: str) -> None:
    assert fields_of(compose_advice(BASE87, facts(offline_reason=reason)))[48] == sent


def test_the_transmission_time_is_utc_wherever_the_clock_is() -> None:
    assert compose_sale(BASE87, facts(at=FACTS.local_at)) == SALE
    echo = compose_echo(BASE87, stan=7, at=FACTS.local_at, terminal_id="T1")
    assert echo == ECHO


def test_a_deferred_sale_becomes_an_advice_by_its_type_alone() -> None:
    deferred = advice_of(BASE87, SALE)
    assert (deferred[:4], deferred[4:]) == (b"0220", SALE[4:])
    for other in (deferred, ADVICE, repeat_of(BASE87, ADVICE), REVERSAL, ECHO):
        assert advice_of(BASE87, other) == other


@pytest.mark.parametrize(("message", "mti"), [(ADVICE, b"0221"), (REVERSAL, b"0421")])
def test_a_repeat_differs_by_its_type_alone_and_stays(message: bytes, mti: bytes) -> None:
    repeat = repeat_of(BASE87, message)
    assert (repeat[:4], repeat[4:]) == (mti, message[4:])
    assert repeat_of(BASE87, repeat) == repeat


@pytest.mark.parametrize("message", [SALE, ECHO, answer(SALE)])
def test_what_is_never_sent_twice_has_no_repeat(message: bytes) -> None:
    with pytest.raises(AssertionError, match="never sent twice"):
        repeat_of(BASE87, message)


@pytest.mark.parametrize(
    "original", [SALE, ADVICE, repeat_of(BASE87, ADVICE)], ids=["0200", "0220", "0221"]
)
def test_a_reversal_names_its_original_and_carries_no_card(original: bytes) -> None:
    reversal = reversal_of(BASE87, original)
    sale, read = fields_of(original), fields_of(reversal)
    assert reversal[:4] == b"0420"
    same = {3, 4, 7, 11, 12, 13, 22, 25, 37, 41, 42, 49, 60, 63}
    assert {number: read[number] for number in same} == {number: sale[number] for number in same}
    assert read.keys() - same == {39, 90}
    assert read[39] == "68"
    assert read[90] == original[:4].decode() + "000042" + "0331225958" + "0" * 22


def test_a_reversal_names_the_acquirer_where_the_sale_did() -> None:
    sale = changed(SALE, de32="12345", de33="678901")
    assert fields_of(reversal_of(BASE87, sale, "17"))[90][20:] == "00000012345" + "00000678901"
    assert fields_of(reversal_of(BASE87, sale, "17"))[39] == "17"


@pytest.mark.parametrize("message", [REVERSAL, ECHO, answer(SALE)])
def test_only_a_sale_is_reversed(message: bytes) -> None:
    with pytest.raises(AssertionError, match="cannot be reversed"):
        reversal_of(BASE87, message)


def test_an_echo_is_small() -> None:
    assert ECHO[:4] == b"0800"
    assert fields_of(ECHO) == {7: "0331225958", 11: "000007", 41: "T1      ", 70: "301"}
    read = read_answer(BASE87, ECHO, answer(ECHO))
    assert (read.action, read.amount_minor, read.rrn) == (Action.APPROVED, None, "")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount": Amount(0, EUR)}, "amount"),
        ({"stan": 0}, "stan"),
        ({"stan": 1_000_000}, "stan"),
        ({"rrn": "60902200004"}, "rrn"),
        ({"rrn": "60902200004 "}, "rrn"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001 - a naive time is the mistake.
        ({"terminal_id": ""}, "terminal_id"),
        ({"terminal_id": "T00000001"}, "terminal_id"),
        ({"merchant_id": "M" * 16}, "merchant_id"),
        ({"reference": ""}, "reference"),
        ({"chip_data": {}}, "chip_data"),
        ({"envelope": b""}, "chip_data"),
        ({"batch": 1_000_000}, "batch"),
        ({"pan_sequence": 100}, "pan_sequence"),
    ],
)
def test_facts_that_do_not_fit_are_our_mistake(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(AssertionError, match=rf"\b{named}\b"):
        facts(**changes)


@pytest.mark.parametrize("tag", [0x57, 0x5A, 0x5F20, 0x5F24, 0x56, 0x9F6B])
def test_a_sale_refuses_to_carry_a_cardholder_in_its_chip_data(tag: int) -> None:
    with pytest.raises(AssertionError, match="cardholder"):
        compose_sale(BASE87, facts(chip_data={0x82: b"\x39\x00", tag: b"\x41\x11"}))


def test_facts_do_not_show_the_card() -> None:
    shown = repr(facts(envelope=b"SECRET", chip_data={0x95: b"SECRET"}))
    assert "SECRET" not in shown


# Which answer belongs to which request.

REQUESTS = {
    "0200": SALE,
    "0220": ADVICE,
    "0221": repeat_of(BASE87, ADVICE),
    "0420": REVERSAL,
    "0421": repeat_of(BASE87, REVERSAL),
    "0800": compose_echo(BASE87, stan=42, at=AT, terminal_id="T0000001"),
}


@pytest.mark.parametrize("asked", REQUESTS)
@pytest.mark.parametrize("answered", REQUESTS)
def test_an_answer_belongs_to_its_kind_of_request(asked: str, answered: str) -> None:
    """All six have the same STAN and terminal, and only the kind tells them apart."""
    belongs = is_answer_to(BASE87, REQUESTS[asked])(answer(REQUESTS[answered]))
    assert belongs == (asked[:3] == answered[:3])


def test_an_answer_to_another_sale_or_terminal_is_not_ours() -> None:
    ours = is_answer_to(BASE87, SALE)
    assert ours(answer(SALE))
    assert not ours(answer(compose_sale(BASE87, facts(stan=43))))
    assert not ours(answer(compose_sale(BASE87, facts(terminal_id="T0000002"))))
    assert not ours(SALE)


def test_an_unreadable_answer_is_taken_and_then_refused() -> None:
    noise = b"\x00\x01\x02"
    assert is_answer_to(BASE87, SALE)(noise)
    with pytest.raises(HostGarbled):
        read_answer(BASE87, SALE, noise)


# What an answer means.

A = Action
CODES = {
    **dict.fromkeys(["00", "08", "11", "16", "85"], (A.APPROVED, A.APPROVED)),
    "10": (A.PARTIAL, A.QUARANTINE),
    **dict.fromkeys(["91", "96", "90", "06", "92"], (A.RETRY_SAME, A.RETRY_SAME)),
    **dict.fromkeys(["09", "19", "22", "68"], (A.RETRY_REPEAT, A.RETRY_REPEAT)),
    "94": (A.DUPLICATE, A.DUPLICATE),
    **dict.fromkeys(
        ["03", "12", "13", "30", "40", "58", "63", "89", "95"], (A.QUARANTINE, A.QUARANTINE)
    ),
    **dict.fromkeys(
        ["01", "02", "05", "14", "1A", "51", "54", "55", "59", "61", "62", "65", "75", "78"],
        (A.DECLINED, A.QUARANTINE),
    ),
    **dict.fromkeys(["82", "86", "93", "N7"], (A.DECLINED, A.QUARANTINE)),
    **dict.fromkeys(
        ["04", "07", "15", "41", "43", "46", "57", "R0", "R1", "R3"],
        (A.DECLINED_BLOCK, A.QUARANTINE),
    ),
}


def test_the_table_of_codes_is_complete() -> None:
    assert CODES.keys() == BASE87.responses.keys()
    assert BASE87.reversal_responses.keys() - CODES.keys() == {"25"}


@pytest.mark.parametrize("code", CODES)
def test_a_code_asks_for_its_action(code: str) -> None:
    for_sale, for_reversal = CODES[code]
    part = 500 if for_sale is A.PARTIAL else None
    for request in (SALE, ADVICE, repeat_of(BASE87, ADVICE)):
        read = read_answer(BASE87, request, answer(request, code, amount_minor=part))
        assert (read.action, read.response_code) == (for_sale, code)
        assert read.amount_minor == {A.APPROVED: 1250, A.PARTIAL: 500}.get(for_sale)
        assert read.rrn == "609022000042"
        assert read.approval_code == ("A1B2C3" if read.amount_minor else "")
        assert read.text == decline_reason(BASE87, code)
    read = read_answer(BASE87, REVERSAL, changed(answer(REVERSAL), de39=code))
    assert (read.action, read.amount_minor) == (for_reversal, None)


def test_a_host_that_never_booked_the_sale_has_reversed_it() -> None:
    assert read_answer(BASE87, REVERSAL, answer(REVERSAL, "25")).action is Action.APPROVED
    assert read_answer(BASE87, SALE, answer(SALE, "25")).action is Action.DECLINED


@pytest.mark.parametrize(
    ("request_", "action"),
    [(SALE, A.DECLINED), (ADVICE, A.QUARANTINE), (REVERSAL, A.QUARANTINE)],
    ids=["0200", "0220", "0420"],
)
def test_a_code_that_nobody_knows_is_never_an_approval(request_: bytes, action: Action) -> None:
    read = read_answer(BASE87, request_, answer(request_, "Z9"))
    assert (read.action, read.amount_minor) == (action, None)
    assert "Z9" in read.text


def test_every_text_is_a_sentence() -> None:
    texts = [r.text for r in (*BASE87.responses.values(), *BASE87.reversal_responses.values())]
    texts.append(decline_reason(BASE87, "Z9"))
    for text in texts:
        assert re.fullmatch(r"[A-Z][^\n]*\.", text)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"de11": "000043"}, "DE 11"),
        ({"de41": "T0000002"}, "DE 41"),
        ({"de42": "SHOP00000000002"}, "DE 42"),
        ({"de4": "000000001251"}, "DE 4 "),
        ({"de4": "000000001249"}, "DE 4 "),
        ({"de49": "840"}, "DE 49"),
        ({"de37": "609022000043"}, "DE 37"),
        ({"de3": "200000"}, "DE 3 "),
        ({"de60": "000004"}, "DE 60"),
        ({"de63": "18:0123456789abcdef"}, "DE 63"),
        ({"de38": None}, "DE 38"),
        ({"de38": "      "}, "DE 38"),
        ({"de39": "05"}, "DE 38"),
        ({"de39": "91"}, "DE 38"),
        ({"de39": "Z9"}, "DE 38"),
        ({"de39": "10"}, "partial"),
        ({"de39": "10", "de4": "000000001251"}, "partial"),
        ({"de39": "10", "de4": "000000000000"}, "partial"),
        ({"mti": "0230"}, "0230"),
    ],
)
def test_an_answer_that_contradicts_is_garbled(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(HostGarbled, match=named):
        read_answer(BASE87, SALE, changed(answer(SALE), **changes))


@pytest.mark.parametrize("number", sorted(BASE87.messages["0210"].required))
def test_an_answer_that_lacks_a_field_is_garbled(number: int) -> None:
    message = decode(BASE87.layout, answer(SALE))
    fields = {n: value for n, value in message.fields.items() if n != number}
    with pytest.raises(AssertionError, match=f"DE {number} "):
        pack(BASE87, Message("0210", fields))
    with pytest.raises(HostGarbled, match=f"DE {number} "):
        read_answer(BASE87, SALE, encode(BASE87.layout, Message("0210", fields)))


def test_an_answer_with_a_field_that_it_may_not_have_is_garbled() -> None:
    fields = {**fields_of(answer(SALE)), 62: "00"}
    with pytest.raises(HostGarbled, match="DE 62"):
        read_answer(BASE87, SALE, encode(BASE87.layout, Message("0210", fields)))


def test_a_request_from_the_host_is_no_answer() -> None:
    with pytest.raises(HostGarbled, match="answered a 0200 with a 0800"):
        read_answer(BASE87, SALE, REQUESTS["0800"])


# The host's half.


def test_the_host_reads_what_the_till_wrote() -> None:
    read = parse_request(BASE87, ADVICE)
    assert (read.mti, read.stan, read.rrn, read.amount_minor) == ("0220", 42, FACTS.rrn, 1250)
    assert (read.terminal_id, read.reference) == ("T0000001", FACTS.reference)
    assert (read.envelope, dict(read.chip_data)) == (FACTS.envelope, dict(FACTS.chip_data))
    assert (read.original, read.repeat) == (None, False)
    again = parse_request(BASE87, repeat_of(BASE87, REVERSAL))
    assert again.repeat
    assert again.original is not None
    assert (again.original.mti, again.original.stan) == ("0200", 42)
    assert again.original.transmitted == "0331225958"


def test_the_host_takes_no_answer_for_a_request() -> None:
    with pytest.raises(HostGarbled, match="no request"):
        parse_request(BASE87, answer(SALE))


def test_the_host_refuses_a_card_number_in_the_chip_data() -> None:
    smuggled = changed(SALE, de55="5A084111111111111111")
    with pytest.raises(HostGarbled, match="5A") as refused:
        parse_request(BASE87, smuggled)
    assert "4111" not in str(refused.value)


def test_the_host_answers_with_the_issuers_data() -> None:
    request = parse_request(BASE87, SALE)
    wire = compose_answer(BASE87, request, "00", approval_code="1", chip_data={0x91: bytes(10)})
    assert fields_of(wire)[55] == "910A" + "00" * 10
    assert read_answer(BASE87, SALE, wire).approval_code == "1"


# Profiles.


def test_no_profile_has_a_field_for_a_clear_card() -> None:
    for profile in PROFILES.values():
        assert not {2, 14, 34, 35, 36, 45, 52} & profile.layout.fields.keys()


CARD_FIELDS = {**BASE87.layout.fields, 2: Field("PAN", Content.N, 19, 2)}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"layout": Layout("leaky", CARD_FIELDS)}, "clear card data"),
        ({"messages": {"0200": MessageFormat(frozenset({3, 64}))}}, "unknown fields"),
        ({"envelope_field": 63}, "not binary"),
    ],
)
def test_a_profile_that_cannot_be_right_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(AssertionError, match=named):
        replace(BASE87, **changes)


def test_a_header_stands_before_each_message_and_survives() -> None:
    """A TPDU of five bytes; the host's answer has another one of the same length."""
    tpdu = replace(BASE87, header=bytes.fromhex("6000010000"))
    sale = compose_sale(tpdu, FACTS)
    assert sale == tpdu.header + SALE
    repeat = repeat_of(tpdu, advice_of(tpdu, sale))
    assert repeat == tpdu.header + b"0221" + SALE[4:]
    wire = bytes.fromhex("6000000001") + answer(SALE)
    assert is_answer_to(tpdu, sale)(wire)
    assert read_answer(tpdu, sale, wire).action is Action.APPROVED


def test_an_unknown_profile_lists_those_that_exist() -> None:
    assert profile_named("base87") is BASE87
    with pytest.raises(ConfigError, match="base87"):
        profile_named("base93")
