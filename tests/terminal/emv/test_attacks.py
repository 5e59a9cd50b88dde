"""Known attacks, each against a naive reader, where it works, and against this one.

The attacks are those of ``docs/kernels.md``. Each row is a function that plays the attacker; the
table below says what both readers made of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import pytest

from hardware_sim.ca import ca_public_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.profile import Profile
from hardware_sim.reader import open_reader
from terminal.emv.converse import converse
from terminal.emv.entry_point import ActionCodes, ReaderSettings, transact
from terminal.emv.oda import CaKeys, CaPublicKey
from terminal.emv.outcome import Cvm, Decision, Outcome
from terminal.emv.settings import TransactionRequest
from terminal.errors import ConfigError
from terminal.ports import SeveralCards
from tests.terminal.emv import scheme
from tests.terminal.emv.cards import fast_dda
from tests.terminal.emv.naive import Verdict, naive, objects_of
from tests.terminal.emv.scheme import VISA, directory, request, selected, tlv
from tests.terminal.emv.scheme import ca_keys as made_up_keys
from tests.terminal.emv.scheme import settings as one_combination
from tests.terminal.emv.taps import (
    OFFLINE,
    Between,
    changed,
    each_combination,
    offline,
    reader,
    tapped,
)

HIGH = 7500
"""Over the limit of cardholder verification."""


@dataclass(frozen=True)
class Met:
    """What the two readers made of the attack."""

    naive: Verdict
    ours: Outcome


def met(
    make: Callable[[], EmvCard],
    minor: int,
    settings: ReaderSettings,
    asked: TransactionRequest | None = None,
) -> Met:
    """Two cards of one making, one for each reader."""
    ask = asked or request(minor)
    believed = naive(make(), ask, settings)
    return Met(believed, tapped(make(), minor, settings).result)


def restating(tag: int, value: bytes, ins: int) -> Callable[[bytes, bytes], bytes]:
    """Somebody in between who writes another value of the same length over the card's."""

    def hear(command: bytes, answer: bytes) -> bytes:
        mark = tlv({tag: value})[: -len(value)]
        at = answer.find(mark) if command[1] == ins else -1
        if at < 0:
            return answer
        start = at + len(mark)
        return answer[:start] + value + answer[start + len(value) :]

    return hear


# -- qualifiers changed on the way -----------------------------------------------------------


def _stolen_card(card_id: str = "visa-debit", decision: str = "online") -> Profile:
    """A card that asks for a PIN over the limit."""
    profile = changed(card_id, behaviour={"cvm": "online-pin", "decision": decision})
    assert profile.application is not None
    return profile


def qualifiers_changed_offline() -> Met:
    """PIN bypass: "my device verified me" is written over "ask for the PIN"."""
    settings = each_combination(
        reader(floor_limit_minor=OFFLINE * 2), ttq=bytes.fromhex("26004000")
    )
    hear = restating(0x9F6C, bytes.fromhex("0080"), 0xA8)
    return met(lambda: Between(_stolen_card(decision="offline"), hear=hear), HIGH, settings)


def qualifiers_changed_with_signature() -> Met:
    """The same, and the reader asks for a signature with each cryptogram (TTQ byte 1, bit 1)."""
    settings = each_combination(reader(), ttq=bytes.fromhex("27004000"))
    hear = restating(0x9F6C, bytes.fromhex("0080"), 0xA8)
    return met(lambda: Between(_stolen_card(), hear=hear), HIGH, settings)


def qualifiers_changed_online() -> Met:
    """The same without a signature: the issuer has to say, and its own data says no device."""
    hear = restating(0x9F6C, bytes.fromhex("0080"), 0xA8)
    return met(lambda: Between(_stolen_card(), hear=hear), HIGH, reader())


def qualifiers_changed_where_signatures_are_required() -> Met:
    settings = each_combination(reader(), signed_device_cvm_only=True)
    hear = restating(0x9F6C, bytes.fromhex("0080"), 0xA8)
    return met(lambda: Between(_stolen_card(), hear=hear), HIGH, settings)


# -- one brand as another --------------------------------------------------------------------


