"""Hostile cards by the million: each made from one number, played against Entry Point and a kernel.

A card is an honest dialogue (of a simulated card, recorded once) that has been spoiled, or nonsense
of the right shape. Whatever it does, the tap has to end in an outcome or in a ``CardError`` of the
runner's limits; anything else is a fault of ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Protocol

from hardware_sim import ca
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from terminal.emv.converse import converse
from terminal.emv.entry_point import TransactionRequest, default_settings, transact
from terminal.emv.oda import CaKeys
from terminal.emv.outcome import Decision, Outcome
from terminal.emv.settings import ReaderSettings
from terminal.emv.tags import TAGS
from terminal.emv.tlv import encode
from terminal.errors import CardError, CardLost
from terminal.money import Amount, Currency

HONEST = (
    "visa-offline",
    "visa-credit",
    "visa-phone",
    "mastercard-credit",
    "mastercard-watch",
    "amex",
)
_TAGS = tuple(sorted(TAGS))
_TEMPLATES = (0x6F, 0x70, 0x77, 0x80, 0x61, 0xA5, 0xBF0C)
_STATUS = (0x9000, 0x9000, 0x9000, 0x6985, 0x6986, 0x6984, 0x6283, 0x6A82, 0x6A83, 0x6700, 0x0000)
_ANSWERS_MAX = 130
_MASTERCARD = 2


class Choices(Protocol):
    """Where a card's decisions come from: a seed, or a fuzzer's bytes."""

    def below(self, count: int) -> int:
        """A number from 0 to ``count`` less 1."""

    def some_bytes(self, count: int) -> bytes:
        """That many bytes."""


class Seeded:
    """Choices from one number."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def below(self, count: int) -> int:
        """A number from 0 to ``count`` less 1."""
        return int(self._chance.random() * count)

    def some_bytes(self, count: int) -> bytes:
        """That many bytes."""
        return self._chance.randbytes(count)


class FromBytes:
    """Choices from a fuzzer's input; when it is used up they are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, count: int) -> int:
        """A number from 0 to ``count`` less 1."""
        return int.from_bytes(self.some_bytes(2 if count > 0xFF else 1)) % count

    def some_bytes(self, count: int) -> bytes:
        """That many bytes."""
        found = self._data[self._at : self._at + count]
        self._at += count
        return found.ljust(count, b"\0")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An honest dialogue, and what its tap came to."""

    answers: tuple[bytes, ...]
    outcome: Outcome


REQUEST = TransactionRequest(
    Amount(1250, Currency.of("EUR")), datetime(2026, 3, 14, 12, tzinfo=UTC), b"\x12\x34\x56\x78"
)


def reader_settings() -> ReaderSettings:
    """A reader that may approve offline, so that a lie has something to gain."""
    return default_settings(
        978,
        Currency.of("EUR"),
        floor_limit_minor=100_000,
        ca_keys=CaKeys(ca.ca_public_keys()),
    )


def _ticks() -> Iterator[float]:
    at = 0.0
    while True:
        yield at
        at += 0.0001


@cache
def corpus() -> tuple[Recorded, ...]:
    """The honest dialogues, recorded once with the request and the settings of every tap here."""
    return tuple(map(_recorded, HONEST))


def _recorded(name: str) -> Recorded:
    answers: list[bytes] = []
    ticks = _ticks()
    outcome = converse(
        transact(REQUEST, reader_settings()),
        EmvCard(load_profile(name)),
        monotonic=lambda: next(ticks),
        record=lambda _, answer: answers.append(answer or b""),
    ).result
    return Recorded(tuple(answers), outcome)


class Hostile:
    """Answers from a list, whatever is asked; then the card leaves, or says the last again."""

    technology = "hostile"

    def __init__(self, answers: Sequence[bytes], *, endless: bool) -> None:
        self._answers, self._endless, self._at = answers, endless, 0

    def exchange(self, command: bytes) -> bytes:
        """The next answer.

        Raises:
            CardLost: there is none.
        """
        del command
        if self._at >= len(self._answers):
            if self._endless and self._answers and self._at < _ANSWERS_MAX:
                self._at += 1
                return self._answers[-1]
            raise CardLost("The card left.")
        self._at += 1
        return self._answers[self._at - 1]


