"""A forwarder on a till's ledger, and a host that does as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from offline_queue.sync import (
    News,
    Sync,
    Timing,
    Wire,
)
from terminal.delivery import Done, Retry, Verdict
from terminal.errors import HostError, HostGarbled
from terminal.ledger import Kind, OutboxItem
from terminal.ports import Host
from terminal.transaction import (
    HostApproved,
    HostDeclined,
    ReversalConfirmed,
    SetAside,
    State,
)
from tests.offline_queue.sales import Till, repeat_of

Behaviour = Callable[[bytes], bytes]


@dataclass
class ScriptedHost:
    """A host in this process: what arrived, and what it does about it."""

    behaviour: Behaviour
    echo: Callable[[], None] = lambda: None
    seen: list[bytes] = field(default_factory=list)
    opened: int = 0
    closed: int = 0

    def exchange(
        self, request: bytes, *, is_answer: Callable[[bytes], bool], timeout_s: float
    ) -> bytes:
        answer = self.behaviour(request)
        self.seen.append(request)
        assert is_answer(answer)
        return answer

    def close(self) -> None:
        self.closed += 1

    def link(self) -> Host:
        self.opened += 1
        return self


def approving(request: bytes) -> bytes:
    return b"00" + request


def read(item: OutboxItem, answer: bytes, at: datetime) -> Verdict:
    """The answers of this file's host: two characters of response code, then the request."""
    code = answer[:2].decode()
    if item.kind is Kind.REVERSAL:
        return Done(ReversalConfirmed(at, code)) if code == "00" else Retry(code)
    match code:
        case "00":
            return Done(HostApproved(at, code, "123456", 1250))
        case "30":
            return Done(SetAside(at, code, "format error"))
        case "51":
            return Done(HostDeclined(at, code, "no funds"))
        case "91":
            return Retry("91 issuer unavailable")
        case _:
            raise HostGarbled("The answer cannot be read.")


@dataclass
class Bench:
    till: Till
    host: ScriptedHost
    news: list[News] = field(default_factory=list)
    heard: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        wire = Wire(
            repeat_of=repeat_of,
            is_answer_to=lambda request: lambda answer: answer[2:] == request,
            read=read,
            probe=lambda _: self.host.echo(),
        )
        self.sync = Sync(
            self.till.journal,
            self.host.link,
            wire,
            self.till.clock,
            self.till.entropy,
            notify=self.hear,
            timing=Timing(probe_every_s=0.05, rise_s=0.01),
        )

    def hear(self, news: News) -> None:
        self.news.append(news)
        self.heard.set()

    def state(self, txn_id: str) -> State:
        return self.till.journal.transaction(txn_id).state

    def wait_for(self, done: Callable[[], bool]) -> None:
        """Waits for news until ``done``; the test's own limit of time is the only one."""
        for _ in range(400):
            if done():
                return
            self.heard.wait(0.05)
            self.heard.clear()
        pytest.fail(f"it did not happen; the news were {self.news}")


def raising(error: HostError) -> Behaviour:
    def behaviour(request: bytes) -> bytes:
        raise error

    return behaviour
