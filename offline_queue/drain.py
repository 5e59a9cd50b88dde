"""One round of the forwarder: everything that is due goes out once, several at a time.

Rules of this file: a message is claimed on the disk before its bytes leave, and what became of
it is recorded with that claim. Answers that have come together are recorded together. Nothing
new goes out once the line is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from offline_queue.news import News, Progress, SaleMoved, Trouble
from offline_queue.outbox import Outbox, Waiting
from offline_queue.pipeline import Arrival, Pipeline
from offline_queue.plan import (
    FIRST_WAIT_S,
    Hold,
    Later,
    NotSent,
    Result,
    Step,
    Unusable,
    plan,
    poisoned,
)
from offline_queue.wire import Timing, Wire
from terminal.delivery import Retry
from terminal.errors import HostError, HostUnreachable, StoreError
from terminal.ledger import OutboxItem
from terminal.line import Answered, Failed, Signal
from terminal.ports import Clock, Host
from terminal.transaction import Transaction

TELL_EVERY_S = 0.5
GATHER_S = 0.02
"""How long an answer waits for others, so that a slow disk syncs once for several."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: how many messages left, how many had a final answer."""

    sent: int = 0
    answered: int = 0
    online: bool = True


class Settles(Protocol):
    """Records what became of claimed messages: the journal, or the relay of other tills."""

    def settle(self, results: Sequence[tuple[OutboxItem, Step]]) -> list[Transaction | None]:
        """All in one SQL transaction; the sales that moved on, None for the others."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a round works with; ``probe`` says whether the host answers an echo."""

    journal: Settles
    outbox: Outbox
    wire: Wire
    clock: Clock
    timing: Timing
    owner: str
    window: int
    jitter: Callable[[], float]
    notify: Callable[[News], None]
    observe: Callable[[Signal], None]
    probe: Callable[[], bool]
    stopping: Callable[[], bool]


