"""The issuer's decisions: what verifies, what does not, and the same by an independent library."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pyemv import ac, cvn, kd

from hardware_sim.cryptogram import (
    Padding,
    common_session_key,
    icc_master_key_a,
    icc_master_key_b,
    mac,
)
from hardware_sim.issuer import (
    CRYPTOGRAM_INPUT,
    ISSUERS,
    NO_OFFLINE_COUNTERS,
    VERSIONS,
    IssuerKeys,
    application_cryptogram,
    arqc_fault,
    dynamic_number,
    icc_master_key,
    issuer_authentication_data,
    issuer_of,
    verify_arqc,
)

SEED = 20261123

PANS = {
    "Visa": "4761739001010010",
    "Mastercard": "5413330089020011",
    "Amex": "374245001741007",
    "JCB": "3569990010095841",
    "Discover": "6011000990139424",
    "UnionPay": "6250946000000016",
}
ALL_VERSIONS = [(scheme, number) for scheme, known in VERSIONS.items() for number in known]


def iad_for(scheme: str, number: int, master_key: bytes, atc: bytes) -> bytes:
    if scheme == "Mastercard":
        dynamic = dynamic_number(master_key, atc)[:2]
        return bytes((1, number, 0xA0, 0, 0, 0, 0, 0)) + dynamic + NO_OFFLINE_COUNTERS
    return bytes((6, 1, number, 3, 0xA0, 0, 0))


def signed_sale(scheme: str, number: int, seed: int = SEED) -> dict[int, bytes]:
    """DE 55 of a sale that the issuer must accept."""
    chance = random.Random(f"{scheme}{number}{seed}")
    data = {tag: chance.randbytes(length) for tag, length in CRYPTOGRAM_INPUT.items()}
    master_key = icc_master_key(ISSUERS[scheme], PANS[scheme], 1)
    data[0x9F10] = iad_for(scheme, number, master_key, data[0x9F36])
    data[0x9F26] = application_cryptogram(VERSIONS[scheme][number], master_key, data)
    data[0x9F27] = b"\x80"
    data[0x84] = ISSUERS[scheme].rid + b"\x10\x10"
    return data


@pytest.mark.parametrize(("scheme", "number"), ALL_VERSIONS)
def test_a_good_sale_verifies(scheme: str, number: int) -> None:
    data = signed_sale(scheme, number)
    assert arqc_fault(ISSUERS[scheme], PANS[scheme], 1, data) is None
    assert verify_arqc(ISSUERS[scheme], PANS[scheme], 1, data)


@pytest.mark.parametrize(("scheme", "number"), ALL_VERSIONS)
def test_any_changed_bit_is_refused(scheme: str, number: int) -> None:
    good = signed_sale(scheme, number)
    # Of the DF name only the scheme's own five bytes are bound to the card number.
    bound = {**good, 0x84: good[0x84][:5]}
    for tag, value in bound.items():
        for bit in range(len(value) * 8):
            wrong = bytearray(value)
            wrong[bit // 8] ^= 0x80 >> bit % 8
            changed = {**good, tag: bytes(wrong)}
            assert not verify_arqc(ISSUERS[scheme], PANS[scheme], 1, changed), f"{tag:X} bit {bit}"


@pytest.mark.parametrize(("scheme", "number"), ALL_VERSIONS)
def test_missing_shorter_and_longer_objects_are_refused(scheme: str, number: int) -> None:
    good = signed_sale(scheme, number)
    for tag in set(good) - {0x84}:
        missing = {other: value for other, value in good.items() if other != tag}
        for changed in (missing, {**good, tag: good[tag][:-1]}, {**good, tag: good[tag] + b"\0"}):
            assert not verify_arqc(ISSUERS[scheme], PANS[scheme], 1, changed), f"{tag:X}"


@pytest.mark.parametrize(
    ("keys", "pan", "sequence", "fault"),
    [
        (ISSUERS["Visa"], "4761739001010010", 2, "tag 9F26 is not"),
        (ISSUERS["Visa"], "4111111111111111", 1, "tag 9F26 is not"),
        (ISSUERS["Amex"], "4761739001010010", 1, "another scheme"),
        (
            IssuerKeys("Visa", bytes.fromhex("A000000003"), bytes(16)),
            "4761739001010010",
            1,
            "tag 9F26 is not",
        ),
    ],
)
def test_the_cryptogram_belongs_to_one_card(
    keys: IssuerKeys, pan: str, sequence: int, fault: str
) -> None:
    found = arqc_fault(keys, pan, sequence, signed_sale("Visa", 10))
    assert found is not None
    assert fault in found
    assert pan not in found


@pytest.mark.parametrize(
    ("pan", "scheme"),
    [
        ("4761739001010010", "Visa"),
        ("5413330089020011", "Mastercard"),
        ("2223003122003222", "Mastercard"),
        ("6771798021000008", "Mastercard"),
        ("374245001741007", "Amex"),
        ("341111111111111", "Amex"),
        ("2220990000000000", None),
        ("2721000000000000", None),
        ("3569990010095841", "JCB"),
        ("3527000000000000", None),
        ("6011000990139424", "Discover"),
        ("6450000000000000", "Discover"),
        ("3600000000000000", "Discover"),
        ("6250946000000016", "UnionPay"),
        ("9999990000000000", None),
    ],
)
def test_the_issuer_follows_from_the_card_number(pan: str, scheme: str | None) -> None:
    assert issuer_of(pan) is (ISSUERS[scheme] if scheme else None)


# pyemv asks cryptography for triple DES in an old place and with keys of two thirds' length.
USES_PYEMV = pytest.mark.filterwarnings(
    "ignore:.*TripleDES:cryptography.utils.CryptographyDeprecationWarning"
)


@USES_PYEMV
@pytest.mark.parametrize("seed", [SEED])
def test_derivations_agree_with_pyemv(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(200):
        key = chance.randbytes(16)
        pan = "".join(chance.choices("0123456789", k=chance.randrange(12, 20)))
        sequence = chance.randrange(100)
        text = f"{sequence:02d}"
        assert icc_master_key_a(key, pan, sequence) == kd.derive_icc_mk_a(key, pan, text)
        assert icc_master_key_b(key, pan, sequence) == kd.derive_icc_mk_b(key, pan, text)
        diversifier = chance.randbytes(8)
        assert common_session_key(key, diversifier) == kd.derive_common_sk(key, diversifier)
        message = chance.randbytes(chance.randrange(1, 80))
        visa = ac.generate_ac(key, message, ac.PaddingType.VISA)
        assert mac(key, message, Padding.ZEROS) == visa
        emv = ac.generate_ac(key, message, ac.PaddingType.EMV)
        assert mac(key, message, Padding.MARKED) == emv


ORACLES: dict[tuple[str, int], Any] = {
    ("Visa", 10): cvn.VisaCVN10,
    ("Visa", 18): cvn.VisaCVN18,
    ("Mastercard", 16): cvn.MasterCardCVN16,
    ("Mastercard", 17): cvn.MasterCardCVN17,
    ("Mastercard", 20): cvn.MasterCardCVN20,
    ("Mastercard", 21): cvn.MasterCardCVN21,
}


def by_pyemv(scheme: str, number: int, data: dict[int, bytes]) -> tuple[bytes, bytes]:
    """The cryptogram and tag 91 of an approval, computed by the other library."""
    key = ISSUERS[scheme].master_key
    oracle = ORACLES[scheme, number](key, key, key, PANS[scheme], "01")
    args = {f"tag_{tag:x}": data[tag] for tag in CRYPTOGRAM_INPUT}
    iad = data[0x9F10]
    if scheme == "Mastercard":
        args["cvr"] = iad[2:8]
        if number % 2:
            args["counters"] = iad[10:18]
    elif number == 10:
        args["cvr"] = iad[3:7]
    else:
        args["tag_9f10"] = iad
    cryptogram = oracle.generate_ac(**args)
    answer = {"tag_9f26": cryptogram}
    if number in {18, 20, 21}:
        answer["tag_9f36"] = data[0x9F36]
    if number == 18:
        status_update = bytes.fromhex("00800000")
        return cryptogram, oracle.generate_arpc(**answer, csu=status_update) + status_update
    return cryptogram, oracle.generate_arpc(**answer, arpc_rc=b"00") + b"00"


@USES_PYEMV
@pytest.mark.parametrize(("scheme", "number"), list(ORACLES))
def test_cryptograms_and_answers_agree_with_pyemv(scheme: str, number: int) -> None:
    for seed in range(25):
        data = signed_sale(scheme, number, seed)
        answer = issuer_authentication_data(ISSUERS[scheme], PANS[scheme], 1, data, "00")
        assert (data[0x9F26], answer) == by_pyemv(scheme, number, data), f"seed {seed}"


def test_an_answer_needs_a_known_version() -> None:
    with pytest.raises(ValueError, match="9F10 names no cryptogram version"):
        issuer_authentication_data(ISSUERS["Visa"], PANS["Visa"], 1, {0x9F10: bytes(7)}, "00")


def test_keys_do_not_show_themselves() -> None:
    keys = ISSUERS["Visa"]
    assert keys.master_key.hex() not in repr(keys).lower()
    assert str(keys.master_key) not in repr(keys)
    with pytest.raises(ValueError, match="16 bytes"):
        IssuerKeys("Visa", bytes(5), bytes(15))
    with pytest.raises(ValueError, match="five bytes"):
        IssuerKeys("Visa", bytes(4), bytes(16))
