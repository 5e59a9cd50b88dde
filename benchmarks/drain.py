"""Forwarding a long queue: over real TLS, to a host in a process of its own that takes its time.

Rules of this file: the sales are real ones of a simulated card, so that the host opens each
envelope, checks each cryptogram and syncs its own books for each.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from benchmarks.figures import Figure
from benchmarks.shop import now, open_shop
from hardware_sim.acquirer import SimulatedAcquirer
from hardware_sim.acquirer_control import AcquirerControl
from offline_queue.outbox import Outbox
from offline_queue.plan import NotSent
from offline_queue.reports import Reports
from terminal.iso8583.chip_data import decode_chip_data
from terminal.iso8583.messages import SaleFacts, compose_advice, unpack
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind, Numbers, Outgoing
from terminal.money import Amount
from terminal.ports import Sealer
from terminal.tokens import Binding
from terminal.transaction import State, StoredOffline, Transaction
from ui.wiring import Parts, forwarder

STORED = int(os.environ.get("TAPTILL_STORED_SALES", "10000"))
LATENCY_MS = 20
PER_MINUTE = 10_000
MEMORY_KIB = 16 * 1024


@dataclass
class _Overheard:
    """A sealer that lets the benchmark seal the same card again, for another sale."""

    real: Sealer
    plaintext: bytes = b""
    key_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.key_id = self.real.key_id

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        self.plaintext = plaintext
        return self.real.seal(plaintext, info)


def drain() -> Iterator[Figure]:
    """10,000 stored sales over real TLS to a host process that answers after 20 ms."""
    with open_shop("sim:visa-credit?card_ms=0") as shop:
        acquirer = shop.parts.acquirer
        assert isinstance(acquirer, SimulatedAcquirer)
        control = AcquirerControl(acquirer.folder)
        control.network_off()
        overheard = _Overheard(acquirer.sealer)
        shop.parts = replace(shop.parts, acquirer=_Through(acquirer, overheard))  # type: ignore[arg-type]  # as much of it as a sale needs
        sale, _ = shop.sell(10_00)
        if sale.state is not State.STORED:
            sys.exit(f"the sale is {sale.state.value}: {sale.reason}")
        parts = shop.parts
        _store_alike(parts, sale, overheard, STORED - 1)
        control.set(refuse=False, latency_ms=LATENCY_MS)
        line = forwarder(replace(parts, acquirer=acquirer), lambda _: None)
        line.probe()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = now()
        outcome = line.run_once()
        took_s = now() - started
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        line.close()
        if outcome.answered != STORED or Reports(parts.journal.store).pending().count:
            sys.exit(f"{outcome} of {STORED}")
        if len(control.captures()) != STORED:
            sys.exit("the host has another number of captures")
        rate = STORED / took_s * 60
    name = f"drain {STORED} at {LATENCY_MS} ms"
    target = f">= {PER_MINUTE} a minute"
    yield Figure(name, f"{rate:.0f} a minute ({took_s:.1f} s)", target, rate >= PER_MINUTE)
    yield Figure("memory that it took", f"{grown} KiB", f"< {MEMORY_KIB} KiB", grown < MEMORY_KIB)


class _Through:
    """An acquirer whose sealer is overheard."""

    def __init__(self, acquirer: SimulatedAcquirer, sealer: Sealer) -> None:
        self.sealer = sealer
        self.link = acquirer.link
        self.folder = acquirer.folder


def _store_alike(parts: Parts, sale: Transaction, overheard: _Overheard, count: int) -> None:
    """Stored sales of the same tap under numbers and envelopes of their own."""
    card = sale.card
    item = Outbox(parts.journal.store).claim(datetime.now(UTC), owner="bench", lease_s=1)
    if card is None or item is None:
        sys.exit("the first sale is not in the outbox")
    parts.journal.settle([(item, NotSent(""))])
    first = unpack(BASE87, item.message)
    chip_data = decode_chip_data(bytes.fromhex(first.fields[55]))
    pan_sequence = int(first.fields[23]) if 23 in first.fields else None
    till = parts.settings.config.till
    for number in range(count):
        begun = _intended_of(parts, f"sale_{number:020x}", sale.amount)
        at = datetime.now(UTC).replace(microsecond=0)

        def compose(
            numbers: Numbers, begun: Transaction = begun, at: datetime = at
        ) -> tuple[StoredOffline, Outgoing]:
            binding = Binding(
                terminal_id=till.terminal_id,
                sequence=begun.sequence,
                txn_id=begun.txn_id,
                processing_code="000000",
                amount=begun.amount,
                transmitted_at=at,
            )
            facts = SaleFacts(
                amount=begun.amount,
                stan=numbers.stan,
                rrn=numbers.rrn,
                at=at,
                local_at=at,
                terminal_id=till.terminal_id,
                merchant_id=till.merchant_id,
                reference=f"{begun.sequence}:{begun.txn_id}",
                chip_data=chip_data,
                envelope=overheard.real.seal(
                    overheard.plaintext, binding.info(overheard.real.key_id)
                ),
                pan_sequence=pan_sequence,
                batch=numbers.batch,
                offline_reason="The acquirer cannot be reached.",
            )
            event = StoredOffline(at, card, numbers.stan, numbers.rrn, numbers.batch, "away")
            return event, Outgoing(Kind.ADVICE, compose_advice(BASE87, facts))

        parts.journal.enqueue(begun.txn_id, compose)


def _intended_of(parts: Parts, txn_id: str, amount: Amount) -> Transaction:
    at = datetime.now(UTC)
    return parts.journal.open_sale(txn_id=txn_id, amount=amount, at=at, cashier="", training=False)
