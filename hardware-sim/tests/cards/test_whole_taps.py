"""Whole taps: the terminal's own kernels on every simulated card, judged by the issuer."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from hardware_sim.ca import ca_public_keys
from hardware_sim.catalogue import load_profile
from hardware_sim.issuer import CRYPTOGRAM_INPUT, arqc_fault, issuer_of, verify_arqc
from hardware_sim.reader import open_reader
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Cvm, Decision, Outcome
from terminal.emv.settings import TransactionRequest, default_settings
from terminal.money import Amount, Currency
from terminal.ports import ForeignTag, Reader, SeveralCards, Unreadable

EUR = Currency.of("EUR")


def tap(reader: Reader, minor: int, *, floor_minor: int = 0) -> Outcome:
    """One tap for an amount, as the till's thread runs it."""
    card = reader.wait_for_card(timeout_s=5, cancelled=lambda: False)
    assert card is not None
    assert not isinstance(card, SeveralCards | ForeignTag | Unreadable)
    request = TransactionRequest(
        amount=Amount(minor, EUR),
        at=datetime(2026, 11, 23, 12, 30, tzinfo=UTC),
        unpredictable_number=bytes.fromhex("AABBCCDD"),
    )
    settings = default_settings(
        250, EUR, floor_limit_minor=floor_minor, ca_keys=CaKeys(ca_public_keys())
    )
    outcome = converse(transact(request, settings), card, monotonic=time.monotonic).result
    reader.release()
    return outcome


def fault_of(outcome: Outcome, changes: dict[int, bytes] | None = None) -> str | None:
    """What the issuer has against the sale, or against the sale with changed chip data."""
    assert outcome.card is not None
    pan = outcome.card.pan.reveal()
    keys = issuer_of(pan)
    assert keys is not None
    chip_data = {**outcome.chip_data, **(changes or {})}
    return arqc_fault(keys, pan, outcome.card.sequence or 0, chip_data)


ONLINE = [
    ("visa-credit", 1250, Cvm.NONE, "card", "Visa"),
    ("visa-credit", 6000, Cvm.SIGNATURE, "card", "Visa"),
    ("visa-debit", 1250, Cvm.NONE, "card", "Visa"),
    ("visa-no-oda", 1250, Cvm.NONE, "card", "Visa"),
    ("visa-offline", 1250, Cvm.NONE, "card", "Visa"),
    ("mastercard-credit", 1250, Cvm.NONE, "card", "Mastercard"),
    ("mastercard-credit", 6000, Cvm.SIGNATURE, "card", "Mastercard"),
    ("mastercard-debit", 1250, Cvm.NONE, "card", "Maestro"),
    ("mastercard-watch", 1250, Cvm.NONE, "watch", "Mastercard"),
    ("mastercard-watch", 6000, Cvm.CONFIRMATION_CODE, "watch", "Mastercard"),
    ("expired", 1250, Cvm.NONE, "card", "Visa"),
]


@pytest.mark.parametrize(("card_id", "minor", "cvm", "device", "scheme"), ONLINE)
def test_the_issuer_accepts_what_the_kernel_sends(
    card_id: str, minor: int, cvm: Cvm, device: str, scheme: str
) -> None:
    outcome = tap(open_reader(f"sim:{card_id}?seed=7"), minor)
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert (outcome.cvm, outcome.device) == (cvm, device)
    assert outcome.application is not None
    assert outcome.application.scheme == scheme
    account = load_profile(card_id).account
    assert account is not None
    assert outcome.card is not None
    assert outcome.card.pan.reveal() == account.pan
    assert outcome.card.expiry_yymm == account.expiry
    assert fault_of(outcome) is None


@pytest.mark.parametrize(
    "card_id", ["visa-credit", "visa-debit", "mastercard-credit", "mastercard-debit"]
)
def test_a_wrong_byte_anywhere_in_the_proof_is_a_decline(card_id: str) -> None:
    outcome = tap(open_reader(f"sim:{card_id}?seed=7"), 1250)
    proof = {*CRYPTOGRAM_INPUT, 0x9F10, 0x9F26, 0x9F27}
    assert proof < set(outcome.chip_data)
    for tag in proof:
        value = outcome.chip_data[tag]
        for position in range(len(value)):
            wrong = bytearray(value)
            wrong[position] ^= 0x01
            assert fault_of(outcome, {tag: bytes(wrong)}), f"{tag:X} byte {position}"
    # The PAN sequence number takes part through the card's key.
    assert outcome.card is not None
    pan = outcome.card.pan.reveal()
    keys = issuer_of(pan)
    assert keys is not None
    sequence = outcome.card.sequence or 0
    assert verify_arqc(keys, pan, sequence, outcome.chip_data)
    assert not verify_arqc(keys, pan, sequence + 1, outcome.chip_data)


