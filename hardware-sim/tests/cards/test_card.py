"""The simulated card, command by command."""

from __future__ import annotations

import random

import pytest

from hardware_sim.ber import read_dol
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from terminal.emv.tlv import decode, walk

SEED = 20261123

PPSE = "00A404000E325041592E5359532E444446303100"
SELECT_VISA = "00A4040007A000000003101000"
SELECT_MASTERCARD = "00A4040007A000000004101000"
# TTQ: qVSDC, signature, ODA for online authorisations; online cryptogram required.
TTQ_SIGNED, TTQ_PLAIN, TTQ_OFFLINE = "23804000", "22804000", "23004000"
REST = "00000000125000000000000002500000000000097826112300AABBCCDD"
GPO_VISA = "80A80000238321" + TTQ_SIGNED + REST + "00"
GPO_MASTERCARD = "80A8000002830000"
CDOL1 = (
    "000000001250"
    "000000000000"
    "0250"
    "0000000000"
    "0978"
    "261123"
    "00"
    "AABBCCDD"
    "22"
    "0000"
    "0000000000000000"
    "1F0302"
    "120000" + "00" * 20
)
GENERATE_ARQC = "80AE800042" + CDOL1 + "00"
GENERATE_ARQC_CDA = "80AE900042" + CDOL1 + "00"
READ_STATIC, READ_ISSUER, READ_CARD = "00B2011C00", "00B2011400", "00B2021400"


def card(card_id: str, *, seed: int = 7) -> EmvCard:
    return EmvCard(load_profile(card_id), seed=seed)


def run(chip: EmvCard, *commands: str) -> bytes:
    """Sends the commands, all but the last of which must succeed; returns the last answer."""
    *first, last = commands
    for command in first:
        assert chip.exchange(bytes.fromhex(command))[-2:] == b"\x90\x00", command
    return chip.exchange(bytes.fromhex(last))


def objects_of(answer: bytes) -> dict[int, bytes]:
    assert answer[-2:] == b"\x90\x00"
    return {each.tag: each.value for each in walk(decode(answer[:-2]))}


SELECTED_VISA = [PPSE, SELECT_VISA]
PAID_VISA = [*SELECTED_VISA, GPO_VISA]
SELECTED_MASTERCARD = [PPSE, SELECT_MASTERCARD]
STARTED_MASTERCARD = [*SELECTED_MASTERCARD, GPO_MASTERCARD]
PAID_MASTERCARD = [*STARTED_MASTERCARD, GENERATE_ARQC]