class MixedUp(Between):
    """A Mastercard behind a phone that plays a Visa card to the reader (brand mix-up)."""

    def exchange(self, command: bytes) -> bytes:
        self.sent.append(command)
        inside = super(Between, self).exchange
        if command[5:7] == b"2P":
            return directory(VISA)
        if command[1] == 0xA4:
            return selected(VISA, {0x9F38: "9F66049F02069F37045F2A02"})
        if command[1] != 0xA8:
            return bytes.fromhex("6A83")
        inside(bytes.fromhex("00A404000E325041592E5359532E444446303100"))
        inside(bytes.fromhex("00A4040007A000000004101000"))
        inside(bytes.fromhex("80A8000002830000"))
        track = objects_of(inside(bytes.fromhex("00B2011C00")))[0x57]
        cdol = command[11:17] + bytes(6) + bytes(100)
        application = load_profile("mastercard-credit").application
        assert application is not None
        wanted = 6 + 6 + 2 + 5 + 2 + 3 + 1 + 4 + 1 + 2 + 8 + 3 + 3 + 20
        made = objects_of(
            inside(
                bytes.fromhex(f"80AE8000{wanted:02X}") + cdol[:wanted].ljust(wanted, b"\0") + b"\0"
            )
        )
        made = {tag: value for tag, value in made.items() if tag != 0x77}
        return tlv({0x77: tlv({0x82: "0000", 0x57: track, 0x9F6C: "0080", **made})}) + b"\x90\x00"


def brand_mixed_up() -> Met:
    return met(lambda: MixedUp(load_profile("mastercard-credit")), HIGH, reader())


# -- downgrades ------------------------------------------------------------------------------


def downgraded_to_mag_stripe() -> Met:
    """The bit for EMV mode is taken out of the profile (AIP), so that nothing is signed."""
    hear = restating(0x82, bytes.fromhex("1900"), 0xA8)
    return met(lambda: Between(load_profile("mastercard-credit"), hear=hear), 1250, reader())


def downgraded_to_no_signature() -> Met:
    """The bit for CDA is taken out, and the card is asked for an offline approval without it."""
    settings = reader(floor_limit_minor=OFFLINE)
    hear = restating(0x82, bytes.fromhex("1880"), 0xA8)
    return met(lambda: Between(offline("mastercard-credit"), hear=hear), 1250, settings)


def downgraded_to_static_data() -> Met:
    """The profile offers SDA alone, which a copy of the card passes too."""
    settings = reader(floor_limit_minor=OFFLINE)
    hear = restating(0x82, bytes.fromhex("5880"), 0xA8)
    return met(lambda: Between(offline("mastercard-credit"), hear=hear), 1250, settings)


def record_changed_and_signature_left_out() -> Met:
    """A later expiry in a record that the certificate covers, and action codes of zero."""
    careless = ActionCodes(online=bytes(5), default=bytes(5))
    settings = each_combination(reader(floor_limit_minor=OFFLINE), action_codes=careless)

    def hear(command: bytes, answer: bytes) -> bytes:
        return answer.replace(tlv({0x5F24: "311228"}), tlv({0x5F24: "391228"}))

    return met(lambda: Between(offline("mastercard-credit"), hear=hear), 1250, settings)


# -- relays ----------------------------------------------------------------------------------


class Far:
    """A card at the other end of a relay: every answer of a time-critical command takes 60 ms."""

    def __init__(self, chip: EmvCard) -> None:
        self._chip, self.now, self.technology = chip, 0.0, chip.technology

    def exchange(self, command: bytes) -> bytes:
        self.now += 0.060 if command[1] == 0xEA else 0.001
        return self._chip.exchange(command)

    def __call__(self) -> float:
        return self.now


def relayed_card() -> Met:
    """An offline approval from a card that is not here."""
    settings = reader(floor_limit_minor=OFFLINE)
    profile = offline("mastercard-credit")
    assert profile.application is not None
    profile = replace(profile, application=replace(profile.application, aip=bytes.fromhex("1981")))
    far = Far(Between(profile))
    asked = request(1250, relay_entropy=(b"1111", b"2222"))
    ours = converse(transact(asked, settings), far, monotonic=far).result
    return Met(naive(Between(profile), request(1250), settings), ours)


def express_transit_relayed() -> Met:
    """A locked phone takes the relay for a gate, pays at once and has asked nobody; the answer is
    changed on the way to say that it had."""
    settings = each_combination(reader(), ttq=bytes.fromhex("23004000"))
    locked = changed("visa-credit", card={"device": "phone"}, behaviour={"cvm": "none"})
    hear = restating(0x9F6C, bytes.fromhex("0080"), 0xA8)
    return met(lambda: Between(locked, hear=hear), HIGH, settings)


# -- the kind of cryptogram ------------------------------------------------------------------


