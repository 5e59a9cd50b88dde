"""Card profiles: every one that comes along, and what a wrong one is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hardware_sim.card import EmvCard
from hardware_sim.catalogue import card_ids, load_profile
from hardware_sim.personalisation import personalise
from terminal.errors import ConfigError

CARD = """
[card]
title = "Own card"
subtitle = "made for a test"
colour = "#101010"
"""
PAYING = (
    CARD
    + """
[account]
pan = "4111111111111111"
expiry = "3112"
[application]
aid = "A0000000031010"
label = "OWN"
keys = "Visa"
flow = "gpo"
cvn = 10
aip = "2000"
pdol = "9F66049F02069F03069F1A0295055F2A029A039C019F3704"
"""
)


def written(folder: Path, text: str, name: str = "own") -> str:
    path = folder / f"{name}.toml"
    path.write_text(text, "utf-8")
    return str(path)


def test_the_cards_that_come_along() -> None:
    pictures = [name for name in card_ids() if load_profile(name).card.bench]
    assert pictures[:4] == ["visa-credit", "visa-debit", "visa-no-oda", "visa-offline"]
    assert 20 <= len(pictures) <= 32, "as many as a bench has room for"
    assert len(card_ids()) >= 90


@pytest.mark.parametrize("card_id", card_ids())
def test_a_card_says_what_it_is(card_id: str) -> None:
    profile = load_profile(card_id)
    assert profile.id == card_id
    assert profile.card.title
    assert profile.card.subtitle
    assert profile.radio.technology


def test_no_two_cards_share_an_account() -> None:
    accounts = [profile.account for profile in map(load_profile, card_ids()) if profile.account]
    assert len({account.pan for account in accounts}) == len(accounts)


@pytest.mark.parametrize("card_id", card_ids())
def test_a_profile_does_not_show_its_card_number(card_id: str) -> None:
    profile = load_profile(card_id)
    shown = repr(profile) + repr(personalise(profile))
    if profile.account is not None:
        assert profile.account.pan not in shown
        assert profile.account.track2.hex() not in shown
        assert repr(profile.account.track2)[2:-1] not in shown


def test_extends_takes_what_the_file_does_not_say() -> None:
    base, watch = load_profile("mastercard-credit"), load_profile("mastercard-watch")
    assert base.application is not None
    assert watch.application is not None
    assert watch.card.title == "Watch"
    assert watch.card.scheme == base.card.scheme == "Mastercard"
    assert watch.application.cdol1 == base.application.cdol1
    assert watch.application.record[0x9F0D] == base.application.record[0x9F0D]
    assert watch.application.record[0x8E] != base.application.record[0x8E]


def test_a_file_of_ones_own_extends_a_card_of_the_catalogue_and_a_neighbour(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "visa-debit"\n[card]\ntitle = "Base"\n', "base")
    name = written(tmp_path, 'extends = "base"\n[account]\npan = "4111111111111111"\n')
    profile = load_profile(name)
    assert profile.account is not None
    assert (profile.id, profile.card.title) == ("own", "Base")
    assert profile.account.pan == "4111111111111111"
    assert profile.behaviour.cvm == "online-pin"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[card", "own.toml: the card profile cannot be read"),
        ("colour = 1", "own.toml: the file has an unknown key 'colour'"),
        (CARD + "colur = 1", "own.toml: [card] has an unknown key 'colur'"),
        ("[card]\ntitle = 'x'", "own.toml: [card] subtitle: is missing"),
        ("card = 1", "own.toml: card: expected a section [card]"),
        (CARD.replace("#101010", "red"), "[card] colour: expected a colour like #1A1F71"),
        (CARD + "order = '1'", "[card] order: expected a whole number"),
        (CARD + "order = true", "[card] order: expected a whole number"),
        (CARD + "order = 1000", "[card] order: expected 0 to 999"),
        (CARD + "presents = 'ghost'", "[card] presents: expected one of card|tag"),
        (CARD + "[radio]\nuid = '0G'", "[radio] uid: expected pairs of hexadecimal digits"),
        (CARD + "[radio]\nuid = 11", "[radio] uid: expected pairs of hexadecimal digits"),
        (CARD + "[behaviour]\nlocked = 1", "[behaviour] locked: expected true or false"),
        (CARD + "[account]\npan = '1'", "[account] and [application] come together"),
        (PAYING.replace('"4111111111111111"', "4111111111111111"), "pan: expected text in quotes"),
        (PAYING.replace("4111111111111111", "4111111111111112"), "pan: the check digit is wrong"),
        (PAYING.replace("3112", "3113"), "[account] expiry: expected a year and a month like 3112"),
        (PAYING.replace("A0000000031010", "A000"), "[application] aid: expected 5 to 16 bytes"),
        (PAYING.replace('"2000"', '"20"'), "[application] aip: expected 2 bytes"),
        (PAYING.replace("cvn = 10", "cvn = 17"), "[application] cvn: the issuer knows 10, 18"),
        (PAYING.replace("gpo", "tap"), "[application] flow: expected one of gpo|generate-ac"),
        (PAYING.replace("gpo", "generate-ac"), "cdol1: the generate-ac flow needs one"),
        (PAYING.replace("9F3704", ""), "[application] pdol: the cryptogram needs 9F37 too"),
        (PAYING.replace("9F3704", "9F37"), "pdol: a data object list ends in the middle"),
        (PAYING + "[application.fci]\n5F2D = 'xy'", "fci.5F2D: expected pairs of hexadecimal"),
        (PAYING + "fci = 1", "[application] fci: expected a table of tags"),
        ('extends = "own"', "own.toml: extends: the profiles extend each other in a circle"),
        ("extends = 1", "own.toml: extends: expected the name of a profile"),
        ('extends = "nobody"', "There is no simulated card 'nobody'. Use one of: amex,"),
    ],
)
def test_a_wrong_profile_is_told_the_file_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_profile(written(tmp_path, text))
    assert message in str(caught.value)
    assert "411111111111111" not in str(caught.value)


def test_a_right_profile_is_read(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, PAYING))
    assert profile.account is not None
    assert profile.account.track2.hex() == "4111111111111111d31122010000000000"[:34]


@pytest.mark.parametrize("name", ["../visa-credit", "nobody", "", "visa-credit.tom"])
def test_only_the_catalogue_is_searched(name: str) -> None:
    with pytest.raises(ConfigError, match="There is no simulated card"):
        load_profile(name)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nobody\.toml: the card profile cannot be read"):
        load_profile(str(tmp_path / "nobody.toml"))


def test_a_card_may_have_several_applications() -> None:
    chip = EmvCard(load_profile("maestro-or-visa"))
    directory = chip.exchange(bytes.fromhex("00A404000E325041592E5359532E444446303100"))
    first, second = bytes.fromhex("4F07A0000000043060"), bytes.fromhex("4F07A0000000031010")
    assert 0 < directory.find(first) < directory.find(second)
    for aid in ("A0000000031010", "A0000000043060"):
        answer = chip.exchange(bytes.fromhex(f"00A4040007{aid}00"))
        assert answer[-2:] == b"\x90\x00"
        assert bytes.fromhex(f"8407{aid}") in answer


def test_a_partial_name_finds_one_application_after_the_other() -> None:
    chip = EmvCard(load_profile("credit-and-debit"))
    found = [chip.exchange(bytes.fromhex("00A4040005A00000000300"))]
    found += [chip.exchange(bytes.fromhex("00A4040205A00000000300")) for _ in range(2)]
    assert [answer[-2:].hex() for answer in found] == ["9000", "9000", "6a82"]
    assert found[0] != found[1]


def test_a_card_for_contacts_has_no_contactless_directory() -> None:
    chip = EmvCard(load_profile("contact-only"))
    directory = chip.exchange(bytes.fromhex("00A404000E325041592E5359532E444446303100"))
    assert directory.hex() == "6a82"
    assert chip.exchange(bytes.fromhex("00A4040007A000000003101000"))[-2:] == b"\x90\x00"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('also = "visa-debit"\n' + PAYING, "also: expected a list of names"),
        ('also = ["id-card"]\n' + PAYING, "each has to be a card with one application"),
        ('also = ["visa-or-maestro"]\n' + PAYING, "each has to be a card with one application"),
        (PAYING + 'errors = "wrong-ca sticky"\n', "errors: expected names of wrong-ca,"),
        (PAYING + 'signs = "yes"\n', "signs: expected one of dynamic|static|no"),
        (PAYING + 'key_set = "huge"\n', "key_set: expected one of standard|small|large"),
    ],
)
def test_what_is_new_in_profiles_is_checked(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_profile(written(tmp_path, text))
