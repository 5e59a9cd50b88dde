"""What leaves sealing: an envelope for one sale and one reader of it, a token, a fingerprint."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import string
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from drivers.keystore import HEADER_SIZE, SUITE, HpkeSealer
from terminal.card import CardData, Pan, Track2
from terminal.errors import CardError
from terminal.money import Amount, Currency
from terminal.tokens import (
    FIRST_EPOCH,
    TOKEN_BYTES,
    Binding,
    SealedCard,
    binding_info,
    fingerprint_of,
    parse_plaintext,
    plaintext_of,
    seal,
    token_of,
)

EUR = Currency.of("EUR")
AT = datetime(2026, 4, 1, 8, 30, 15, tzinfo=UTC)
BINDING = Binding("TAPTILL1", 17, "sale_1", "000000", Amount(1250, EUR), AT)
CARD = CardData(
    pan=Pan("4761739001010010"),
    expiry_yymm="2812",
    sequence=1,
    track2=Track2("4761739001010010D28122010000000001"),
    par="V0010013018036776997406844055",
)
ACQUIRER = X25519PrivateKey.generate()


@dataclass(frozen=True, slots=True)
class Keys:
    """A key store with the root key in sight."""

    root: bytes = bytes(32)
    level: str = "sim"

    def mac(self, label: str, data: bytes) -> bytes:
        return hmac.digest(self.root + label.encode(), data, "sha256")


def _seal(card: CardData = CARD, keys: Keys = Keys(), seed: int = 0) -> SealedCard:
    sealer = HpkeSealer(ACQUIRER.public_key())
    random_bytes = random.Random(seed).randbytes(TOKEN_BYTES)
    return seal(card, BINDING, sealer=sealer, keystore=keys, random=random_bytes)


def _open(envelope: bytes, info: bytes, key: X25519PrivateKey = ACQUIRER) -> bytes:
    return SUITE.decrypt(envelope[HEADER_SIZE:], key, info)


KEY_ID = HpkeSealer(ACQUIRER.public_key()).key_id
FACTS: dict[str, object] = {
    "terminal_id": "TAPTILL1",
    "sequence": 17,
    "txn_id": "sale_1",
    "processing_code": "000000",
    "amount_minor": 1250,
    "currency_number": 978,
    "transmitted": "0401083015",
    "key_id": KEY_ID,
}


def _info(**changes: object) -> bytes:
    return binding_info(**{**FACTS, **changes})  # type: ignore[arg-type]  # a table's values


# -- the envelope --------------------------------------------------------------------------------


def test_the_acquirer_opens_it_with_the_facts_of_the_message() -> None:
    card = parse_plaintext(_open(_seal().envelope, _info()))
    assert card == CARD
    assert card.pan.reveal() == "4761739001010010"


OTHER_SALES: dict[str, object] = {
    "terminal_id": "TAPTILL2",
    "sequence": 18,
    "txn_id": "sale_2",
    "processing_code": "200000",
    "amount_minor": 1251,
    "currency_number": 840,
    "transmitted": "0401083016",
    "key_id": "0" * 16,
}


@pytest.mark.parametrize("fact", FACTS)
def test_it_opens_for_no_other_sale(fact: str) -> None:
    assert OTHER_SALES.keys() == FACTS.keys()
    with pytest.raises(InvalidTag):
        _open(_seal().envelope, _info(**{fact: OTHER_SALES[fact]}))


def test_it_opens_with_no_other_key() -> None:
    with pytest.raises(InvalidTag):
        _open(_seal().envelope, _info(), X25519PrivateKey.generate())


@pytest.mark.parametrize("seed", range(20))
def test_it_opens_with_no_byte_changed(seed: int) -> None:
    chance = random.Random(seed)
    envelope = bytearray(_seal().envelope)
    envelope[chance.randrange(HEADER_SIZE, len(envelope))] ^= 1 << chance.randrange(8)
    # A changed point may also be one that no key agrees on.
    with pytest.raises((InvalidTag, ValueError)):
        _open(bytes(envelope), _info())


def test_parts_cannot_slide_into_each_other() -> None:
    assert _info(terminal_id="AB", txn_id="C") != _info(terminal_id="A", txn_id="BC")
    assert _info(sequence=1, txn_id="7sale") != _info(sequence=17, txn_id="sale")


@pytest.mark.parametrize(
    "other",
    [
        replace(BINDING, transmitted_at=AT + timedelta(seconds=1)),
        replace(BINDING, amount=Amount(1250, Currency.of("USD"))),
        replace(BINDING, sequence=18),
    ],
)
def test_a_binding_is_what_its_sale_is(other: Binding) -> None:
    assert BINDING.info(KEY_ID) == _info()
    assert other.info(KEY_ID) != _info()


CARDS = [
    CARD,
    CardData(pan=Pan("47617390"), expiry_yymm="2801"),
    CardData(pan=Pan("6" * 19), expiry_yymm="9912", sequence=99),
    replace(CARD, track2=None),
    replace(CARD, par=None, sequence=None),
]


@pytest.mark.parametrize("card", CARDS, ids=range(len(CARDS)))
def test_what_is_sealed_comes_back_whole(card: CardData) -> None:
    assert parse_plaintext(plaintext_of(card)) == card


def test_the_length_says_nothing_about_the_account_number() -> None:
    lengths = {
        len(plaintext_of(CardData(pan=Pan("4" * digits), expiry_yymm="2812")))
        for digits in range(8, 20)
    }
    assert len(lengths) == 1
    assert lengths.pop() % 64 == 0


GOOD = json.loads(plaintext_of(CARD))
BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"4761739001010010",
    "a list": b"[4761739001010010]",
    "a string": b'"4761739001010010"',
    "another schema": json.dumps({**GOOD, "schema": "taptill/card/2"}).encode(),
    "no number": json.dumps({k: v for k, v in GOOD.items() if k != "pan"}).encode(),
    "number of another type": json.dumps({**GOOD, "pan": 4761739001010010}).encode(),
    "letters in the number": json.dumps({**GOOD, "pan": "4761739001010010x"}).encode(),
    "expiry": json.dumps({**GOOD, "expiry": "2813"}).encode(),
    "track": json.dumps({**GOOD, "track2": "4761739001010010"}).encode(),
    "not UTF-8": b'{"pan": "\xff4761739001010010"}',
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_is_not_quoted(case: str) -> None:
    with pytest.raises(CardError) as caught:
        parse_plaintext(BROKEN[case])
    said = f"{caught.value!r} {caught.value}"
    assert "4761" not in said
    # Not even behind it, where a debugger would look.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


# -- the token -----------------------------------------------------------------------------------


def test_a_token_is_its_random_bytes_and_nothing_of_the_card() -> None:
    first, again = _seal(), _seal(replace(CARD, pan=Pan("5413330089604111"), track2=None))
    assert first.token == again.token
    assert _seal(seed=1).token != first.token
    assert first.token.startswith("tok_")
    assert len(first.token) == 4 + 32
    assert set(first.token[4:]) <= set(string.ascii_lowercase + "234567")


@pytest.mark.parametrize("count", [0, 19, 21])
def test_a_token_has_160_bits(count: int) -> None:
    with pytest.raises(AssertionError, match="20 random bytes"):
        token_of(bytes(count))


# -- the fingerprint -----------------------------------------------------------------------------


def test_a_card_that_returns_is_recognised() -> None:
    first, again = _seal(seed=1), _seal(replace(CARD, expiry_yymm="3012", sequence=2), seed=2)
    assert first.fingerprint == again.fingerprint == fingerprint_of(CARD.pan, Keys())
    assert first.par_fingerprint == again.par_fingerprint
    assert first.fingerprint_epoch == FIRST_EPOCH
    assert first.envelope != again.envelope


def test_fingerprints_are_keyed_and_128_bits() -> None:
    here, there = _seal(keys=Keys(b"a" * 32)), _seal(keys=Keys(b"b" * 32))
    for mine, theirs in (
        (here.fingerprint, there.fingerprint),
        (here.par_fingerprint, there.par_fingerprint),
    ):
        assert mine != theirs
        assert len(bytes.fromhex(mine)) == 16
    assert here.fingerprint != here.par_fingerprint


def test_a_fingerprint_is_no_plain_hash() -> None:
    pan = CARD.pan.reveal().encode()
    plain = {hashlib.new(name, pan).hexdigest()[:32] for name in ("md5", "sha1", "sha256")}
    assert _seal().fingerprint not in plain


def test_numbers_have_fingerprints_of_their_own() -> None:
    chance = random.Random(4)
    pans = {f"{chance.randrange(10**15, 10**16)}" for _ in range(300)} | {"4" * 8, "4" * 9}
    assert len({fingerprint_of(Pan(pan), Keys()) for pan in pans}) == len(pans)


def test_a_card_without_a_payment_account_reference_has_no_print_of_it() -> None:
    assert _seal(replace(CARD, par=None)).par_fingerprint == ""


def test_what_is_left_of_a_card_shows_four_digits() -> None:
    sealed = _seal()
    assert sealed.masked_pan == "•••• 0010"
    assert "envelope" not in repr(sealed)
    assert CARD.pan.reveal()[:6] not in repr(sealed)
