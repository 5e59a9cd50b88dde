"""Phones, watches, key fobs and bracelets: which card is behind them, and who was asked."""

from __future__ import annotations

import pytest

from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from terminal.emv.outcome import Cvm, Decision, MessageId, Start
from tests.terminal.emv.cards import mastercard, mastercard_reader, options, visa
from tests.terminal.emv.scheme import VISA, request, settings, tap
from tests.terminal.emv.taps import Between, changed, each_combination, reader, tapped


def test_a_locked_phone_is_asked_once_and_pays_then() -> None:
    phone = EmvCard(load_profile("visa-phone"), seed=3)
    first = tapped(phone, 7500, reader()).result
    assert (first.decision, first.start) == (Decision.TRY_AGAIN, Start.B)
    assert first.ui is not None
    assert first.ui.message is MessageId.SEE_PHONE
    second = tapped(phone, 7500, reader(), restarted=True).result
    assert (second.decision, second.cvm) == (Decision.ONLINE_REQUEST, Cvm.CONFIRMATION_CODE)
    assert (second.device, second.last4) == ("phone", "4711")
    assert second.card is not None
    assert second.card.par is not None
    # What names the person or the card behind it is for the till, and not for the host's DE 55.
    assert not {0x9F24, 0x9F25}.intersection(second.chip_data)


@pytest.mark.parametrize("stated", ["47", "471A", "004711", ""])
def test_last_digits_that_are_none(stated: str) -> None:
    subject = visa(options(x9F25=stated))
    assert tap(subject, request(), settings(VISA, 3)).last4 == ""


# Form factor (9F6E) of Mastercard's devices: the two characters behind country and identifier.
@pytest.mark.parametrize(
    ("kind", "device"),
    [
        ("3031", "phone"),
        ("3032", "key fob"),
        ("3033", "watch"),
        ("3034", "sticker"),
        ("3035", "wristband"),
        ("3036", "phone"),
        ("3039", "phone"),
        ("3939", "card"),
    ],
)
def test_mastercards_form_factors(kind: str, device: str) -> None:
    subject = mastercard(records={0x9F6E: f"02500000{kind}00"})
    assert tap(subject, request(), mastercard_reader()).device == device


# Of Visa's: a number in the low bits of the first byte.
@pytest.mark.parametrize(
    ("form", "device"), [("20", "card"), ("23", "phone"), ("24", "watch"), ("3F", "card")]
)
def test_visas_form_factors(form: str, device: str) -> None:
    subject = visa(options(x9F6E=f"{form}800000"))
    assert tap(subject, request(), settings(VISA, 3)).device == device


@pytest.mark.parametrize("card_id", ["visa-credit", "jcb", "discover", "unionpay"])
def test_a_device_that_asked_nobody_does_not_pay_over_the_limit(card_id: str) -> None:
    """Express mode: below the limit a phone pays unasked, above it nothing stands in for a PIN."""
    unasked = changed(card_id, card={"device": "phone"}, behaviour={"cvm": "none"})
    settings_ = (
        each_combination(reader(), ttq=bytes.fromhex("20004000")) if card_id != "jcb" else reader()
    )
    assert tapped(unasked, 1250, settings_).result.decision is Decision.ONLINE_REQUEST
    refused = tapped(unasked, 7500, settings_).result
    assert refused.decision is Decision.DECLINED
    assert "no cardholder verification" in refused.reason


def test_an_express_phone_of_mastercards_has_to_have_asked() -> None:
    """The reader tells the phone over the limit that it counts on its verification (9F34)."""
    watch = Between(load_profile("mastercard-watch"))
    outcome = tapped(watch, 7500, reader()).result
    assert outcome.chip_data[0x9F34].hex() == "010002"
    below = tapped(Between(load_profile("mastercard-watch")), 1250, reader()).result
    assert below.chip_data[0x9F34].hex() == "3f0002"
