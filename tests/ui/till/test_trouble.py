"""The till's thread among devices, disks and rules that fail: what it says, and what stands."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from drivers.door import Chip
from hardware_sim.acquirer_ledger import CaptureState
from hardware_sim.bench import presented
from hardware_sim.card import EmvCard
from hardware_sim.catalogue import load_profile
from hardware_sim.field import Field, SimulatedReader
from hardware_sim.pn532 import Pn532OnPty
from terminal.errors import ReaderNotFound, ReaderUnplugged, StoreError
from terminal.ports import Reader
from terminal.progress import Authorising, CardRead
from terminal.risk import Limit
from terminal.transaction import MoneyTaken, State
from tests.brisk import brisk
from tests.ui.till.conftest import OpenTill
from tests.ui.till.watcher import Watcher
from ui.events import (
    Finished,
    OutOfService,
    ReaderChanged,
    ReceiptDone,
    Refused,
    SaleChanged,
)
from ui.till import IDLE_CHECKPOINT_S
from ui.wiring import Parts

E = TypeVar("E")


# -- trouble with devices ------------------------------------------------------------------------


class PullsThePlug:
    """A card during whose second answer the reader is unplugged, once."""

    def __init__(self, card: Chip) -> None:
        self._card = card
        self._answers = 0

    def reset(self) -> None:
        self._card.reset()

    def exchange(self, command: bytes) -> bytes:
        self._answers += 1
        if self._answers == 2:
            raise ReaderUnplugged("The plug was pulled.")
        return self._card.exchange(command)


def test_a_reader_that_is_unplugged_during_the_tap_and_comes_back(open_till: OpenTill) -> None:
    with Pn532OnPty(PullsThePlug(EmvCard(load_profile("visa-credit")))) as world:
        watcher = open_till(world.url)
        assert watcher.until(ReaderChanged).ok
        watcher.charge()
        gone = watcher.until(ReaderChanged)
        refused = watcher.until(Refused)
        assert not gone.ok
        assert refused.remedy
        assert watcher.story() == ["Presenting", "Refused"]
        # Without it, there is nothing to wait for.
        watcher.charge()
        assert watcher.until(Refused).remedy
        world.replug()
        # It is found without anybody asking.
        assert watcher.until(ReaderChanged).ok
        watcher.charge()
        assert watcher.finished().state is State.APPROVED
        watcher.till.stop()
    assert watcher.states() == [State.INTERRUPTED, State.APPROVED]


def test_a_reader_that_is_not_there_at_the_start(open_till: OpenTill) -> None:
    def absent() -> Reader:
        raise ReaderNotFound("No reader answers here.", remedy="Plug it in.")

    watcher = open_till(change=lambda parts: replace(parts, open_reader=absent))
    assert watcher.until(ReaderChanged) == ReaderChanged(ok=False, text="No reader answers here.")
    watcher.charge()
    refused = Refused("No reader answers here.", "Plug it in.", "ReaderNotFound")
    assert watcher.until(Refused) == refused
    watcher.till.stop()
    assert watcher.states() == []


def test_a_printer_in_trouble_does_not_undo_the_sale(open_till: OpenTill, tmp_path: Path) -> None:
    watcher = open_till()
    watcher.online()
    folder = tmp_path / "till" / "receipts"
    shutil.rmtree(folder)
    folder.write_text("not a folder any more")
    watcher.charge()
    sale = watcher.finished()
    done = watcher.until(ReceiptDone)
    assert (done.txn_id, done.ok) == (sale.txn_id, False)
    assert f"{folder}" in done.note
    assert "print it again" in done.note
    assert sale.state is State.APPROVED
    assert watcher.states() == [State.APPROVED]


# -- rules of ours that are broken ---------------------------------------------------------------


class BreaksARule:
    """A card behind whose driver an assertion fails."""

    def reset(self) -> None:
        """Nothing to do."""

    def exchange(self, command: bytes) -> bytes:
        raise AssertionError(f"{len(command)} bytes cannot be")


def _reader_with(chip: Chip) -> Callable[[Parts], Parts]:
    def open_reader() -> Reader:
        field = Field()
        field.put(presented(load_profile("visa-credit"), chip, leaves_on_release=True))
        return SimulatedReader(field, "Reader under test")

    return lambda parts: replace(parts, open_reader=open_reader)


def test_a_broken_rule_ends_the_payment_and_the_service(open_till: OpenTill) -> None:
    watcher = open_till(change=_reader_with(BreaksARule()))
    watcher.charge()
    closed = watcher.until(OutOfService)
    assert "cannot be" in closed.message
    assert "Restart the till" in closed.remedy
    assert watcher.story() == ["Presenting", "Finished", "OutOfService"]
    assert watcher.states() == [State.INTERRUPTED]
    # It says so again, and takes no other payment.
    watcher.charge()
    assert watcher.until(OutOfService) == closed
    watcher.till.stop()
    assert watcher.states() == [State.INTERRUPTED]


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (AssertionError("the link lost its mind"), "lost its mind"),
        # Nobody foresaw this one, and the sale may have been sent all the same.
        (OSError("out of descriptors"), "The till has stopped (OSError)."),
    ],
)
def test_a_rule_that_is_broken_once_the_sale_was_sent(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch, failure: Exception, told: str
) -> None:
    watcher = open_till(change=brisk)
    watcher.online()

    def exchange(*_: object, **__: object) -> bytes:
        raise failure

    monkeypatch.setattr(watcher.till._link, "exchange", exchange)
    watcher.charge()
    sale = watcher.finished()
    assert (sale.state, sale.money_taken) == (State.UNKNOWN, MoneyTaken.NOT_KNOWN)
    assert told in watcher.until(OutOfService).message
    # The forwarder goes on: what may have been booked is undone.
    assert watcher.until(SaleChanged).transaction.state is State.REVERSED


def test_a_thread_that_ends_says_so(open_till: OpenTill) -> None:
    def open_reader() -> Reader:
        raise RuntimeError("a driver of somebody else's")

    watcher = open_till(change=lambda parts: replace(parts, open_reader=open_reader))
    closed = watcher.until(OutOfService)
    assert closed.message == "The till has stopped (RuntimeError)."
    watcher.charge()
    assert watcher.until(OutOfService) == closed


# -- trouble with the ledger ---------------------------------------------------------------------


def test_a_disk_without_its_reserve_refuses_before_a_card_is_read(open_till: OpenTill) -> None:
    watcher = open_till(start=False)
    watcher.parts.journal._reserve_bytes = 2**62
    watcher.till.start()
    watcher.charge()
    refused = watcher.until(Refused)
    watcher.till.stop()
    assert "KiB left" in refused.message
    assert "no card was read" in refused.remedy
    watcher.rest()
    assert watcher.story() == ["Refused"]
    assert watcher.states() == []


def _fails_from(kind: type[object]) -> Callable[[Watcher], None]:
    """The ledger's disk fails once the till has told this."""

    def wake(watcher: Watcher) -> None:
        watcher.rest()
        if any(isinstance(event, kind) for event in watcher.seen):
            watcher.parts.journal.store._failure = "disk I/O error"

    return wake