class Drain:
    """One round over one link; messages that are due up to ``due`` are sent, each once."""

    def __init__(self, desk: Desk, link: Host, due: datetime) -> None:
        self._desk = desk
        self._due = due
        self._pipeline = Pipeline(
            link,
            awaited=desk.wire.awaited,
            told=desk.wire.told,
            is_answer_to=desk.wire.is_answer_to,
            monotonic=desk.clock.monotonic,
            timeout_s=desk.timing.answer_timeout_s,
        )
        self._window = desk.window if self._pipeline.several else 1
        self._count = _Count(desk.outbox.waiting())
        self._told_at = desk.clock.monotonic()
        self._silent: list[OutboxItem] = []
        self._sent = self._answered = 0
        self._holds = True

    def run(self) -> Round:
        """The round.

        Raises:
            StoreError: the ledger cannot be written; what was sent is counted as sent.
        """
        more = True
        while True:
            if more and self._holds and not self._desk.stopping():
                more = self._fill()
            if not self._pipeline.in_flight:
                if not more or not self._holds or self._desk.stopping():
                    break
                continue
            self._settle(self._gathered())
            # One silent answer may be its message's trouble, or the line's: an echo tells.
            if self._silent and not self._pipeline.in_flight:
                self._holds = self._holds and self._desk.probe()
                self._judge_silent()
        self._tell(last=True)
        return Round(self._sent, self._answered, online=self._holds)

    def _fill(self) -> bool:
        """Launches what there is room for; False when nothing else is due."""
        room = self._window - self._pipeline.in_flight
        # Half a window at a time, so that a claim and its sync are shared.
        if room < max(1, self._window // 2) or self._silent:
            return True
        items = self._desk.outbox.claim_several(
            self._desk.clock.now(),
            owner=self._desk.owner,
            lease_s=self._desk.timing.lease_s,
            limit=room,
            due=self._due,
        )
        for item in items:
            self._launch(item)
        return len(items) == room

    def _gathered(self) -> list[Arrival]:
        """What has come back; a moment longer for what comes next, to share one sync with it."""
        arrivals = self._pipeline.collect()
        until = self._desk.clock.monotonic() + GATHER_S
        while self._pipeline.several and len(arrivals) < self._window // 4:
            left_s = until - self._desk.clock.monotonic()
            more = self._pipeline.collect(left_s) if left_s > 0 else []
            if not more:
                break
            arrivals += more
        return arrivals

    def _launch(self, item: OutboxItem) -> None:
        """Sends one message, if it can be read and the line still holds."""
        if not self._holds:
            self._record([(item, NotSent("The line was lost before this one."))])
            return
        try:
            request = item.message
            if item.attempts > 1:
                request = self._desk.wire.repeat_of(request)
            if self._pipeline.is_taken(item, request):
                wait = Later(FIRST_WAIT_S, "It waits for another message with its numbers.")
                self._record([(item, wait)])
                return
            failed = self._pipeline.launch(item, request)
        except AssertionError as fault:
            # It cannot be read, or is not to be sent twice: no later try would change that.
            self._record([(item, self._plan(item, Unusable(f"It cannot be sent: {fault}")))])
            return
        if failed is not None:
            self._holds = False
            self._desk.observe(Failed(failed.message))
            self._record([(item, self._plan(item, failed))])

    def _settle(self, arrivals: list[Arrival]) -> None:
        """Decides about everything that has come back, and records it at once."""
        steps: list[tuple[OutboxItem, Step]] = []
        for arrival in arrivals:
            result = self._read(arrival)
            self._notice(arrival, result)
            steps.append((arrival.item, self._plan(arrival.item, result)))
        if steps:
            self._record(steps)

    def _read(self, arrival: Arrival) -> Result:
        if isinstance(arrival.result, HostError):
            return arrival.result
        try:
            return self._desk.wire.read(arrival.item, arrival.result, self._desk.clock.now())
        except HostError as garbled:
            return garbled
        except (AssertionError, StoreError) as fault:
            # Ours: the message or its sale cannot be read back.
            return Unusable(f"Its answer cannot be judged: {fault}")

    def _notice(self, arrival: Arrival, result: Result) -> None:
        """What this result says about the line."""
        match result:
            case HostUnreachable():
                self._holds = False
                self._desk.observe(Failed(result.message))
            case HostError():
                self._silent.append(arrival.item)
            case Retry(reason=reason, host_trouble=True):
                self._desk.observe(Answered(arrival.took_s, trouble=reason))
            case _:
                self._desk.observe(Answered(arrival.took_s))

    def _plan(self, item: OutboxItem, result: Result) -> Step:
        return plan(item, result, self._desk.jitter())

    def _record(self, steps: list[tuple[OutboxItem, Step]]) -> None:
        self._sent += sum(not isinstance(step, NotSent) for _, step in steps)
        try:
            moved = self._desk.journal.settle(steps)
        except AssertionError:
            # One of them breaks a rule of ours: it must not take the others with it.
            moved = [self._record_alone(item, step) for item, step in steps]
        for (item, _), sale in zip(steps, moved, strict=True):
            if sale is not None:
                self._answered += 1
                self._count.take(item, sale)
                self._desk.notify(SaleMoved(sale))
        self._tell()

    def _record_alone(self, item: OutboxItem, step: Step) -> Transaction | None:
        try:
            (sale,) = self._desk.journal.settle([(item, step)])
        except AssertionError as fault:
            self._desk.notify(Trouble(str(fault)))
            (sale,) = self._desk.journal.settle([(item, Hold(f"It breaks a rule: {fault}"))])
        return sale

    def _judge_silent(self) -> None:
        """The host answers others: whoever was silent too often is set aside."""
        silent, self._silent = self._silent, []
        if not self._holds:
            return
        at, most = self._desk.clock.now(), self._desk.wire.silences_max
        counted = self._desk.outbox.count_silences(silent)
        aside: list[tuple[OutboxItem, Step]] = [
            (item, step) for item in counted if (step := poisoned(item, most, at)) is not None
        ]
        if aside:
            self._record(aside)

    def _tell(self, *, last: bool = False) -> None:
        now = self._desk.clock.monotonic()
        if last or now - self._told_at >= TELL_EVERY_S:
            self._told_at = now
            if self._count.done:
                self._desk.notify(self._count.progress())


class _Count:
    """How much of what waited at the start has had its answer."""

    def __init__(self, waiting: Waiting) -> None:
        self.done = 0
        self._total = waiting.count
        self._left = dict(waiting.minor)

    def take(self, item: OutboxItem, sale: Transaction) -> None:
        """One message less."""
        del item
        self.done += 1
        self._total = max(self._total, self.done)
        currency = sale.amount.currency
        self._left[currency] = max(0, self._left.get(currency, 0) - sale.amount.minor)

    def progress(self) -> Progress:
        """As the till tells it."""
        return Progress(self.done, self._total, MappingProxyType(dict(self._left)))