def decline_hidden_on_generate_ac() -> Met:
    """The card declines (AAC), and the answer is changed to say that it approves."""
    settings = reader(floor_limit_minor=OFFLINE)
    profile = offline("mastercard-credit")
    profile = replace(profile, behaviour=replace(profile.behaviour, decision="decline"))
    hear = restating(0x9F27, b"\x40", 0xAE)
    return met(lambda: Between(profile, hear=hear), 1250, settings)


def decline_hidden_at_once() -> Met:
    """The same in one answer, and the records of an approval are pointed to as well."""
    settings = reader(floor_limit_minor=OFFLINE)
    profile = changed("visa-credit", behaviour={"decision": "decline"})

    def hear(command: bytes, answer: bytes) -> bytes:
        if command[1] != 0xA8:
            return answer
        body = restating(0x9F27, b"\x40", 0xA8)(command, answer)[2:-2]
        return tlv({0x77: body + tlv({0x94: "1801010110010200"})}) + b"\x90\x00"

    return met(lambda: Between(profile, hear=hear), 1250, settings)


def request_hidden_as_approval() -> Met:
    """The card wants the issuer asked (ARQC), and the answer is changed to an approval."""
    settings = reader(floor_limit_minor=OFFLINE)
    hear = restating(0x9F27, b"\x40", 0xAE)
    profile = offline("mastercard-credit")
    profile = replace(profile, behaviour=replace(profile.behaviour, decision="online"))
    return met(lambda: Between(profile, hear=hear), 1250, settings)


# -- keys and certificates -------------------------------------------------------------------


def issuer_of_another_account() -> Met:
    """A certificate chain that holds, of an issuer whose numbers begin otherwise."""

    def card() -> scheme.ScriptedCard:
        subject = fast_dda()
        static = tlv({0x5A: scheme.PAN, 0x5F24: "281231"})
        parts = scheme.certificates(static, prefix="411111FF")
        answers = dict(subject.answers)
        related = bytes.fromhex("01A1B2C3D40000")
        answers["00B20114"], answers["00B20214"] = scheme.key_records(parts, x9F69=related)
        return scheme.ScriptedCard(answers)

    settings = one_combination(VISA, 3, floor_limit_minor=100_000)
    believed = naive(card(), request(), settings)
    return Met(
        believed, converse(transact(request(), settings), card(), monotonic=lambda: 0.0).result
    )


def _with_key(change: Callable[[CaPublicKey], CaPublicKey]) -> ReaderSettings:
    keys = tuple(change(key) if key.rid == VISA[:5] else key for key in ca_public_keys())
    return reader(floor_limit_minor=OFFLINE, ca_keys=CaKeys(keys))


def stale_authority_key() -> Met:
    """The scheme's key has reached its last day, and was taken out of use since."""
    settings = _with_key(lambda key: replace(key, expires=date(2025, 12, 31)))
    return met(lambda: Between(offline("visa-credit")), 1250, settings)


def wrong_authority_key() -> Met:
    """One bit of the key has turned over, and no checksum came with it."""
    settings = _with_key(
        lambda key: replace(key, modulus=key.modulus[:-1] + bytes((key.modulus[-1] ^ 2,)))
    )
    return met(lambda: Between(offline("visa-credit")), 1250, settings)


def revoked_issuer() -> Met:
    keys = ca_public_keys()
    settings = reader(
        floor_limit_minor=OFFLINE,
        ca_keys=CaKeys(keys, frozenset({(VISA[:5], keys[0].index, bytes.fromhex("000001"))})),
    )
    return met(lambda: Between(offline("visa-credit")), 1250, settings)


NEVER = (
    each_combination(reader())
    .combinations[0]
    .action_codes.__class__(online=bytes(5), default=bytes(5))
)

SENT_ONLINE = (Decision.ONLINE_REQUEST,)
REFUSED = (Decision.DECLINED, Decision.END_APPLICATION, Decision.TRY_ANOTHER_INTERFACE)

