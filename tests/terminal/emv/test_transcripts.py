"""Dialogues of other people's cards and terminals, replayed through ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import pytest

from terminal.card import CardData
from terminal.emv import application as app
from terminal.emv.account import card_data
from terminal.emv.apdu import Command, Dialogue
from terminal.emv.converse import converse
from terminal.emv.entry_point import (
    ActionCodes,
    Combination,
    ReaderSettings,
    TransactionRequest,
    _run_candidate,
    transact,
)
from terminal.emv.kernels.c2 import _emv_records
from terminal.emv.outcome import Cvm, Decision, MessageId, Outcome, Start
from terminal.emv.selection import Candidate, parse_fci
from terminal.money import Amount, Currency
from tests.conftest import require_vectors
from tests.terminal.emv.replay import (
    Clock,
    ReplayCard,
    ca_keys,
    load,
    recorded_request,
    recorded_settings,
    recorded_values,
)


class Ends(NamedTuple):
    decision: Decision
    message: MessageId
    reason: str
    start: Start = Start.NONE
    pan: bool = False
    begins_at: str = "PPSE"


AGAIN = Ends(Decision.TRY_AGAIN, MessageId.PRESENT_AGAIN, "left", Start.B)
OTHER_CARD = Ends(Decision.END_APPLICATION, MessageId.TRY_ANOTHER_CARD, "")

# How each recording ends with the reader of ``recorded_settings``.
TAPS = {
    "apple_pay_visa_gpo_refused": Ends(
        Decision.TRY_AGAIN, MessageId.SEE_PHONE, "answered with 6986", Start.B
    ),
    "connection_lost_before_ppse_response": AGAIN,
    "connection_lost_during_select_aid": AGAIN,
    "devnied_fail_error_card": OTHER_CARD._replace(reason="no application of the card can be used"),
    "devnied_geld_karte_ppse": OTHER_CARD._replace(reason="no application that this terminal"),
    "devnied_interact_ppse": OTHER_CARD._replace(reason="no application that this terminal"),
    "devnied_unknown_card": OTHER_CARD._replace(reason="not a payment card"),
    "devnied_visa_card_ppse": OTHER_CARD._replace(reason="answered with 6700"),
    "devnied_visa_card_ppse_no_options": OTHER_CARD._replace(reason="answered with 6700"),
    "devnied_visa_card_ppse3": Ends(
        Decision.DECLINED, MessageId.NOT_AUTHORISED, "no CA key 07", pan=True
    ),
    "mastercard_cda_ef_test_card": Ends(
        Decision.APPROVED, MessageId.APPROVED_SIGN, "offline with CDA", pan=True, begins_at="AID"
    ),
    "mastercard_magstripe_ccc": Ends(
        Decision.TRY_ANOTHER_INTERFACE,
        MessageId.INSERT_OR_SWIPE,
        "mag-stripe mode only",
        begins_at="AID",
    ),
    "synthetic_visa_format1": OTHER_CARD._replace(reason="not made for kernel 3"),
    "visa_auspost_gpo_only_3033": OTHER_CARD._replace(reason="track 2 data (57) is malformed"),
    "visa_credit_chase_no_afl": Ends(
        Decision.ONLINE_REQUEST, MessageId.AUTHORISING, "online", pan=True
    ),
    "visa_prepaid_expired_5406": Ends(
        Decision.ONLINE_REQUEST, MessageId.AUTHORISING, "online", pan=True
    ),
}

# The source's log of this card leaves out a record that its file locator names; the answers that
# it has verify without it, so an empty record stands in.
LOST = {"mastercard_cda_ef_test_card": (3, {"command": "00B2021C00", "response": "70009000"})}

# Recordings that state the terminal: byte for byte, in the test below this table's.
EXACT = ("mastercard_mchip_cda_f3_offline", "visa_qvsdc_offline_fdda", "visa_qvsdc_online")

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
    "devnied_master_card_ppse2": "only the mag-stripe record was recorded",
    "devnied_visa_card_aid": "the source stops at the first of four files",
    "devnied_wrapper_test_s_w_61": "61xx belongs to the T=0 transport",
    "emvpt_t0_raw": "the T=0 frames of emvpt_contact_dda_pin",
}


def transcript(name: str) -> dict[str, Any]:
    loaded = load(require_vectors() / "emv" / "transcripts" / f"{name}.json")
    if name in LOST:
        loaded["exchanges"].insert(LOST[name][0] + 1, LOST[name][1])
    return loaded


def check_account(card: CardData | None, stated: dict[str, Any]) -> None:
    """The account that the transcript's ``expected`` states, by its applications or its reader."""
    applications = [each for each in stated.get("applications", []) if "pan" in each]
    expected = applications[0] if applications else stated["reader_result"]
    assert card is not None
    assert card.pan.reveal() == expected["pan"]
    expiry = expected.get("expiry_yymmdd") or expected.get("expiry_yymm")
    if expiry is None:
        month, year = expected["expiry_mm_yyyy"].split("/")
        expiry = year[2:] + month
    on_track = card.track2.reveal().partition("D")[2][:4] if card.track2 else ""
    # Where only the source's reader speaks, it speaks of track 2; a terminal prefers 5F24.
    assert expiry[:4] == (card.expiry_yymm if applications else on_track or card.expiry_yymm)
    if "track2" in expected:
        assert card.track2 is not None
        assert card.track2.reveal() == expected["track2"].removesuffix("F")


