"""The forwarder: sends what waits in the outbox, and knows whether the acquirer answers.

Rules of this file: what to do about a result is decided by ``plan``, which is pure; the loop
around it only sends, asks and records. It cannot mint a number or compose a sale: it is given
finished bytes, and a way to turn them into a repeat. Several messages are in flight at once;
one in trouble waits by itself and holds up no other. A line in trouble holds up all of them,
and is tried with an echo.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace

from offline_queue.drain import Desk, Drain, Round
from offline_queue.journal import SqlJournal
from offline_queue.news import LineChanged, News, Progress, SaleMoved, Trouble
from offline_queue.outbox import Outbox
from offline_queue.plan import backoff_s
from offline_queue.relay import Relay
from offline_queue.wire import USUAL_TIMING, Timing, Wire
from terminal.errors import HostError
from terminal.line import Answered, Connectivity, Failed, Line, Signal
from terminal.ports import Clock, Entropy, Host

__all__ = [
    "LineChanged",
    "News",
    "Progress",
    "Round",
    "SaleMoved",
    "Sync",
    "Timing",
    "Trouble",
    "Wire",
]


class Sync:
    """Forwards the outbox over a link of its own; as a thread, or round by round.

    Args:
        journal: the till's ledger.
        open_link: a new link to the acquirer, for the forwarder alone.
        wire: the acquirer's protocol.
        clock: for times in the ledger.
        entropy: spreads the waits.
        notify: is told of every change, on the thread that saw it; must not block.
        timing: how long to wait, and when the line counts as what.
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
        timing: Timing = USUAL_TIMING,
    ) -> None:
        self._journal = journal
        self._outbox = Outbox(journal.store)
        self._relay = Relay(journal.store, clock)
        self._open_link = open_link
        self._link: Host | None = None
        self._wire = wire
        self._clock = clock
        self._entropy = entropy
        self._notify = notify
        self._timing = timing
        self._line = Connectivity()
        self._line_guard = threading.Lock()
        self._owner = f"sync {entropy.random_bytes(6).hex()}"
        self._measured_at = -math.inf
        self._failures = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def online(self) -> bool | None:
        """Whether it is worth a customer's time to ask the acquirer; None before the first try."""
        line = self._line
        return None if line.line is None else line.usable

    @property
    def line(self) -> Line | None:
        """The line as it was measured last; None before the first try."""
        return self._line.line

    def observe(self, signal: Signal) -> None:
        """Takes in how an exchange went, of this link or of the till's own. From any thread."""
        with self._line_guard:
            before, self._line = self._line, self._line.after(signal, self._timing.line)
            now = self._line
            self._measured_at = self._clock.monotonic()
        if now.line is not before.line:
            degraded = now.line is Line.DEGRADED
            self._notify(LineChanged(now.usable, now.reason, degraded=degraded))

    def measure(self, *, older_than_s: float = 10.0) -> None:
        """Has the line looked at now, unless it was a moment ago. From any thread."""
        if self._clock.monotonic() - self._measured_at > older_than_s:
            self.kick()

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
        """Ends the thread after the messages in hand; False when it still waits for an answer.

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
        started = self._clock.monotonic()
        try:
            host_time = self._wire.probe(self._connected())
        except HostError as cause:
            self.observe(Failed(cause.message))
            return False
        if host_time is not None:
            self._journal.saw_host_time(host_time)
        self.observe(Answered(self._clock.monotonic() - started))
        return True

    def run_once(self) -> Round:
        """Sends everything that is due, each message once, while the line holds.

        Raises:
            StoreError: the ledger cannot be written; what was sent is counted as sent.
        """
        degraded = self.line is Line.DEGRADED
        desk = Desk(
            journal=self._journal,
            outbox=self._outbox,
            wire=self._wire,
            clock=self._clock,
            timing=self._timing,
            owner=self._owner,
            # A host that is not well gets one message at a time.
            window=1 if degraded else self._timing.window,
            jitter=self._jitter,
            notify=self._notify,
            observe=self.observe,
            probe=self.probe,
            stopping=self._stopping.is_set,
        )
        now = self._clock.now()
        own = Drain(desk, self._connected(), now).run()
        judge = self._wire.judge
        if not own.online or judge is None or not self._relay.waiting().count:
            return own
        wire = replace(self._wire, read=self._relay.reader(judge))
        other = replace(desk, journal=self._relay, outbox=self._relay, wire=wire)
        relayed = Drain(other, self._connected(), now).run()
        return Round(own.sent + relayed.sent, own.answered, online=relayed.online)

    def close(self) -> None:
        """Closes the link. Only once the thread has ended. Harmless when called twice."""
        if self._link is not None:
            self._link.close()
            self._link = None

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
                    self._line = Connectivity()
                    wait_s = self._timing.probe_every_s
                self._wake.wait(wait_s)
                self._wake.clear()
        finally:
            self.close()

    def _turn(self) -> float:
        """One turn of the thread; the seconds until the next."""
        due_s = self._seconds_to_next()
        # With something to send, sending it shows whether the line holds; an echo would not.
        ready = self.online is True and due_s == 0.0
        if not (ready or self.probe()):
            return self._pause_s()
        if self.online is False:
            # It answers again; once more, and it counts as back.
            return self._timing.rise_s
        if not self.run_once().online:
            return self._pause_s()
        self._failures = 0
        self._journal.housekeeping()
        due_s = self._seconds_to_next()
        return (
            self._timing.probe_every_s if due_s is None else min(due_s, self._timing.probe_every_s)
        )

    def _seconds_to_next(self) -> float | None:
        now = self._clock.now()
        own, other = self._outbox.seconds_to_next(now), self._relay.seconds_to_next(now)
        return min((s for s in (own, other) if s is not None), default=None)

    def _pause_s(self) -> float:
        self._failures += 1
        return min(backoff_s(self._failures, self._jitter()), self._timing.probe_every_s)

    def _connected(self) -> Host:
        if self._link is None:
            self._link = self._open_link()
        return self._link

    def _jitter(self) -> float:
        return int.from_bytes(self._entropy.random_bytes(4), "big") / 2**32