@pytest.mark.parametrize(
    ("card_id", "before", "command", "status"),
    [
        # SELECT
        ("visa-credit", [], PPSE, "9000"),
        ("visa-credit", [], "00A404000E335041592E5359532E444446303100", "6A82"),
        ("visa-credit", [], SELECT_VISA, "9000"),
        ("visa-credit", [], "00A4040005A00000000300", "9000"),
        ("visa-credit", [], "00A4040205A00000000300", "6A82"),
        ("visa-credit", [], "00A4040004A000000000", "6A82"),
        ("visa-credit", [], SELECT_MASTERCARD, "6A82"),
        ("visa-credit", [], "00A4000007A000000003101000", "6A86"),
        ("visa-credit", [], "80A4040007A000000003101000", "6E00"),
        ("visa-credit", [], "00A40400", "6A82"),
        # GET PROCESSING OPTIONS
        ("visa-credit", SELECTED_VISA, GPO_VISA, "9000"),
        ("visa-credit", [], GPO_VISA, "6985"),
        ("visa-credit", [PPSE], GPO_VISA, "6985"),
        ("visa-credit", PAID_VISA, GPO_VISA, "6985"),
        ("visa-credit", SELECTED_VISA, GPO_MASTERCARD, "6700"),
        ("visa-credit", SELECTED_VISA, "80A8010002830000", "6A86"),
        ("visa-credit", SELECTED_VISA, "80A80000238421" + TTQ_SIGNED + REST + "00", "6A80"),
        ("visa-credit", SELECTED_VISA, "80A80000238320" + TTQ_SIGNED + REST + "00", "6700"),
        ("visa-credit", SELECTED_VISA, "80A80000", "6700"),
        ("visa-credit", SELECTED_VISA, "80A8000023832183804000" + REST + "00", "6985"),
        ("visa-credit", SELECTED_VISA, "00A80000" + GPO_VISA[8:], "6E00"),
        ("mastercard-credit", SELECTED_MASTERCARD, GPO_MASTERCARD, "9000"),
        ("mastercard-credit", SELECTED_MASTERCARD, GPO_VISA, "6700"),
        # READ RECORD
        ("visa-credit", PAID_VISA, READ_STATIC, "9000"),
        ("visa-credit", PAID_VISA, READ_CARD, "9000"),
        ("visa-credit", PAID_VISA, "00B2031400", "6A83"),
        ("visa-credit", PAID_VISA, "00B2012400", "6A82"),
        ("visa-credit", PAID_VISA, "00B2011800", "6A86"),
        ("visa-credit", SELECTED_VISA, READ_STATIC, "6985"),
        ("visa-no-oda", PAID_VISA, READ_ISSUER, "6A82"),
        ("mastercard-credit", STARTED_MASTERCARD, READ_STATIC, "9000"),
        # GENERATE AC
        ("mastercard-credit", STARTED_MASTERCARD, GENERATE_ARQC, "9000"),
        ("mastercard-credit", STARTED_MASTERCARD, GENERATE_ARQC_CDA, "9000"),
        ("mastercard-credit", SELECTED_MASTERCARD, GENERATE_ARQC, "6985"),
        ("mastercard-credit", PAID_MASTERCARD, GENERATE_ARQC, "6985"),
        ("mastercard-credit", STARTED_MASTERCARD, "80AE8000020000" + "00", "6700"),
        ("mastercard-credit", STARTED_MASTERCARD, "80AEC00042" + CDOL1 + "00", "6A86"),
        ("visa-credit", PAID_VISA, GENERATE_ARQC, "6985"),
        # GET DATA
        ("visa-credit", SELECTED_VISA, "80CA9F3600", "9000"),
        ("visa-credit", SELECTED_VISA, "80CA9F1300", "6A88"),
        # anything else
        ("visa-credit", SELECTED_VISA, "0084000008", "6D00"),
        ("visa-credit", SELECTED_VISA, "90A4040000", "6E00"),
        ("visa-credit", SELECTED_VISA, "00A4", "6700"),
        ("visa-credit", SELECTED_VISA, "00A404000EA0", "6700"),
        ("visa-credit", SELECTED_VISA, "", "6700"),
        # a chip card that pays nothing
        ("id-card", [], PPSE, "6A82"),
        ("id-card", [], SELECT_VISA, "6A82"),
        ("id-card", [], GPO_VISA, "6D00"),
    ],
)
def test_status_words(card_id: str, before: list[str], command: str, status: str) -> None:
    assert run(card(card_id), *before, command)[-2:].hex().upper() == status


def test_the_field_going_off_deselects() -> None:
    chip = card("visa-credit")
    run(chip, *SELECTED_VISA)
    chip.reset()
    assert run(chip, GPO_VISA).hex() == "6985"


@pytest.mark.parametrize(
    ("card_id", "before", "ttq", "cid", "signed"),
    [
        ("visa-credit", SELECTED_VISA, TTQ_SIGNED, 0x80, True),
        ("visa-credit", SELECTED_VISA, TTQ_PLAIN, 0x80, False),
        ("visa-credit", SELECTED_VISA, TTQ_OFFLINE, 0x80, True),
        ("visa-no-oda", SELECTED_VISA, TTQ_SIGNED, 0x80, False),
        ("visa-offline", SELECTED_VISA, TTQ_SIGNED, 0x80, True),
        ("visa-offline", SELECTED_VISA, TTQ_OFFLINE, 0x40, True),
        ("visa-offline", SELECTED_VISA, "22004000", 0x40, True),
        ("declined-by-card", SELECTED_VISA, TTQ_SIGNED, 0x00, False),
    ],
)
def test_what_a_visa_card_decides(
    card_id: str, before: list[str], ttq: str, cid: int, *, signed: bool
) -> None:
    answer = run(card(card_id), *before, "80A80000238321" + ttq + REST + "00")
    objects = objects_of(answer)
    assert objects[0x9F27] == bytes((cid,))
    assert (0x9F4B in objects, 0x94 in objects) == (signed, signed)
    assert objects[0x9F10][4] == 0x80 | cid >> 2


