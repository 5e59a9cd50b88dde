"""The simulator's own speed: whole sales on a simulated card, its start, and the scenario book."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from time import perf_counter, process_time

from benchmarks.figures import Figure
from benchmarks.shop import FLOOR_LIMIT_MINOR, open_shop
from hardware_sim.ca import ca_public_keys, revoked_certificates
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.scenario import BOOK, DOORS, read_scenarios
from terminal.emv.converse import converse
from terminal.emv.entry_point import transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Decision
from terminal.emv.settings import TransactionRequest, default_settings
from terminal.money import Amount, Currency

SALES = 200
SALES_PER_CORE_S = 300.0
START_S = 0.5
BOOK_S = 180.0
AT = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
_CARD = """
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
EmvCard(load_profile("visa-credit")).exchange(bytes.fromhex("00A4040000"))
"""
CARDS = {"visa-offline": FLOOR_LIMIT_MINOR - 50, "mastercard-credit": FLOOR_LIMIT_MINOR + 50}


def simulator() -> Iterator[Figure]:
    """Taps a second and core, the card's signature made and checked; whole sales; the start."""
    currency = Currency.of("EUR")
    settings = default_settings(
        724,
        currency,
        floor_limit_minor=FLOOR_LIMIT_MINOR,
        ca_keys=CaKeys(ca_public_keys(), revoked_certificates()),
    )
    for card, minor in CARDS.items():
        chip = EmvCard(load_profile(card))
        started = process_time()
        for number in range(SALES):
            chip.reset()
            request = TransactionRequest(
                amount=Amount(minor, currency),
                at=AT,
                unpredictable_number=number.to_bytes(4, "big"),
                sequence=number + 1,
            )
            outcome = converse(transact(request, settings), chip, monotonic=perf_counter).result
            if outcome.decision not in {Decision.ONLINE_REQUEST, Decision.APPROVED}:
                sys.exit(f"{card}: {outcome.reason}")
        rate = SALES / (process_time() - started)
        target = f">= {SALES_PER_CORE_S:.0f}/s a core"
        yield Figure(f"card and kernel, {card}", f"{rate:.0f}/s", target, rate >= SALES_PER_CORE_S)
    for card, minor in CARDS.items():
        with open_shop(f"sim:{card}?card_ms=0") as shop:
            shop.sell(minor)
            started = process_time()
            for _ in range(SALES):
                shop.sell(minor)
            rate = SALES / (process_time() - started)
        yield Figure(f"whole sales, disk and TLS too, {card}", f"{rate:.0f}/s")
    for name, code in (
        ("a card answers", _CARD),
        ("the list of cards", "from hardware_sim.cli import sim; sim(['cards'])"),
    ):
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        after = getrusage(RUSAGE_CHILDREN)
        # The processor's time: other programs do not count.
        took_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        told = f"from nothing to {name}"
        yield Figure(told, f"{took_s:.2f} s", f"< {START_S} s", took_s < START_S)


def book() -> Iterator[Figure]:
    """The whole scenario book on every door, on two workers."""
    count = sum(len(each.doors) for each in read_scenarios(BOOK))
    command = [str(Path(sys.executable).with_name("taptill")), "sim", "run", "--all-doors"]
    started = perf_counter()
    done = subprocess.run([*command, "--jobs", "4"], stdout=subprocess.PIPE, text=True, check=False)
    took_s = perf_counter() - started
    if done.returncode:
        sys.exit(done.stdout)
    name = f"{count} scenarios on {len(DOORS)} doors"
    yield Figure(name, f"{took_s:.0f} s", f"< {BOOK_S:.0f} s", took_s < BOOK_S)
