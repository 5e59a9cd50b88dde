"""The forwarder: sends what waits in the outbox, and knows whether the acquirer answers.

Rules of this file: what to do about a result is decided by ``plan``, which is pure; the loop
around it only sends, asks and records. It cannot mint a number or compose a sale: it is given
finished bytes, and a way to turn them into a repeat. A message in trouble waits by itself and
holds up no other; a line in trouble holds up all of them, and is tried with an echo.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from offline_queue.journal import SqlJournal
from offline_queue.outbox import Outbox
from terminal.delivery import Done, Retry, Verdict
from terminal.errors import HostError, HostUnreachable
from terminal.ledger import OutboxItem
from terminal.ports import Clock, Entropy, Host
from terminal.transaction import Event, SetAside, Transaction

FIRST_WAIT_S = 1.0
LAST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Wire:
    """What the forwarder must know of the acquirer's protocol, as functions.

    ``repeat_of`` turns a message into its repeat (0220 into 0221, 0420 into 0421);
    ``is_answer_to`` gives the test for the answer to one message; ``read`` says what an answer
    means, and raises HostGarbled where it cannot; ``probe`` exchanges an echo (0800) over the
    link, and raises HostError where there is no good answer.
    """

    repeat_of: Callable[[bytes], bytes]
    is_answer_to: Callable[[bytes], Callable[[bytes], bool]]
    read: Callable[[OutboxItem, bytes, datetime], Verdict]
    probe: Callable[[Host], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the forwarder waits: for an answer, for its claims, between echoes at idle."""

    answer_timeout_s: float = 30.0
    lease_s: float = 120.0
    probe_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The acquirer answers, or does not any more."""

    online: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SaleMoved:
    """A queued message had its answer, and its sale moved on."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Trouble:
    """The forwarder itself failed; it goes on after a pause."""

    reason: str


News = LineChanged | SaleMoved | Trouble


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


