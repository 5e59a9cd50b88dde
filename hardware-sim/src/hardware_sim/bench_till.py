"""Sales without a reader: a till's half of the conversation with a simulated acquirer.

Rules of this file: messages, sealing and reading of answers are the product's own; the card is
a number and a key, and its cryptogram is one that the simulated issuer really verifies. It is
for the tests of the acquirer, and for benches that need sales by the thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from drivers.registry import Acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.issuer import (
    CRYPTOGRAM_9F26,
    CRYPTOGRAM_INPUT,
    ISSUERS,
    application_cryptogram,
    cryptogram_version,
    icc_master_key,
)
from terminal.card import CardData, Pan
from terminal.iso8583.messages import Answer, SaleFacts, compose_sale, is_answer_to, read_answer
from terminal.iso8583.profiles import BASE87
from terminal.money import Amount, Currency
from terminal.ports import Host, Sealer
from terminal.tokens import Binding, plaintext_of

PAN = "4761739001010010"
EUR = Currency.of("EUR")


@dataclass(frozen=True, slots=True)
class Slip:
    """One sale before it is a message: change a part of it and see what the host says.

    ``minor`` is the amount in cents of a euro, ``expiry`` YYMM. ``chip`` replaces tags of the
    chip data after the cryptogram was computed (None leaves one out), ``bound_minor`` seals the
    card to another amount than the message says, ``facts`` replaces values of the message.
    """

    minor: int = 1250
    stan: int = 1
    pan: str = PAN
    expiry: str = "4912"
    sequence: int | None = 1
    terminal_id: str = "TILL0001"
    merchant_id: str = "SHOP00000000001"
    at: datetime = datetime(2026, 5, 4, 10, 30, 0, tzinfo=UTC)
    chip: Mapping[int, bytes | None] = field(default_factory=dict)
    bound_minor: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def amount(self) -> Amount:
        """What is to be paid."""
        return Amount(self.minor, EUR)

    def chip_data(self) -> dict[int, bytes]:
        """DE 55 by tag, with a cryptogram that the simulated issuer accepts."""
        keys = ISSUERS["Visa"]
        data = {tag: bytes(length) for tag, length in CRYPTOGRAM_INPUT.items()}
        data |= {
            0x9F02: bytes.fromhex(f"{self.minor:012d}"),
            0x5F2A: bytes.fromhex("0978"),
            0x9F36: self.stan.to_bytes(2, "big"),
            0x9F37: self.stan.to_bytes(4, "big"),
            0x9F10: bytes.fromhex("06010A03A00000"),
            0x9F27: b"\x80",
            0x84: bytes.fromhex("A0000000031010"),
        }
        version = cryptogram_version(keys.scheme, data[0x9F10])
        assert version is not None
        key = icc_master_key(keys, self.pan, self.sequence or 0)
        data[CRYPTOGRAM_9F26] = application_cryptogram(version, key, data)
        changed: dict[int, bytes | None] = {**data, **self.chip}
        return {tag: value for tag, value in changed.items() if value is not None}

    def envelope(self, sealer: Sealer) -> bytes:
        """The card, sealed for this sale."""
        bound = self.minor if self.bound_minor is None else self.bound_minor
        binding = Binding(
            terminal_id=self.terminal_id,
            sequence=self.stan,
            txn_id=f"txn-{self.stan}",
            processing_code="000000",
            amount=Amount(bound, EUR),
            transmitted_at=self.at + timedelta(seconds=self.stan),
        )
        card = CardData(Pan(self.pan), self.expiry, self.sequence)
        return sealer.seal(plaintext_of(card), binding.info(sealer.key_id))

    def message(self, sealer: Sealer) -> bytes:
        """The 0200 of this sale, without framing. Sealing is random: compose once to send twice."""
        facts = SaleFacts(
            amount=self.amount,
            stan=self.stan,
            rrn=f"RRN{self.stan:09d}",
            at=self.at + timedelta(seconds=self.stan),
            local_at=self.at + timedelta(hours=2, seconds=self.stan),
            terminal_id=self.terminal_id,
            merchant_id=self.merchant_id,
            reference=f"{self.stan}:txn-{self.stan}",
            chip_data=self.chip_data(),
            envelope=self.envelope(sealer),
            batch=1,
            pan_sequence=self.sequence,
        )
        return compose_sale(BASE87, replace(facts, **self.facts))


@dataclass(frozen=True, slots=True)
class BenchTill:
    """A till without a reader, on a simulated acquirer; it reads answers as the product does."""

    acquirer: Acquirer
    host: Host
    control: AcquirerControl

    def close(self) -> None:
        """Ends the link and gives the acquirer back. Harmless when called twice."""
        self.host.close()
        self.acquirer.close()

    def message(self, slip: Slip) -> bytes:
        """The 0200 of a sale, sealed to this acquirer."""
        return slip.message(self.acquirer.sealer)

    def send(self, wire: bytes, timeout_s: float = 10.0) -> Answer:
        """Sends a message and reads the answer to it.

        Raises:
            HostError: there was none, or none that can be trusted.
        """
        answer = self.host.exchange(wire, is_answer=is_answer_to(BASE87, wire), timeout_s=timeout_s)
        return read_answer(BASE87, wire, answer)

    def sell(self, slip: Slip, timeout_s: float = 10.0) -> Answer:
        """Composes a sale, sends it and reads the answer.

        Raises:
            HostError: there was none, or none that can be trusted.
        """
        return self.send(self.message(slip), timeout_s)