@pytest.mark.parametrize(
    ("reference_control", "cid", "combined"),
    [("80", 0x80, False), ("90", 0x80, True), ("00", 0x00, False), ("40", 0x80, False)],
)
def test_what_a_mastercard_card_decides(
    reference_control: str, cid: int, *, combined: bool
) -> None:
    command = f"80AE{reference_control}0042{CDOL1}00"
    objects = objects_of(run(card("mastercard-credit"), *STARTED_MASTERCARD, command))
    assert objects[0x9F27] == bytes((cid,))
    assert (0x9F4B in objects) is combined
    assert (0x9F26 in objects) is not combined


def test_cardholder_verification_that_a_visa_card_wants() -> None:
    # Bit 7 of byte 2: the reader requires verification. Byte 1: online PIN 04, signature 02.
    cases = [
        ("visa-credit", "23C04000", "4000"),
        ("visa-credit", "21C04000", "0000"),
        ("visa-credit", "23804000", "0000"),
        ("visa-debit", "27C04000", "8000"),
        ("visa-debit", "23C04000", "4000"),
        ("visa-offline", "27C04000", "0000"),
    ]
    for card_id, ttq, qualifiers in cases:
        answer = run(card(card_id), *SELECTED_VISA, "80A80000238321" + ttq + REST + "00")
        assert objects_of(answer)[0x9F6C].hex() == qualifiers, (card_id, ttq)


def test_a_phone_refuses_until_its_owner_has_unlocked_it_and_again_after_paying() -> None:
    phone = card("visa-phone")
    for _ in range(2):
        assert run(phone, *SELECTED_VISA, GPO_VISA).hex() == "6986"
        assert run(phone, GPO_VISA).hex() == "6986"
        phone.reset()
        objects = objects_of(run(phone, *SELECTED_VISA, GPO_VISA))
        assert objects[0x9F6C].hex() == "0080"
        assert objects[0x9F6E][0] & 0x1F == 3
        phone.reset()


def test_the_counter_counts_transactions_and_not_commands() -> None:
    chip = card("visa-credit")
    counters = []
    for _ in range(3):
        counters.append(objects_of(run(chip, *SELECTED_VISA, GPO_VISA))[0x9F36])
        chip.reset()
        assert objects_of(run(chip, *SELECTED_VISA, "80CA9F3600"))[0x9F36] == counters[-1]
        chip.reset()
    numbers = [int.from_bytes(counter, "big") for counter in counters]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


@pytest.mark.parametrize("card_id", ["visa-credit", "mastercard-credit", "amex", "visa-phone"])
def test_the_same_seed_gives_the_same_bytes(card_id: str) -> None:
    def everything(seed: int) -> list[bytes]:
        chip = card(card_id, seed=seed)
        select = SELECT_VISA if "visa" in card_id else SELECT_MASTERCARD
        commands = [PPSE, select, GPO_VISA, GPO_MASTERCARD, READ_CARD, GENERATE_ARQC_CDA]
        return [chip.exchange(bytes.fromhex(command)) for command in commands]

    assert everything(7) == everything(7)
    if card_id not in {"amex", "visa-phone"}:
        assert everything(7) != everything(8)


@pytest.mark.parametrize("card_id", card_ids())
def test_every_answer_is_a_short_apdu_whatever_is_sent(card_id: str) -> None:
    chance = random.Random(f"{SEED}{card_id}")
    chip = card(card_id)
    known = [PPSE, SELECT_VISA, SELECT_MASTERCARD, GPO_VISA, GPO_MASTERCARD, GENERATE_ARQC_CDA]
    known += [READ_STATIC, READ_ISSUER, READ_CARD]
    for _ in range(300):
        command = bytearray.fromhex(chance.choice(known))
        for _ in range(chance.choice([0, 0, 1, 2])):
            command[chance.randrange(len(command))] = chance.randrange(256)
        if chance.randrange(8) == 0:
            del command[chance.randrange(len(command)) :]
        answer = chip.exchange(bytes(command))
        assert 2 <= len(answer) <= 258, f"seed {SEED}"
        assert answer[-2] in {0x90, 0x63, 0x67, 0x69, 0x6A, 0x6D, 0x6E}, f"seed {SEED}"
        if chance.randrange(20) == 0:
            chip.reset()


@pytest.mark.parametrize("card_id", card_ids())
def test_the_lists_of_data_objects_ask_for_what_is_used(card_id: str) -> None:
    application = load_profile(card_id).application
    if application is not None:
        lengths = dict(read_dol(application.pdol) + read_dol(application.cdol1))
        assert lengths[0x9F37] == 4
        assert lengths[0x9F02] == 6