Step = Record | Later | NotSent


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: how many messages left, how many had a final answer."""

    sent: int = 0
    answered: int = 0
    online: bool = True


def backoff_s(attempts: int, jitter: float) -> float:
    """Seconds to wait after this many sends: 1 s doubling to 5 min, the upper half by chance.

    ``jitter`` is from 0 up to 1; it keeps tills that lost the line together from coming back
    together.
    """
    whole = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(max(attempts, 1) - 1, 30))
    return whole * (0.5 + jitter / 2)


def plan(item: OutboxItem, result: Verdict | HostError, jitter: float) -> Step:
    """What to do about the result of sending ``item``, counted as sent already."""
    match result:
        case Done(SetAside() as event):
            # The message is all there is to send when a person sends the sale round again.
            return Record(event, erase=False)
        case Done(event):
            return Record(event, erase=True)
        case Retry(reason):
            return Later(backoff_s(item.attempts, jitter), reason)
        case HostUnreachable():
            return NotSent(result.message)
        case HostError():
            return Later(backoff_s(item.attempts, jitter), result.message)


class Sync:
    """Forwards the outbox over a link of its own; as a thread, or round by round.

    Args:
        journal: the till's ledger.
        open_link: a new link to the acquirer, for the forwarder alone.
        wire: the acquirer's protocol.
        clock: for times in the ledger.
        entropy: spreads the waits.
        notify: is told of every change, on the forwarder's thread; must not block.
        timing: how long to wait.
    """

    def __init__(
        self,
        journal: SqlJournal,
        open_link: Callable[[], Host],
        wire: Wire,
        clock: Clock,
        entropy: Entropy,
        *,
        notify: Callable[[News], None],
        timing: Timing = Timing(),  # Frozen, so one for all is safe.
    ) -> None:
        self._journal = journal
        self._outbox = Outbox(journal.store)
        self._open_link = open_link
        self._link: Host | None = None
        self._wire = wire
        self._clock = clock
        self._entropy = entropy
        self._notify = notify
        self._timing = timing
        self._online: bool | None = None
        self._failures = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def online(self) -> bool | None:
        """Whether the acquirer answered the last time; None before the first try."""
        return self._online

    def start(self) -> None:
        """Starts the forwarder's thread."""
        if self._thread is not None:
            raise AssertionError("the forwarder runs already")
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._thread.start()

    def kick(self) -> None:
        """Wakes the forwarder: a sale was stored, or the line was seen to come or go."""
        self._wake.set()

    def stop(self, *, timeout_s: float = 5.0) -> bool:
        """Ends the thread after the message in hand; False when it still waits for an answer.

        Nothing is lost when the process ends meanwhile: the send is counted on the disk.
        """
        self._stopping.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._thread = None
        return True

    def probe(self) -> bool:
        """Asks the acquirer for an echo; whether it answered."""
        try:
            self._wire.probe(self._connected())
        except HostError as cause:
            self._set_online(online=False, reason=cause.message)
            return False
        self._set_online(online=True)
        return True

    def run_once(self) -> Round:
        """Sends everything that is due, each message once, while the line holds.

        Raises:
            StoreError: the ledger cannot be written; what was sent is counted as sent.
        """
        due = self._clock.now()
        sent = answered = 0
        while not self._stopping.is_set():
            item = self._outbox.claim(
                self._clock.now(), owner="sync", lease_s=self._timing.lease_s, due=due
            )
            if item is None:
                break
            result = self._send(item)
            step = plan(item, result, self._jitter())
            self._apply(item, step)
            sent += not isinstance(step, NotSent)
            answered += isinstance(step, Record)
            match result:
                case HostUnreachable():
                    self._set_online(online=False, reason=result.message)
                    break
                case HostError():
                    # One silent answer may be this message's trouble, or the line's.
                    if not self.probe():
                        break
                case _:
                    self._set_online(online=True)
        return Round(sent, answered, online=self._online is not False)

    def close(self) -> None:
        """Closes the link. Only once the thread has ended. Harmless when called twice."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _send(self, item: OutboxItem) -> Verdict | HostError:
        message = item.message if item.attempts == 1 else self._wire.repeat_of(item.message)
        try:
            answer = self._connected().exchange(
                message,
                is_answer=self._wire.is_answer_to(message),
                timeout_s=self._timing.answer_timeout_s,
            )
            return self._wire.read(item, answer, self._clock.now())
        except HostError as cause:
            return cause

    def _apply(self, item: OutboxItem, step: Step) -> None:
        match step:
            case Record():
                done = item if step.erase else None
                sale = self._journal.commit(item.txn_id, step.event, done=done)
                if not step.erase:
                    self._outbox.retry_later(item, self._clock.now(), sale.reason)
                self._notify(SaleMoved(sale))
            case Later():
                not_before = self._clock.now() + timedelta(seconds=step.wait_s)
                self._outbox.retry_later(item, not_before, step.note)
            case NotSent():
                self._outbox.give_back(item, step.note)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    wait_s = self._turn()
                # The top of the thread. A failure here, ours or the disk's, must not end the
                # forwarding of every other sale; it is shown, and the lease of the message
                # in hand keeps it from being tried again at once.
                except Exception as cause:  # noqa: BLE001
                    self._notify(Trouble(str(cause) or type(cause).__name__))
                    # The next good echo is news again.
                    self._online = None
                    wait_s = self._timing.probe_every_s
                self._wake.wait(wait_s)
                self._wake.clear()
        finally:
            self.close()

    def _turn(self) -> float:
        """One turn of the thread; the seconds until the next."""
        due_s = self._outbox.seconds_to_next(self._clock.now())
        # With something to send, sending it shows whether the line holds; an echo would not.
        ready = self._online is True and due_s == 0.0
        if not (ready or self.probe()) or not self.run_once().online:
            self._failures += 1
            return min(backoff_s(self._failures, self._jitter()), self._timing.probe_every_s)
        self._failures = 0
        self._journal.housekeeping()
        due_s = self._outbox.seconds_to_next(self._clock.now())
        return (
            self._timing.probe_every_s if due_s is None else min(due_s, self._timing.probe_every_s)
        )

    def _connected(self) -> Host:
        if self._link is None:
            self._link = self._open_link()
        return self._link

    def _set_online(self, *, online: bool, reason: str = "") -> None:
        if online is not self._online:
            self._online = online
            self._notify(LineChanged(online, reason))

    def _jitter(self) -> float:
        return int.from_bytes(self._entropy.random_bytes(4), "big") / 2**32