def test_a_ledger_that_fails_before_the_sale_was_sent(open_till: OpenTill) -> None:
    watcher = open_till(wake=_fails_from(CardRead))
    watcher.charge()
    refused = _wait_until(watcher, Refused)
    assert "disk I/O error" in refused.message
    assert watcher.acquirer.captures() == []
    watcher.parts.journal.store._failure = ""
    assert watcher.states() == [State.INTENDED]


def test_a_ledger_that_fails_once_the_sale_was_sent(open_till: OpenTill) -> None:
    """Whether money was taken is not known then, and nobody says that it was not."""
    watcher = open_till(wake=_fails_from(Authorising))
    watcher.charge()
    # The forwarder may tell of its own trouble with the disk before that.
    closed = _wait_until(watcher, OutOfService, lambda event: "recorded" in event.message)
    assert "its answer could not be recorded" in closed.message
    assert "not known whether money was taken" in closed.remedy
    told = [name for name in watcher.story() if name != "OutOfService"]
    assert told == ["Presenting", "CardRead", "Authorising"]
    assert [c.state for c in watcher.acquirer.captures()] == [CaptureState.CAPTURED]


def test_a_ledger_that_fails_once_the_end_was_told(open_till: OpenTill) -> None:
    """The sale is recorded, and gets its receipt; the next one is refused with the reason."""
    watcher = open_till(wake=_fails_from(Finished))
    watcher.charge()
    assert _wait_until(watcher, Finished).transaction.state is State.APPROVED
    assert _wait_until(watcher, ReceiptDone).ok
    # Long enough for the idle till to try to tidy up.
    threading.Event().wait(3 * IDLE_CHECKPOINT_S)
    watcher.charge()
    assert "disk I/O error" in _wait_until(watcher, Refused).message
    assert "OutOfService" not in watcher.story()


def test_a_ledger_that_fails_for_a_moment_once_the_sale_was_sent(
    open_till: OpenTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = open_till()
    watcher.online()
    commit = watcher.parts.journal.commit

    def fail_once(*_: object, **__: object) -> object:
        monkeypatch.setattr(watcher.parts.journal, "commit", commit)
        raise StoreError("The disk has failed.", remedy="Check it.")

    monkeypatch.setattr(watcher.parts.journal, "commit", fail_once)
    watcher.charge()
    sale = watcher.finished()
    assert (sale.state, sale.money_taken) == (State.UNKNOWN, MoneyTaken.NOT_KNOWN)
    assert watcher.until(ReceiptDone).txn_id == sale.txn_id
    moved = watcher.until(SaleChanged).transaction
    assert (moved.txn_id, moved.state) == (sale.txn_id, State.REVERSED)
    assert [c.state for c in watcher.acquirer.captures()] == [CaptureState.REVERSED]
    # The till is still in service.
    watcher.charge()
    assert watcher.finished().state is State.APPROVED


def _wait_until(watcher: Watcher, kind: type[E], which: Callable[[E], bool] = lambda _: True) -> E:
    """Waits for an event that the till's own thread has taken out of the queue."""
    for _ in range(600):
        for event in tuple(watcher.seen):
            if isinstance(event, kind) and which(event):
                return event
        threading.Event().wait(0.1)
    raise AssertionError(f"no {kind.__name__} after {watcher.seen}")


def test_a_refusal_by_the_limits_shows_that_the_line_is_down(open_till: OpenTill) -> None:
    watcher = open_till()
    watcher.online()
    watcher.acquirer.network_off()
    watcher.charge("120.00")
    watcher.online(online=False)
    sale = watcher.finished()
    assert (sale.state, sale.response_code) == (State.DECLINED, "")
    assert sale.refusal == Limit.PER_SALE.name
    watcher.till.stop()