def sanitised(stated: dict[str, Any]) -> bool:
    """Whether the source replaced the account number, which leaves a wrong check digit."""
    checks = [each["checks"].get("pan_luhn") for each in stated["applications"]]
    masked = stated.get("reader_result", {}).get("pan", "").endswith("9999999")
    return False in checks or masked


def from_aid(request: TransactionRequest, settings: ReaderSettings, name: bytes) -> Dialogue[Any]:
    combination = next(each for each in settings.combinations if name.startswith(each.aid))
    return _run_candidate(Candidate(name, "", combination), request, settings)


@pytest.mark.parametrize("name", TAPS)
def test_tap_ends_as_stated_with_the_right_account(name: str) -> None:
    found, ends = transcript(name), TAPS[name]
    values = recorded_values(found)
    settings = recorded_settings(found, values, luhn_required=not sanitised(found["expected"]))
    request = recorded_request(values)
    if ends.begins_at == "AID":
        select = bytes.fromhex(found["exchanges"][0]["command"])
        dialogue = from_aid(request, settings, select[5 : 5 + select[4]])
    else:
        dialogue = transact(request, settings)
    card = ReplayCard(found["exchanges"], exact=False)
    outcome: Outcome = converse(dialogue, card, monotonic=Clock()).result
    assert (outcome.decision, outcome.start) == (ends.decision, ends.start)
    assert ends.reason in outcome.reason
    assert outcome.ui is not None
    assert outcome.ui.message is ends.message
    if ends.pan:
        check_account(outcome.card, found["expected"])
    else:
        assert outcome.card is None


def test_cda_of_a_recorded_mastercard_states_its_cryptogram() -> None:
    found = transcript("mastercard_cda_ef_test_card")
    values = recorded_values(found)
    settings = recorded_settings(found, values)
    dialogue = from_aid(recorded_request(values), settings, bytes.fromhex("A0000000041010"))
    sent: list[bytes] = []
    card = ReplayCard(found["exchanges"], exact=False)
    outcome = converse(
        dialogue, card, monotonic=Clock(), record=lambda command, _: sent.append(command)
    ).result
    # The configuration is not stated, yet the recorded values lead to the recorded bytes.
    assert sent[-1].hex().upper() == found["exchanges"][-1]["command"]
    assert outcome.chip_data[0x9F26].hex().upper() == "D58B731AF5885C06"
    assert outcome.cvm is Cvm.SIGNATURE


