"""Several messages in flight on one link, each with its own deadline.

Rules of this file: an answer belongs to the message that has its message class, STAN (DE 11) and
terminal (DE 41), and to no other; what matches nothing is a late or second answer and is
dropped. A link that can only exchange one message at a time has a window of one. Every message
that was launched comes back exactly once, with its answer or with what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from terminal.errors import HostError, HostGarbled, HostSilent
from terminal.ledger import OutboxItem
from terminal.ports import Host, Link

Key = Hashable
KeyOf = Callable[[bytes], Key | None]
"""What identifies the answer to a request, or an answer; None for bytes that cannot be read."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of one message: the bytes of its answer, or a failure; and how long it took."""

    item: OutboxItem
    request: bytes
    result: bytes | HostError
    took_s: float


@dataclass(frozen=True, slots=True)
class _Flying:
    item: OutboxItem
    request: bytes
    sent_at: float
    deadline: float


class Pipeline:
    """The messages that are in flight on ``host``.

    Args:
        host: the link; one that is a ``Link`` carries several messages at once.
        awaited: the key of the answer to a request.
        told: the key of an answer.
        is_answer_to: as ``Host.exchange`` wants it, for a link that is no ``Link``.
        monotonic: the clock of the deadlines.
        timeout_s: how long each message may take.
    """

    def __init__(
        self,
        host: Host,
        *,
        awaited: KeyOf,
        told: KeyOf,
        is_answer_to: Callable[[bytes], Callable[[bytes], bool]],
        monotonic: Callable[[], float],
        timeout_s: float,
    ) -> None:
        self._host = host
        self._link = host if isinstance(host, Link) else None
        self._awaited = awaited
        self._told = told
        self._is_answer_to = is_answer_to
        self._monotonic = monotonic
        self._timeout_s = timeout_s
        self._flying: dict[Key, _Flying] = {}
        self._arrived: list[Arrival] = []

    @property
    def several(self) -> bool:
        """Whether more than one message may be in flight."""
        return self._link is not None

    def is_taken(self, item: OutboxItem, request: bytes) -> bool:
        """Whether another message with the numbers of ``request`` is in flight.

        Numbers come round after a million sales; the second has to wait for the first.
        """
        flying = self._flying.get(self._awaited(request)) if self._flying else None
        return flying is not None and flying.item.item_id != item.item_id

    @property
    def in_flight(self) -> int:
        """How many messages have not come back from ``collect``."""
        return len(self._flying) + len(self._arrived)

    def launch(self, item: OutboxItem, request: bytes) -> HostError | None:
        """Sends one message; what went wrong with it at once, in which case it is not in flight.

        One that is in flight already (its lease ran out, as when the clock is set) is not sent
        again: what comes back belongs to the newer claim.

        Raises:
            AssertionError: the message cannot be read, or another with its numbers is in flight.
        """
        started = self._monotonic()
        if self._link is None:
            self._arrived.append(self._exchanged(item, request, started))
            return None
        key = self._awaited(request)
        flying = self._flying.get(key)
        if flying is not None and flying.item.item_id == item.item_id:
            self._flying[key] = replace(flying, item=item)
            return None
        if flying is not None:
            raise AssertionError("a message in flight has the same numbers")
        try:
            self._link.send(request, timeout_s=self._timeout_s)
        except HostError as failed:
            # The connection went with it, so nothing that is in flight will be answered.
            self._lose(HostSilent(failed.message), self._monotonic())
            return failed
        self._flying[key] = _Flying(item, request, started, started + self._timeout_s)
        return None

    def collect(self, wait_s: float = 60.0) -> list[Arrival]:
        """What has come back; waits for the first, at most ``wait_s`` and until a deadline."""
        if not self._arrived and self._flying and self._link is not None:
            now = self._monotonic()
            until = min(now + wait_s, *(flying.deadline for flying in self._flying.values()))
            try:
                for answer in self._link.receive(timeout_s=max(0.0, until - now)):
                    self._match(answer)
            except HostError as lost:
                self._lose(lost, self._monotonic())
            self._give_up_late()
        arrived, self._arrived = self._arrived, []
        return arrived

    def _exchanged(self, item: OutboxItem, request: bytes, started: float) -> Arrival:
        result: bytes | HostError
        try:
            result = self._host.exchange(
                request, is_answer=self._is_answer_to(request), timeout_s=self._timeout_s
            )
        except HostError as failed:
            result = failed
        return Arrival(item, request, result, self._monotonic() - started)

    def _match(self, answer: bytes) -> None:
        key = self._told(answer)
        if key is None and len(self._flying) == 1:
            # Unreadable, and it can be about one message only: say so at once, as exchange does.
            (key,) = self._flying
        flying = self._flying.pop(key, None)
        if flying is not None:
            took_s = self._monotonic() - flying.sent_at
            self._arrived.append(Arrival(flying.item, flying.request, answer, took_s))

    def _give_up_late(self) -> None:
        now = self._monotonic()
        for key, flying in list(self._flying.items()):
            if flying.deadline <= now:
                del self._flying[key]
                silent = HostSilent("The host did not answer in time.")
                self._arrived.append(
                    Arrival(flying.item, flying.request, silent, now - flying.sent_at)
                )

    def _lose(self, lost: HostError, now: float) -> None:
        """Everything in flight has an unknown fate."""
        failure = lost if isinstance(lost, HostGarbled) else HostSilent(lost.message)
        for flying in self._flying.values():
            took_s = now - flying.sent_at
            self._arrived.append(Arrival(flying.item, flying.request, failure, took_s))
        self._flying.clear()
