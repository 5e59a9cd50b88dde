"""The bench's feed: commands go, snapshots come, and trouble is shown and not fatal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from terminal.bench import BenchSwitch
from terminal.errors import StoreError
from tests.ui.stand_ins import StandInBench
from ui.touch.bench.feed import BenchFeed

PATIENCE_S = 10.0


class Watched:
    """A feed, and a way to wait for its news."""

    def __init__(self, *benches: StandInBench) -> None:
        self._news = threading.Condition()
        self.feed = BenchFeed(benches, self._changed)

    def _changed(self) -> None:
        with self._news:
            self._news.notify_all()

    def until(self, reached: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(reached, PATIENCE_S)


@contextmanager
def watched(*benches: StandInBench) -> Iterator[Watched]:
    watching = Watched(*benches)
    watching.feed.start()
    try:
        yield watching
    finally:
        watching.feed.stop()


def test_commands_reach_the_bench_they_are_for() -> None:
    one, other = StandInBench(), StandInBench()
    with watched(one, other) as watching:
        watching.until(lambda: bool(watching.feed.looks[1].cards))
        watching.feed.tap(1, "mc")
        watching.feed.remove(1)
        watching.feed.turn(0, BenchSwitch("slow", "Slow card", on=False))
        watching.until(lambda: watching.feed.looks[0].switches[0].on)
    assert other.done == [("tap", "mc"), ("remove",)]
    assert one.done == [("set", "slow", "True")]
    assert watching.feed.looks[1].log == ("tap mc", "remove")


def test_trouble_with_a_command_is_shown_until_the_next() -> None:
    bench = StandInBench()
    with watched(bench) as watching:
        watching.feed.tap(0, "nosuch")
        watching.until(lambda: "There is no card 'nosuch'." in watching.feed.trouble)
        watching.feed.tap(0, "visa")
        watching.until(lambda: not watching.feed.trouble)
    assert bench.done == [("tap", "visa")]


def test_a_bench_that_cannot_be_looked_at_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = StandInBench()
    with watched(bench) as watching:
        watching.until(lambda: bool(watching.feed.looks[0].cards))

        def broken() -> tuple[str, ...]:
            raise StoreError("The books are gone.")

        with monkeypatch.context() as patched:
            patched.setattr(bench, "log", broken)
            watching.until(lambda: watching.feed.trouble == "The books are gone.")
            assert watching.feed.looks[0].cards
        watching.until(lambda: not watching.feed.trouble)


def test_stop_is_harmless_before_and_after() -> None:
    feed = BenchFeed([StandInBench()], lambda: None)
    feed.stop()
    with watched(StandInBench()) as watching:
        watching.feed.stop()