def test_combined_authentication_is_performed_and_holds() -> None:
    outcome = tap(open_reader("sim:mastercard-credit?seed=7"), 1250)
    # Byte 1: offline data authentication was performed (bit 8) and CDA did not fail (bit 3).
    assert outcome.chip_data[0x95][0] & 0x84 == 0


def test_a_card_that_may_approves_offline_with_its_signature() -> None:
    outcome = tap(open_reader("sim:visa-offline?seed=7"), 1250, floor_minor=5000)
    assert outcome.decision is Decision.APPROVED, outcome.reason
    assert outcome.chip_data[0x9F27] == b"\x40"


def test_a_card_that_refuses_is_a_decline() -> None:
    outcome = tap(open_reader("sim:declined-by-card?seed=7"), 1250)
    assert outcome.decision is Decision.DECLINED
    assert fault_of(outcome) == "tag 9F27 does not announce an ARQC"


def test_a_phone_is_tapped_twice() -> None:
    reader = open_reader("sim:visa-phone?seed=7")
    first = tap(reader, 6000)
    assert first.decision is Decision.TRY_AGAIN
    assert first.ui is not None
    assert first.ui.message.name == "SEE_PHONE"
    second = tap(reader, 6000)
    assert second.decision is Decision.ONLINE_REQUEST, second.reason
    assert (second.cvm, second.device) == (Cvm.CONFIRMATION_CODE, "phone")
    assert fault_of(second) is None


def test_an_identity_card_is_no_payment_card() -> None:
    outcome = tap(open_reader("sim:id-card"), 1250)
    assert outcome.decision is Decision.END_APPLICATION


@pytest.mark.parametrize(
    ("card_id", "kind"),
    [
        ("mifare-tag", ForeignTag),
        ("ntag-sticker", ForeignTag),
        ("transit-card", ForeignTag),
        ("two-cards", SeveralCards),
        ("unreadable", Unreadable),
    ],
)
def test_what_is_no_card_is_named_by_the_reader(card_id: str, kind: type[object]) -> None:
    reader = open_reader(f"sim:{card_id}")
    assert isinstance(reader.wait_for_card(timeout_s=5, cancelled=lambda: False), kind)


@pytest.mark.parametrize("card_id", sorted({card_id for card_id, *_ in ONLINE}))
@pytest.mark.parametrize("after", range(8))
def test_a_card_taken_away_anywhere_pays_at_the_next_tap(card_id: str, after: int) -> None:
    reader = open_reader(f"sim:{card_id}?seed=7&tear_after={after}&faulty_taps=1")
    outcome = tap(reader, 1250)
    assert outcome.decision in {Decision.TRY_AGAIN, Decision.ONLINE_REQUEST}
    if outcome.decision is Decision.TRY_AGAIN:
        outcome = tap(reader, 1250)
    assert outcome.decision is Decision.ONLINE_REQUEST, outcome.reason
    assert fault_of(outcome) is None


@pytest.mark.parametrize("card_id", ["visa-credit", "mastercard-credit"])
def test_a_card_taken_away_at_any_byte_pays_at_the_next_tap(card_id: str) -> None:
    counters = set()
    for byte in range(1, 1400, 23):
        reader = open_reader(f"sim:{card_id}?seed=7&tear_at={byte}&faulty_taps=1")
        outcome = tap(reader, 1250)
        if outcome.decision is Decision.TRY_AGAIN:
            outcome = tap(reader, 1250)
        assert outcome.decision is Decision.ONLINE_REQUEST, f"byte {byte}: {outcome.reason}"
        assert fault_of(outcome) is None, f"byte {byte}"
        counters.add(outcome.chip_data[0x9F36])
    # Torn off before the card had counted, after it had, and not torn off at all.
    assert len(counters) == 2


@pytest.mark.parametrize("card_id", ["visa-credit", "mastercard-credit", "visa-offline"])
@pytest.mark.parametrize("seed", range(20))
def test_a_noisy_card_is_never_paid_with_wrong_data(card_id: str, seed: int) -> None:
    reader = open_reader(f"sim:{card_id}?seed={seed}&noise=40")
    outcome = tap(reader, 1250)
    if outcome.decision is Decision.ONLINE_REQUEST:
        # The issuer is the judge of what the kernel cannot see; it must say something.
        account = load_profile(card_id).account
        assert account is not None
        assert outcome.card is not None
        accepted = fault_of(outcome) is None
        assert not accepted or outcome.card.pan.reveal() == account.pan
    assert outcome.decision is not Decision.APPROVED
