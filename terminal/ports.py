"""What the terminal needs of the world, as protocols. Drivers and the simulator fill them.

Rules of this file: bytes and plain values cross here and nothing else, so that a driver needs
no knowledge of EMV or ISO 8583. Behaviour beyond the signatures is held by ``drivers.contract``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol, runtime_checkable


class Card(Protocol):
    """One contactless card, phone or watch that has been activated."""

    @property
    def technology(self) -> str:
        """How it talks, for a person: ``ISO 14443-4 A``, ``ISO 14443-4 B``."""

    def exchange(self, command: bytes) -> bytes:
        """Sends one C-APDU, returns the R-APDU with its status word (at least 2 bytes).

        Raises:
            CardLost: the card left the field or stopped answering.
            ReaderUnplugged: the reader went away.
        """


@dataclass(frozen=True, slots=True)
class SeveralCards:
    """More than one card answered: "present one card only" (EMV Book B, collision)."""


@dataclass(frozen=True, slots=True)
class ForeignTag:
    """Something that answers but is no payment card: a transit ticket, an NFC sticker, an ID.

    ``technology`` names it for a person and carries no identifier: ``MIFARE Classic``.
    """

    technology: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something was there and could not be activated: "present card again"."""

    reason: str


Presented = Card | SeveralCards | ForeignTag | Unreadable


class Reader(Protocol):
    """A contactless reader. Owned by one thread; only ``cancelled`` is called across threads."""

    @property
    def name(self) -> str:
        """The reader's name for a person: ``ACS ACR1252``, ``PN532 on /dev/ttyUSB0``."""

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        """Polls until something is presented; None when the time is up or ``cancelled()``.

        ``cancelled`` is asked at least every 100 ms.

        Raises:
            ReaderUnplugged: the reader went away.
        """

    def release(self) -> None:
        """Drops the card in hand and the field. Harmless without a card, and after a loss."""

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """Waits until no card is in the field; False when one is still there.

        Raises:
            ReaderUnplugged: the reader went away.
        """

    def close(self) -> None:
        """Gives the device back. Harmless when called twice."""


class Host(Protocol):
    """A link to the acquirer's host that carries whole messages."""

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        """Sends one message and returns the first message for which ``is_answer`` holds.

        Other messages that arrive meanwhile are late answers to earlier requests and dropped.

        Raises:
            HostUnreachable: nothing left the socket.
            HostSilent: something left the socket, and no answer came in time.
            HostGarbled: the framing of what came back is broken.
        """

    def close(self) -> None:
        """Ends the connection. Harmless when called twice."""


@runtime_checkable
class Link(Host, Protocol):
    """A link that can have several messages in flight. Owned by one thread.

    Whoever sends matches the answers: they come in any order, late and double ones among them.
    """

    def send(self, request: bytes, *, timeout_s: float) -> None:
        """Sends one message and waits for no answer. A failure ends the connection.

        Raises:
            HostUnreachable: nothing of it left the socket.
            HostSilent: some of it may have left the socket.
        """

    def receive(self, *, timeout_s: float) -> list[bytes]:
        """The messages that have come, waiting for the first; empty when the time is up.

        Raises:
            HostSilent: the connection has ended.
            HostGarbled: the framing of what came is broken; the connection is ended.
        """


class KeyStore(Protocol):
    """Keys that never come out."""

    @property
    def level(self) -> str:
        """The protection level: ``tpm2``, ``rpi-otp``, ``file`` or ``sim``."""

    def mac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA-256 of ``data`` under the device key for ``label``; 32 bytes."""


class RollbackCounter(Protocol):
    """A number outside the ledger's file that only goes up: an older copy of the file shows."""

    def value(self) -> int:
        """How far it has come.

        Raises:
            KeyStoreError: the device does not answer.
        """

    def raise_to(self, value: int) -> None:
        """Raises it to ``value``, which is at most one more; harmless when it is there already.

        Raises:
            KeyStoreError: the device does not answer, or has gone past.
        """


class Sealer(Protocol):
    """Encrypts to the acquirer. What it has sealed, the till cannot open."""

    @property
    def key_id(self) -> str:
        """Which of the acquirer's keys: 16 hexadecimal digits."""

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """The envelope of ``plaintext``, bound to ``info``; fresh randomness at each call."""


class Emphasis(Enum):
    """How a printed line stands out."""

    PLAIN = "plain"
    STRONG = "strong"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class PrintLine:
    """One line of paper: text at the left, and text at the right edge or centred."""

    left: str = ""
    right: str = ""
    centred: bool = False
    emphasis: Emphasis = Emphasis.PLAIN


class Printer(Protocol):
    """Puts lines on paper, or into a file that stands for it."""

    def print(self, title: str, lines: Sequence[PrintLine]) -> str:
        """Prints, and says where it went (a path, a device).

        ``title`` names the job: letters, digits and dashes, unique per receipt.

        Raises:
            PrinterError: nothing, or not everything, was printed.
        """


class Clock(Protocol):
    """Time, handed in so that tests and simulations can own it."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back: for deadlines."""


class Entropy(Protocol):
    """Randomness, handed in for the same reason."""

    def random_bytes(self, count: int) -> bytes:
        """``count`` unpredictable bytes."""
