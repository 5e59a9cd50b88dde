"""Dialogues of other people's cards and terminals: how each ends here, and with which account.

The conformance command plays them and judges them by what their files say; the tables here say
what a reader would have seen.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from hardware_sim.conformance.dialogue_proof import steps_of
from hardware_sim.conformance.recorded_terminal import fitting_terminal
from hardware_sim.conformance.replay import RecordedCard, applications, played
from terminal.card import CardData
from terminal.emv import application as app
from terminal.emv.account import card_data
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.converse import converse
from terminal.emv.kernels.c2 import _emv_records
from terminal.emv.outcome import Cvm, Decision, MessageId, Start
from terminal.emv.selection import Candidate, parse_fci
from terminal.emv.settings import ReaderSettings
from tests.conftest import require_vectors
from tests.terminal.emv.replay import Clock, load


class Ends(NamedTuple):
    decision: Decision
    message: MessageId
    reason: str
    start: Start = Start.NONE
    pan: bool = False


AGAIN = Ends(Decision.TRY_AGAIN, MessageId.PRESENT_AGAIN, "left", Start.B)
OTHER_CARD = Ends(Decision.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, "")
ONLINE = Ends(Decision.ONLINE_REQUEST, MessageId.AUTHORISING, "online", pan=True)

# How each recording ends with a reader that has its application and sends what the other one sent.
TAPS = {
    "apple_pay_visa_gpo_refused": Ends(
        Decision.TRY_AGAIN, MessageId.SEE_PHONE, "answered with 6986", Start.B
    ),
    "connection_lost_before_ppse_response": AGAIN,
    "connection_lost_during_select_aid": AGAIN,
    "devnied_geld_karte_ppse": OTHER_CARD._replace(reason="no application that this terminal"),
    "devnied_interact_ppse": OTHER_CARD._replace(reason="no application that this terminal"),
    "devnied_master_card_ppse2": OTHER_CARD._replace(reason="no Application PAN"),
    "devnied_unknown_card": OTHER_CARD._replace(reason="not a payment card"),
    "devnied_visa_card_aid": OTHER_CARD._replace(reason="not made for kernel 3"),
    "devnied_visa_card_ppse": OTHER_CARD._replace(reason="answered with 6700"),
    "devnied_visa_card_ppse_no_options": OTHER_CARD._replace(reason="answered with 6700"),
    "devnied_visa_card_ppse3": Ends(
        Decision.DECLINED, MessageId.NOT_AUTHORISED, "no CA key 07", pan=True
    ),
    "devnied_wrapper_test_s_w_61": OTHER_CARD._replace(reason="not made for kernel 3"),
    "mastercard_cda_ef_test_card": Ends(
        Decision.APPROVED, MessageId.APPROVED_SIGN, "offline with CDA", pan=True
    ),
    "mastercard_magstripe_ccc": ONLINE._replace(reason="mag-stripe mode is always online"),
    "synthetic_visa_format1": OTHER_CARD._replace(reason="not made for kernel 3"),
    "visa_auspost_gpo_only_3033": OTHER_CARD._replace(reason="track 2 data (57) is malformed"),
    "visa_credit_chase_no_afl": ONLINE,
    "visa_prepaid_expired_5406": ONLINE,
}

# Recordings that state their terminal, so that every command has to be theirs, byte for byte.
EXACT = {
    "visa_qvsdc_online": (Decision.ONLINE_REQUEST, Cvm.ONLINE_PIN, "48325309BE82CBA2"),
    "visa_qvsdc_offline_fdda": (Decision.APPROVED, Cvm.NONE, "20261203C3227D26"),
    "mastercard_mchip_cda_f3_offline": (Decision.APPROVED, Cvm.NONE, "49C27A9F8E4BF538"),
}

# No contactless tap, or not to its end: SELECT, options and records are replayed for the account.
READINGS = {
    "amex_contact_cda": "contact card",
    "emvpt_contact_dda_pin": "contact card",
    "javaemvreader_sda_dummy_card": "contact card",
    "mastercard_expired_0385": "the source never sends GENERATE AC",
    "synthetic_visa_format1": "the made-up card has no PDOL and no cryptogram",
    "visa_contact_vsdc_no_oda": "contact card",
}

NOT_RUN = {
    "devnied_fail_error_card": "the source stops at an application that it cannot use",
    "emvpt_t0_raw": "the T=0 frames of emvpt_contact_dda_pin",
}


def transcript(name: str) -> dict[str, Any]:
    return load(require_vectors() / "emv" / "transcripts" / f"{name}.json")


def check_account(card: CardData | None, stated: dict[str, Any]) -> None:
    """The account that the transcript's ``expected`` states, by its applications or its reader."""
    applications_ = [each for each in stated.get("applications", []) if "pan" in each]
    expected = applications_[0] if applications_ else stated["reader_result"]
    assert card is not None
    assert card.pan.reveal() == expected["pan"]
    expiry = expected.get("expiry_yymmdd") or expected.get("expiry_yymm")
    if expiry is None:
        month, year = expected["expiry_mm_yyyy"].split("/")
        expiry = year[2:] + month
    on_track = card.track2.reveal().partition("D")[2][:4] if card.track2 else ""
    # Where only the source's reader speaks, it speaks of track 2; a terminal prefers 5F24.
    assert expiry[:4] == (card.expiry_yymm if applications_ else on_track or card.expiry_yymm)
    if "track2" in expected:
        assert card.track2 is not None
        assert card.track2.reveal() == expected["track2"].removesuffix("F")