# Attack, what the naive reader says, what this one does, and the reason it gives.
ATTACKS = [
    (qualifiers_changed_offline, "approved", REFUSED, "no cardholder verification"),
    (qualifiers_changed_with_signature, "online", REFUSED, "no cardholder verification"),
    (qualifiers_changed_online, "online", SENT_ONLINE, "online authorisation"),
    (
        qualifiers_changed_where_signatures_are_required,
        "online",
        REFUSED,
        "no cardholder verification",
    ),
    (brand_mixed_up, "online", REFUSED, "another scheme than its application"),
    (downgraded_to_mag_stripe, "approved", REFUSED, "mag-stripe mode only"),
    (downgraded_to_no_signature, "approved", SENT_ONLINE, "online authorisation"),
    (downgraded_to_static_data, "approved", SENT_ONLINE, "online authorisation"),
    (record_changed_and_signature_left_out, "approved", SENT_ONLINE, "online authorisation"),
    (relayed_card, "approved", SENT_ONLINE, "online authorisation"),
    (express_transit_relayed, "online", REFUSED, "no cardholder verification"),
    (decline_hidden_on_generate_ac, "approved", REFUSED, "did not sign"),
    (decline_hidden_at_once, "approved", REFUSED, "gave no signature"),
    (request_hidden_as_approval, "approved", REFUSED, "over another transaction"),
    (issuer_of_another_account, "approved", REFUSED, "belongs to another issuer"),
    (stale_authority_key, "approved", REFUSED, "CA key has expired"),
    (wrong_authority_key, "approved", REFUSED, "issuer certificate"),
    (revoked_issuer, "approved", REFUSED, "revoked"),
]


@pytest.mark.parametrize(
    ("attack", "believed", "ends", "reason"), ATTACKS, ids=[row[0].__name__ for row in ATTACKS]
)
def test_attack(
    attack: Callable[[], Met], believed: str, ends: tuple[Decision, ...], reason: str
) -> None:
    found = attack()
    assert found.naive.word == believed
    assert found.ours.decision in ends, (found.ours.decision, found.ours.reason)
    assert reason in found.ours.reason


def test_the_naive_reader_lets_a_thief_go_without_a_pin() -> None:
    for attack in (qualifiers_changed_online, brand_mixed_up, express_transit_relayed):
        assert attack().naive.verified == "on the device"


def test_a_corrupted_key_is_refused_when_it_is_loaded() -> None:
    """As proxmark3's issue 3081 has it: a key of a public list with its checksum beside it."""
    key = ca_public_keys()[0]
    with pytest.raises(ConfigError, match="checksum"):
        replace(key, modulus=key.modulus[:-1] + b"\x01", checksum=key.sha1())


def test_a_torn_sale_is_charged_once() -> None:
    """The card approves offline and leaves unheard. A naive reader makes a second cryptogram of the
    second tap, and both are good for money; this one gets the first."""
    profile = offline("mastercard-credit", x9F51=bytes.fromhex("9F37049F0206"))
    settings = reader(floor_limit_minor=OFFLINE)
    other = bytes.fromhex("0BADCAFE")
    chip = Between(profile)
    first = naive(chip, request(1250), settings)
    chip.reset()
    second = naive(chip, request(1250, unpredictable_number=other), settings)
    assert (first.word, second.word) == ("approved", "approved")
    assert first.cryptogram != second.cryptogram

    whole = Between(profile)
    tapped(whole, 1250, settings)
    torn_chip = Between(profile, cut=len(whole.sent))
    torn = tapped(torn_chip, 1250, settings).result
    assert torn.torn is not None
    counter = len([command for command in torn_chip.sent if command[1] == 0xAE])
    again = tapped(torn_chip, 1250, settings, torn=(torn.torn,), unpredictable_number=other).result
    assert again.decision is Decision.APPROVED
    assert len([command for command in torn_chip.sent if command[1] == 0xAE]) == counter == 1
    assert again.chip_data[0x9F37] != other


def test_two_cards_are_not_chosen_between() -> None:
    """A reader that finds two cards says so; no dialogue begins (``drivers/contract.py``)."""
    device = open_reader("sim:two-cards")
    try:
        found = device.wait_for_card(timeout_s=5.0, cancelled=lambda: False)
        assert isinstance(found, SeveralCards)
    finally:
        device.close()


def test_ours_takes_the_honest_card() -> None:
    """The control: what the attacks are made of is taken where nobody is in between."""
    settings = reader(floor_limit_minor=OFFLINE)
    for card_id in ("visa-credit", "mastercard-credit"):
        found = met(partial(Between, offline(card_id)), 1250, settings)
        assert (found.naive.word, found.ours.decision) == ("approved", Decision.APPROVED)
    phone = changed("visa-credit", behaviour={"cvm": "device"})
    assert met(lambda: Between(phone), HIGH, reader()).ours.cvm is Cvm.CONFIRMATION_CODE
    assert made_up_keys(VISA).keys
