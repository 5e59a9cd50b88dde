"""Runs a card dialogue: the only place where a kernel's commands meet a card.

Rules of this file: the runner keeps the limits (a card may not hold the till for ever), measures
the card, and keeps lengths and status words but no bytes. Bytes go to ``record`` alone, which
tests and bench tools hand in and a till does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from terminal.emv.apdu import Command, Dialogue, Response
from terminal.errors import CardError, CardLost
from terminal.ports import Card

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one card may talk: commands, seconds of card time, and bytes both ways."""

    commands: int = 100
    card_time_s: float = 5.0
    total_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One command and its answer, without their bytes; ``sw`` is None when the card was lost."""

    name: str
    sent: int
    received: int
    sw: int | None
    card_time_s: float


@dataclass(frozen=True, slots=True)
class Conversation(Generic[T]):
    """What the dialogue came to, what was exchanged, and the seconds the card took in all."""

    result: T
    exchanges: tuple[Exchange, ...]
    card_time_s: float


class _Meter:
    """Counts what the limits limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.exchanges: list[Exchange] = []
        self.card_time_s = 0.0
        self.total_bytes = 0

    def before(self, command: bytes) -> None:
        if len(self.exchanges) >= self.limits.commands:
            raise CardError(f"The card needs more than {self.limits.commands} commands.")
        self.total_bytes += len(command)

    def after(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.card_time_s += exchange.card_time_s
        self.total_bytes += exchange.received
        if self.card_time_s > self.limits.card_time_s:
            raise CardError(f"The card took longer than {self.limits.card_time_s:g} s.")
        if self.total_bytes > self.limits.total_bytes:
            raise CardError(f"The card exchanged more than {self.limits.total_bytes} bytes.")


def converse(
    dialogue: Dialogue[T],
    card: Card,
    *,
    monotonic: Callable[[], float],
    limits: Limits | None = None,
    record: Callable[[bytes, bytes | None], None] | None = None,
) -> Conversation[T]:
    """Runs ``dialogue`` against ``card`` to its end.

    A lost card and an answer that is no R-APDU are thrown into the dialogue, which may turn them
    into a result.

    Args:
        dialogue: a kernel, not yet started.
        card: what the reader found.
        monotonic: seconds on a clock that never goes back.
        limits: 100 commands, 5 s of card time and 64 KiB unless said otherwise.
        record: is given each command and answer (None for a lost card) in clear bytes.

    Raises:
        CardError: the card went over a limit.
        CardLost: the card left and the dialogue has no use for that.
        ReaderUnplugged: the reader went away.
    """
    meter = _Meter(limits or Limits())
    try:
        command = next(dialogue)
        while True:
            try:
                answer = _exchange(command, card, meter, monotonic, record)
            except CardLost as lost:
                command = dialogue.throw(lost)
                continue
            try:
                response = Response.decode(answer, meter.exchanges[-1].card_time_s)
            except CardError as error:
                command = dialogue.throw(error)
                continue
            command = dialogue.send(response)
    except StopIteration as end:
        result: T = end.value
        return Conversation(result, tuple(meter.exchanges), meter.card_time_s)
    finally:
        dialogue.close()


def _exchange(
    command: Command,
    card: Card,
    meter: _Meter,
    monotonic: Callable[[], float],
    record: Callable[[bytes, bytes | None], None] | None,
) -> bytes:
    wire = command.encode()
    meter.before(wire)
    start = monotonic()
    try:
        answer = card.exchange(wire)
    except CardLost:
        took_s = monotonic() - start
        meter.exchanges.append(Exchange(command.name, len(wire), 0, None, took_s))
        meter.card_time_s += took_s
        if record:
            record(wire, None)
        raise
    took_s = monotonic() - start
    if record:
        record(wire, answer)
    sw = int.from_bytes(answer[-2:], "big") if len(answer) >= 2 else None
    meter.after(Exchange(command.name, len(wire), len(answer), sw, took_s))
    return answer
