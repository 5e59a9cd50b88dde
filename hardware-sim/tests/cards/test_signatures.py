"""The cards' signatures, opened by the terminal's own offline data authentication."""

from __future__ import annotations

from datetime import date

import pytest

from hardware_sim.ber import concatenated
from hardware_sim.ca import AUTHORITY_INDEX, RIDS, RsaKey, ca_public_keys, scheme_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.personalisation import personalise
from hardware_sim.profile import Application
from terminal.emv import oda
from terminal.emv.tlv import decode, walk
from terminal.errors import AuthenticationFailed

TODAY = date(2026, 11, 23)
UNPREDICTABLE = bytes.fromhex("AABBCCDD")
AMOUNT, CURRENCY = bytes.fromhex("000000001250"), bytes.fromhex("0978")
VISA_PDOL_DATA = (
    bytes.fromhex("23804000")
    + AMOUNT
    + bytes(6)
    + bytes.fromhex("0250")
    + bytes(5)
    + CURRENCY
    + bytes.fromhex("26112300")
    + UNPREDICTABLE
)
PAYING = [card_id for card_id in card_ids() if load_profile(card_id).application]
SIGNING = [
    card_id
    for card_id in PAYING
    if (application := load_profile(card_id).application)
    and application.signs == "dynamic"
    # What is wrong with a card on purpose is for the kernels' tests and the scenario book.
    and not application.errors
    and load_profile(card_id).behaviour.decision != "decline"
]


def application_of(card_id: str) -> Application:
    application = load_profile(card_id).application
    assert application is not None
    return application


def objects_of(answer: bytes) -> dict[int, bytes]:
    assert answer[-2:] == b"\x90\x00"
    return {each.tag: each.value for each in walk(decode(answer[:-2]))}


def apdu(head: str, data: bytes) -> bytes:
    return bytes.fromhex(head) + bytes((len(data),)) + data + b"\0"


def selected(card_id: str) -> EmvCard:
    """The card, with its owner's consent and its application selected."""
    chip = EmvCard(load_profile(card_id), seed=7)
    select = apdu("00A40400", application_of(card_id).aid)
    if load_profile(card_id).behaviour.locked:
        chip.exchange(select)
        chip.exchange(apdu("80A80000", options_of(card_id)))
        chip.reset()
    chip.exchange(select)
    return chip


def options_of(card_id: str) -> bytes:
    """The data of GET PROCESSING OPTIONS: the sale's, or zeros for an application of that kind."""
    if application_of(card_id).flow == "gpo":
        return b"\x83\x21" + VISA_PDOL_DATA
    pdol = bytes(sum(length for _, length in dol_of(application_of(card_id).pdol)))
    return bytes((0x83, len(pdol))) + pdol


def certificates_of(chip: EmvCard) -> dict[int, bytes]:
    """What the records of the certificates hold, however many there are."""
    read: dict[int, bytes] = {}
    for number in range(1, 6):
        answer = chip.exchange(bytes((0x00, 0xB2, number, 0x14, 0x00)))
        if answer[-2:] != b"\x90\x00":
            return read
        read |= objects_of(answer)
    return read


def card_key(card_id: str, chip: EmvCard) -> oda.RsaPublicKey:
    """The card's public key by way of the authority and the issuer, as a kernel gets it."""
    static = chip.exchange(bytes.fromhex("00B2011C00"))
    read = objects_of(static) | certificates_of(chip)
    (template,) = decode(static[:-2])
    account = load_profile(card_id).account
    assert account is not None
    application = application_of(card_id)
    certificates = oda.Certificates(
        read[0x8F][0], read[0x90], read[0x92], read[0x9F32], read[0x9F46], read[0x9F48], b"\x03"
    )
    keys = oda.CaKeys(ca_public_keys())
    on = min(TODAY, date(2000 + int(account.expiry[:2]), int(account.expiry[2:]), 1))
    issuer = oda.issuer_key(RIDS[application.keys], certificates, keys, on=on)
    oda.check_issuer_identifier(issuer, account.pan)
    signed = template.value + application.aip
    return oda.icc_key(issuer, certificates, signed, pan=account.pan, on=on)


@pytest.mark.parametrize(
    "card_id",
    [
        name
        for name in SIGNING
        if application_of(name).flow == "gpo" and application_of(name).keys != "Discover"
    ],
)
def test_fast_dda_verifies_and_binds_the_sale(card_id: str) -> None:
    chip = selected(card_id)
    paid = objects_of(chip.exchange(apdu("80A80000", b"\x83\x21" + VISA_PDOL_DATA)))
    key = card_key(card_id, chip)
    last = certificates_of(chip)
    terminal_data = UNPREDICTABLE + AMOUNT + CURRENCY + last[0x9F69]
    assert last[0x9F69][5:7] == paid[0x9F6C]
    signed = oda.verify_dynamic(key, paid[0x9F4B], terminal_data)
    assert signed.data == b"\x02" + paid[0x9F36]
    for position in range(len(terminal_data)):
        changed = bytearray(terminal_data)
        changed[position] ^= 1
        with pytest.raises(AuthenticationFailed):
            oda.verify_dynamic(key, paid[0x9F4B], bytes(changed))