def _nonsense(choose: Choices) -> bytes:
    """Objects of known tags with random values, at random depth, and a status word."""
    body = b""
    for _ in range(choose.below(7)):
        tag = _TAGS[choose.below(len(_TAGS))]
        body += encode(tag, choose.some_bytes(choose.below(20)))
    for _ in range(choose.below(4)):
        body = encode(_TEMPLATES[choose.below(len(_TEMPLATES))], body)
    if choose.below(10) == 0:
        body = encode(0x70, bytes.fromhex("7082") * (1 + choose.below(60)))
    return body[:256] + _STATUS[choose.below(len(_STATUS))].to_bytes(2, "big")


def _spoiled(choose: Choices, answer: bytes) -> bytes:
    """One answer of an honest card, changed in one of ten ways."""
    if not answer:
        return _nonsense(choose)
    at = choose.below(len(answer))
    byte = bytes((choose.below(256),))
    match choose.below(10):
        case 0:
            return answer[:at] + bytes((answer[at] ^ (1 << choose.below(8)),)) + answer[at + 1 :]
        case 1:
            return answer[:at] + byte + answer[at + 1 :]
        case 2:
            return answer[:at]
        case 3:
            return answer[:at] + byte + answer[at:]
        case 4:
            return answer[:-2] + _STATUS[choose.below(len(_STATUS))].to_bytes(2, "big")
        case 5:
            return answer[: at // 2] + answer[at:]
        case 6:
            return (answer[:-2] + answer[:-2])[:300] + answer[-2:]
        case 7:
            return _nonsense(choose)
        case 8:
            return choose.some_bytes(choose.below(260))
        case _:
            return b""


def answers_of(choose: Choices) -> list[bytes]:
    """What one hostile card answers."""
    known = corpus()
    if choose.below(4) == 0:
        start = known[choose.below(len(known))].answers[: choose.below(4)]
        return [*start, *(_nonsense(choose) for _ in range(choose.below(9)))]
    answers = list(known[choose.below(len(known))].answers)
    for _ in range(1 + choose.below(5) // 3):
        # The later answers lie deeper in a kernel, so they are spoiled more often.
        where = max(choose.below(len(answers)), choose.below(len(answers)))
        answers[where] = _spoiled(choose, answers[where])
    if choose.below(8) == 0:
        one, other = choose.below(len(answers)), choose.below(len(answers))
        answers[one], answers[other] = answers[other], answers[one]
    return answers


def play(choose: Choices) -> Outcome | None:
    """One tap of one hostile card; None where the runner's limits ended it.

    Raises:
        AssertionError: an approval that no honest card gave.
    """
    card = Hostile(answers_of(choose), endless=choose.below(8) == 0)
    ticks = _ticks()
    try:
        outcome = converse(
            transact(REQUEST, _settings()), card, monotonic=lambda: next(ticks)
        ).result
    except CardError:
        return None
    if outcome.decision is Decision.APPROVED:
        _check_approval(outcome)
    return outcome


@cache
def _settings() -> ReaderSettings:
    return reader_settings()


def _check_approval(outcome: Outcome) -> None:
    """An offline approval has to be for an account that an honest card has, and signed.

    CDA signs the cryptogram; fast DDA does not, so there only the account is compared.
    """
    honest = [each.outcome for each in corpus() if each.outcome.decision is Decision.APPROVED]
    accounts = {each.card.pan.reveal() for each in honest if each.card is not None}
    account = outcome.card.pan.reveal() if outcome.card is not None else ""
    assert account in accounts, "an approval for another account"
    if outcome.application is not None and outcome.application.kernel_id == _MASTERCARD:
        signed = {each.chip_data.get(0x9F26) for each in honest}
        assert outcome.chip_data.get(0x9F26) in signed, "an approval with another cryptogram"