def stated_terminal(name: str) -> tuple[TransactionRequest, ReaderSettings]:
    """Request and settings from the configuration that the transcript states."""
    found = transcript(name)
    terminal = found["terminal"]
    moment = datetime.strptime(terminal["9A"] + terminal["9F21"] + "+0000", "%y%m%d%H%M%S%z")
    request = TransactionRequest(
        Amount(int(terminal["9F02"]), Currency.of_number(int(terminal["5F2A"]))),
        moment,
        bytes.fromhex(terminal["9F37"]),
        int(terminal["9C"], 16),
    )
    configuration = terminal["configuration"]
    kernel = configuration.get("kernel_2") or configuration["kernel_3"]
    values = {**kernel["config"], **kernel["application_config"]}
    values |= kernel["transaction_config"]["config"]
    values |= kernel.get("override", {})
    make = _mastercard if kernel["kernelId"] == 2 else _visa
    return request, ReaderSettings(
        country_number=int(values["9F1A"]),
        combinations=(make(kernel["transaction_config"], values),),
        terminal_type=int(values["9F35"], 16),
        capabilities=bytes.fromhex(
            values["9F33"] or values["DF8117"] + values["DF8119"] + values["DF811F"]
        ),
        additional_capabilities=bytes.fromhex(values["9F40"]),
        ca_keys=ca_keys(found),
    )


def _visa(transaction: dict[str, Any], values: dict[str, str]) -> Combination:
    return Combination(
        aid=bytes.fromhex(transaction["aid"]),
        kernel_id=3,
        scheme="Visa",
        ttq=bytes.fromhex(values["9F66"]),
        contactless_limit_minor=transaction["readerContactlessTransactionLimit"],
        cvm_limit_minor=transaction["readerCVMRequiredLimit"],
        floor_limit_minor=transaction["readerContactlessFloorLimit"],
    )


def _mastercard(transaction: dict[str, Any], values: dict[str, str]) -> Combination:
    return Combination(
        aid=bytes.fromhex(transaction["aid"]),
        kernel_id=2,
        scheme="Mastercard",
        contactless_limit_minor=int(values["DF8124"]),
        on_device_limit_minor=int(values["DF8125"]),
        cvm_limit_minor=int(values["DF8126"]),
        floor_limit_minor=int(values["DF8123"]),
        action_codes=ActionCodes(
            denial=bytes.fromhex(values["DF8121"]),
            online=bytes.fromhex(values["DF8122"]),
            default=bytes.fromhex(values["DF8120"]),
        ),
        cvm_capability=int(values["DF8118"], 16),
        no_cvm_capability=int(values["DF8119"], 16),
        relay_resistance_in_tvr=True,
    )


@pytest.mark.parametrize(
    ("name", "decision", "cvm", "cryptogram"),
    [
        ("visa_qvsdc_online", Decision.ONLINE_REQUEST, Cvm.ONLINE_PIN, "48325309BE82CBA2"),
        ("visa_qvsdc_offline_fdda", Decision.APPROVED, Cvm.NONE, "20261203C3227D26"),
        ("mastercard_mchip_cda_f3_offline", Decision.APPROVED, Cvm.NONE, "49C27A9F8E4BF538"),
    ],
)
def test_stated_terminal_sends_the_very_bytes(
    name: str, decision: Decision, cvm: Cvm, cryptogram: str
) -> None:
    found = transcript(name)
    request, settings = stated_terminal(name)
    card = ReplayCard(found["exchanges"], exact=True)
    outcome = converse(transact(request, settings), card, monotonic=Clock()).result
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
    start = next(
        index
        for index, each in enumerate(found["exchanges"])
        if (each["command"] or "").startswith(f"00A40400{len(aid) // 2:02X}{aid}")
    )
    settings = recorded_settings(found, {})
    card = ReplayCard(found["exchanges"][start:], exact=False)
    check_account(
        converse(reading(bytes.fromhex(aid), settings), card, monotonic=Clock()).result,
        found["expected"],
    )


def test_every_transcript_is_in_a_table() -> None:
    files = {path.stem for path in (require_vectors() / "emv" / "transcripts").glob("*.json")}
    assert files == {*TAPS, *EXACT, *READINGS, *NOT_RUN}
