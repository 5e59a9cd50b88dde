"""Mag-stripe mode of kernel 2, step by step, each as a table."""

from __future__ import annotations

import pytest

from terminal.emv.kernels import (
    mag_stripe,
)
from terminal.emv.outcome import Decision
from terminal.errors import CardError
from tests.terminal.emv.scheme import ScriptedCard, ok, tlv
from tests.terminal.emv.steps import activation, ran

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
