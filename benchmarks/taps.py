"""The till's own time for one tap: everything but the card's answers, RSA and the disk included."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from time import thread_time

from benchmarks.figures import Figure, times
from benchmarks.shop import FLOOR_LIMIT_MINOR, now, open_shop
from hardware_sim import daemon
from hardware_sim.ca import ca_public_keys
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.pcsc_door import PcscDoor
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.settings import ReaderSettings, TransactionRequest, default_settings
from terminal.errors import ConfigError
from terminal.money import Amount, Currency
from terminal.transaction import State

WARM_UP = 20
TAPS = 300
PCSC_TAPS = 60
OWN_P99_MS = 25.0
RSA_P99_MS = 10.0
PLAIN_P99_MS = 2.0
WHOLE_P99_MS = 100.0

CARDS = {
    # An amount above the floor limit goes online; below it the card may approve by itself, and
    # then its signature (fDDA) is checked. The Mastercard-like card signs each time (CDA).
    "visa-credit": (FLOOR_LIMIT_MINOR + 50, State.APPROVED),
    "visa-offline": (FLOOR_LIMIT_MINOR - 50, State.STORED),
    "mastercard-credit": (FLOOR_LIMIT_MINOR + 50, State.APPROVED),
}


def own_time() -> Iterator[Figure]:
    """From the card in the field to the sale on the disk, for each kind of card."""
    for card, (minor, expected) in CARDS.items():
        measured = []
        with open_shop(f"sim:{card}?card_ms=0") as shop:
            for number in range(WARM_UP + TAPS):
                sale, laps = shop.sell(minor)
                if sale.state is not expected:
                    sys.exit(f"{card}: the sale is {sale.state.value}: {sale.reason}")
                if number >= WARM_UP:
                    measured.append(laps.own_s)
        yield times(f"{card}, card to ledger", measured, p99_below_ms=OWN_P99_MS)


class _InHand:
    """A card in this process, as a reader hands it out, and the time it takes to answer."""

    technology = "ISO 14443-4 A"

    def __init__(self, chip: EmvCard) -> None:
        self._chip = chip
        self.took_s = 0.0

    def exchange(self, command: bytes) -> bytes:
        started = thread_time()
        answer = self._chip.exchange(command)
        self.took_s += thread_time() - started
        return answer


def kernels() -> Iterator[Figure]:
    """The card dialogue alone: Entry Point, kernel and RSA, without card, sealing and disk.

    It waits for nothing, so it is measured in the processor's time: other programs do not count.
    """
    currency = Currency.of("EUR")
    settings = default_settings(
        724, currency, floor_limit_minor=FLOOR_LIMIT_MINOR, ca_keys=CaKeys(ca_public_keys())
    )
    request = TransactionRequest(
        amount=Amount(FLOOR_LIMIT_MINOR - 50, currency),
        at=datetime(2026, 4, 1, 12, 0, tzinfo=UTC),
        unpredictable_number=bytes.fromhex("8C1A4D77"),
        sequence=1,
    )
    # Without the cache, each tap is the first with a card of its issuer.
    uncached = replace(settings, issuer_cache=None)
    for name, card, check, used, p99_ms in (
        ("kernel C-3 with fDDA", "visa-offline", _approved_offline, settings, RSA_P99_MS),
        (
            "kernel C-3 with fDDA, issuer not seen before",
            "visa-offline",
            _approved_offline,
            uncached,
            RSA_P99_MS,
        ),
        ("kernel C-2 with CDA", "mastercard-credit", _authenticated, settings, RSA_P99_MS),
        (
            "kernel C-2 with CDA, issuer not seen before",
            "mastercard-credit",
            _authenticated,
            uncached,
            RSA_P99_MS,
        ),
        ("kernel C-3 without a signature", "visa-no-oda", _asked_online, settings, PLAIN_P99_MS),
        ("kernel C-4 with CDA", "amex", _authenticated, settings, RSA_P99_MS),
        ("kernel C-5 with CDA", "jcb", _authenticated, settings, RSA_P99_MS),
        ("kernel C-6 without a signature", "discover", _asked_online, settings, PLAIN_P99_MS),
        ("kernel C-7 without a signature", "unionpay", _asked_online, settings, PLAIN_P99_MS),
    ):
        chip = EmvCard(load_profile(card))
        measured = []
        for number in range(WARM_UP + TAPS):
            own_s, outcome = _dialogue(chip, request, used)
            if not check(outcome):
                sys.exit(f"{name}: no authenticated outcome, but {outcome.reason}")
            if number >= WARM_UP:
                measured.append(own_s)
        yield times(name, measured, p99_below_ms=p99_ms)


def _dialogue(
    chip: EmvCard, request: TransactionRequest, settings: ReaderSettings
) -> tuple[float, Outcome]:
    chip.reset()
    card = _InHand(chip)
    started = thread_time()
    conversation = converse(transact(request, settings), card, monotonic=now)
    return thread_time() - started - card.took_s, conversation.result


def _approved_offline(outcome: Outcome) -> bool:
    # Kernel 3 approves offline only where fast DDA was performed and held.
    return outcome.decision is Decision.APPROVED


def _asked_online(outcome: Outcome) -> bool:
    return outcome.decision is Decision.ONLINE_REQUEST


def _authenticated(outcome: Outcome) -> bool:
    # TVR byte 1: offline data authentication not performed (80), CDA failed (04).
    return not outcome.chip_data[0x95][0] & 0x84


def through_pcscd() -> Iterator[Figure]:
    """A whole tap through the real ``pcscd``, with a card that answers at once."""
    name = "visa-credit through pcscd, card to seal"
    try:
        running = daemon.shared()
        running.start()
    except ConfigError as missing:
        yield Figure(name, f"not measured: {missing}")
        return
    door = PcscDoor(running)
    try:
        with open_shop(door.url) as shop:
            measured = []
            for _ in range(PCSC_TAPS):
                door.present(EmvCard(load_profile("visa-credit")))
                sale, laps = shop.sell(FLOOR_LIMIT_MINOR + 50)
                if sale.state is not State.APPROVED:
                    sys.exit(f"{name}: the sale is {sale.state.value}: {sale.reason}")
                measured.append(laps.read_s)
                door.remove()
                shop.reader.wait_for_removal(timeout_s=5.0, cancelled=lambda: False)
    finally:
        door.close()
    yield times(name, measured, p99_below_ms=WHOLE_P99_MS)