@pytest.mark.parametrize("name", TAPS)
def test_tap_ends_as_stated_with_the_right_account(name: str) -> None:
    found, ends = transcript(name), TAPS[name]
    outcome, _ = played(found)
    assert (outcome.decision, outcome.start) == (ends.decision, ends.start)
    assert ends.reason in outcome.reason
    assert outcome.ui is not None
    assert outcome.ui.message is ends.message
    if not ends.pan:
        assert outcome.card is None
    elif name == "mastercard_magstripe_ccc":
        # The code is written into the track, so that the track is another one than recorded.
        assert outcome.card is not None
        assert outcome.card.pan.reveal() == found["expected"]["applications"][0]["pan"]
    else:
        check_account(outcome.card, found["expected"])


def test_cda_of_a_recorded_mastercard_states_its_cryptogram() -> None:
    outcome, card = played(transcript("mastercard_cda_ef_test_card"))
    # The source's log leaves out a record that the file locator names; the signature holds.
    assert card.supplied == 1
    assert outcome.chip_data[0x9F26].hex().upper() == "D58B731AF5885C06"
    assert outcome.cvm is Cvm.SIGNATURE


@pytest.mark.parametrize("name", EXACT)
def test_stated_terminal_sends_the_very_bytes(name: str) -> None:
    found, (decision, cvm, cryptogram) = transcript(name), EXACT[name]
    outcome, card = played(found)
    assert (outcome.decision, outcome.cvm) == (decision, cvm)
    assert card.position == len(found["exchanges"])
    assert outcome.chip_data[0x9F26].hex().upper() == cryptogram
    check_account(outcome.card, found["expected"])
    assert outcome.application is not None
    stated = found["expected"]["applications"][0]
    assert outcome.application.aid.hex().upper() == stated["aid"]
    assert outcome.chip_data[0x82].hex().upper() == stated["aip"]


def reading(name: bytes, settings: ReaderSettings) -> Dialogue[CardData]:
    """SELECT, GET PROCESSING OPTIONS, READ RECORD; the account."""
    selected = yield Command(0x00, 0xA4, 0x04, 0x00, name)
    found = app.Application.selected(
        Candidate(name, "", settings.combinations[0]), parse_fci(selected.data)
    )
    options = yield from app.get_processing_options(found, {})
    app.take_processing_options(found, options.data)
    mastercard = name.startswith(bytes.fromhex("A000000004"))
    records = _emv_records(found.afl) if mastercard else found.afl
    yield from app.read_records(found, records)
    return card_data(found.objects)


@pytest.mark.parametrize("name", READINGS)
def test_records_give_the_account(name: str) -> None:
    found = transcript(name)
    aid = next(each["aid"] for each in found["expected"]["applications"] if "pan" in each)
    steps = steps_of(found)
    start = next(
        number
        for number, each in enumerate(steps)
        if each.command
        and each.command.hex().upper().startswith(f"00A40400{len(aid) // 2:02X}{aid}")
    )
    _, settings = fitting_terminal(found, applications(steps))
    card = RecordedCard(steps[start:], exact=False)
    check_account(
        converse(reading(bytes.fromhex(aid), settings), card, monotonic=Clock()).result,
        found["expected"],
    )


def test_every_transcript_is_in_a_table() -> None:
    files = {path.stem for path in (require_vectors() / "emv" / "transcripts").glob("*.json")}
    assert files == {*TAPS, *EXACT, *READINGS, *NOT_RUN}
