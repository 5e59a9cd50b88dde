"""What to do about the result of sending one message: pure, and all of the forwarder's judgement.

Rules of this file: a result goes in, a step comes out; nothing is sent, asked or recorded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from terminal.delivery import Done, Retry, Verdict
from terminal.errors import HostError, HostUnreachable
from terminal.ledger import Kind, OutboxItem
from terminal.transaction import Event, SetAside

FIRST_WAIT_S = 1.0
LAST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Unusable:
    """Our own message, or what the ledger says of its sale, cannot be read: nothing was sent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record the event; ``erase`` the message with it."""

    event: Event
    erase: bool


@dataclass(frozen=True, slots=True)
class Later:
    """Send it again in ``wait_s`` seconds, as a repeat."""

    wait_s: float
    note: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing left: it counts as not sent, and is due as before."""

    note: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep it for a person; the sale stays as it is, in the pending total."""

    why: str


Step = Record | Later | NotSent | Hold
Result = Verdict | HostError | Unusable


def backoff_s(attempts: int, jitter: float) -> float:
    """Seconds to wait after this many sends: 1 s doubling to 5 min, the upper half by chance.

    ``jitter`` is from 0 up to 1; it keeps tills that lost the line together from coming back
    together.
    """
    whole = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(max(attempts, 1) - 1, 30))
    return whole * (0.5 + jitter / 2)


def plan(item: OutboxItem, result: Result, jitter: float) -> Step:
    """What to do about the result of sending ``item``, counted as sent already."""
    match result:
        case Done(SetAside() as event):
            # The message is all there is to send when a person sends the sale round again.
            return Record(event, erase=False)
        case Done(event):
            return Record(event, erase=True)
        case Retry(reason):
            return Later(backoff_s(item.attempts, jitter), reason)
        case Unusable(reason):
            return Hold(reason)
        case HostUnreachable():
            return NotSent(result.message)
        case HostError():
            return Later(backoff_s(item.attempts, jitter), result.message)


def poisoned(item: OutboxItem, silences_max: int, at: datetime) -> Record | None:
    """Sets a stored sale aside that alone gets no answer, while the host answers others.

    A reversal is repeated for ever: only its answer says that no money was taken.
    """
    if item.kind is not Kind.ADVICE or item.silences < silences_max:
        return None
    reason = f"The host answers others, and has not answered this one {item.silences} times."
    return Record(SetAside(at, "", reason), erase=False)