@pytest.mark.parametrize(
    "card_id", [name for name in SIGNING if application_of(name).flow == "generate-ac"]
)
def test_combined_authentication_verifies_and_binds_the_sale(card_id: str) -> None:
    chip = selected(card_id)
    options = options_of(card_id)
    pdol = options[2:]
    chip.exchange(apdu("80A80000", options))
    key = card_key(card_id, chip)
    fields = {
        0x9F02: AMOUNT,
        0x5F2A: CURRENCY,
        0x9F37: UNPREDICTABLE,
    }
    cdol = b"".join(
        fields.get(tag, bytes(length)) for tag, length in dol_of(application_of(card_id).cdol1)
    )
    answer = chip.exchange(apdu("80AE9000", cdol))
    paid = objects_of(answer)
    shown = {tag: value for tag, value in paid.items() if tag not in {0x77, 0x9F4B}}
    transaction = pdol + cdol + concatenated(shown)
    signed = oda.verify_combined(
        key, paid[0x9F4B], unpredictable_number=UNPREDICTABLE, transaction_data=transaction
    )
    assert signed.cryptogram_information == 0x80
    assert len(signed.cryptogram) == len(signed.dynamic_number) == 8
    for position in range(len(transaction)):
        changed = bytearray(transaction)
        changed[position] ^= 1
        with pytest.raises(AuthenticationFailed):
            oda.verify_combined(
                key,
                paid[0x9F4B],
                unpredictable_number=UNPREDICTABLE,
                transaction_data=bytes(changed),
            )


def test_an_answer_to_options_can_be_signed_with_its_cryptogram() -> None:
    chip = selected("discover")
    answer = chip.exchange(apdu("80A80000", b"\x83\x21" + VISA_PDOL_DATA))
    paid = objects_of(answer)
    shown = {tag: value for tag, value in paid.items() if tag not in {0x77, 0x9F4B}}
    signed = oda.verify_combined(
        card_key("discover", chip),
        paid[0x9F4B],
        unpredictable_number=UNPREDICTABLE,
        transaction_data=VISA_PDOL_DATA + concatenated(shown),
    )
    assert signed.cryptogram == paid[0x9F26]
    assert signed.cryptogram_information == paid[0x9F27][0] == 0x80


def dol_of(dol: bytes) -> list[tuple[int, int]]:
    """A data object list whose tags all have one byte, or two that begin with 9F or 5F."""
    entries, at = [], 0
    while at < len(dol):
        size = 2 if dol[at] in {0x9F, 0x5F} else 1
        entries.append((int.from_bytes(dol[at : at + size], "big"), dol[at + size]))
        at += size + 1
    return entries


def test_a_card_without_keys_has_no_certificates() -> None:
    chip = personalise(load_profile("visa-no-oda"))
    assert chip is not None
    assert chip.key is None
    assert set(chip.records) == {(3, 1)}
    assert chip.afl_signed == chip.afl_static == bytes.fromhex("18010100")


def test_the_authorities_are_known_by_their_schemes() -> None:
    keys = ca_public_keys()
    standard = [key for key in keys if key.index == AUTHORITY_INDEX]
    assert [key.rid.hex().upper() for key in standard] == [
        *("A000000003", "A000000004", "A000000025"),
        *("A000000065", "A000000152", "A000000333"),
    ]
    assert len({key.modulus for key in standard}) == len(standard)
    assert {(key.index, len(key.modulus) * 8) for key in keys} == {
        *((0xE1, 1408), (0xE2, 1024), (0xE3, 1984)),
    }


@pytest.mark.parametrize("scheme", RIDS)
@pytest.mark.parametrize("role", ["authority", "issuer", "card"])
def test_the_test_keys_are_sound(scheme: str, role: str) -> None:
    key: RsaKey = getattr(scheme_keys(scheme), role)
    assert len(key.modulus) == {"authority": 176, "issuer": 144, "card": 128}[role]
    block = b"\x6a" + bytes(range(key.size - 2)) + b"\xbc"
    signature = int.from_bytes(key.sign(block), "big")
    assert pow(signature, 3, key.p * key.q).to_bytes(key.size, "big") == block
    with pytest.raises(ValueError, match="a block for this key has"):
        key.sign(block[1:])
