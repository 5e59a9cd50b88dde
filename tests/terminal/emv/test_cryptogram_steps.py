"""The answer to GENERATE AC, and what is made of it, each as a table."""

from __future__ import annotations

import pytest

from terminal.emv import oda
from terminal.emv.apdu import Response
from terminal.emv.converse import converse
from terminal.emv.kernels import generate_ac
from terminal.emv.kernels.activation import AAC, ARQC, TC
from terminal.emv.kernels.generate_ac import Run
from terminal.errors import CardError
from tests.terminal.emv.scheme import ScriptedCard, ok, tlv
from tests.terminal.emv.steps import account_of, activation

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
