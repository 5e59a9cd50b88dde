"""A reader, a key or the ledger fails during a payment: the sale has a named state."""

from __future__ import annotations

import pytest

from offline_queue.reports import Reports
from terminal.errors import (
    AmountError,
    AnswerLost,
    HostUnreachable,
    KeyStoreError,
    ReaderUnplugged,
    StoreError,
    StoreFull,
)
from terminal.iso8583.messages import reversal_of
from terminal.iso8583.profiles import BASE87
from terminal.ledger import Kind
from terminal.transaction import (
    Interrupted,
    SaleIntended,
    State,
)
from tests.terminal.desk import Desk, card, flawed
from tests.terminal.test_checkout import ONLINE

# -- failures ------------------------------------------------------------------------------------


def test_an_amount_of_zero_is_no_payment(desk: Desk) -> None:
    """It cannot be asked for either, and would break a rule once the card is read."""
    with pytest.raises(AmountError, match="nothing to pay"):
        desk.pay(card(), minor=0)
    assert Reports(desk.journal.store).transactions() == []


def test_a_reader_that_goes_away_leaves_an_interrupted_sale(desk: Desk) -> None:
    with pytest.raises(ReaderUnplugged, match="gone"):
        desk.pay(ReaderUnplugged("It is gone."))
    sale = desk.last()
    assert (sale.state, sale.reason) == (State.INTERRUPTED, "It is gone.")
    assert desk.events(sale) == [SaleIntended, Interrupted]
    assert desk.reader.released == 1


def test_a_reader_that_goes_away_during_the_tap(desk: Desk) -> None:
    with pytest.raises(ReaderUnplugged):
        desk.pay(flawed(unplug_after=2))
    assert desk.last().state is State.INTERRUPTED
    assert desk.host.asked == []


def test_a_key_that_fails_leaves_an_interrupted_sale(desk: Desk) -> None:
    class Broken:
        level = "tpm2"

        def mac(self, label: str, data: bytes) -> bytes:
            raise KeyStoreError("The TPM does not answer.")

    desk.keystore = Broken()
    with pytest.raises(KeyStoreError):
        desk.pay(card())
    sale = desk.last()
    assert (sale.state, sale.reason) == (State.INTERRUPTED, "The TPM does not answer.")
    assert desk.host.asked == []


def test_a_full_disk_is_said_before_a_card_is_read(desk: Desk) -> None:
    desk.journal._reserve_bytes = 2**62
    visa = card()
    with pytest.raises(StoreFull):
        desk.pay(visa)
    assert desk.reader.things == [visa]
    assert desk.seen == []
    assert Reports(desk.journal.store).transactions() == []


def _break_disk(desk: Desk) -> None:
    desk.journal.store._failure = "disk I/O error"


def _mend_disk(desk: Desk) -> None:
    desk.journal.store._failure = ""


def test_a_ledger_that_fails_while_a_card_is_waited_for(desk: Desk) -> None:
    """The failure of the ledger is what is told, and not a second one about recording it."""

    def cancelled() -> bool:
        _break_disk(desk)
        return True

    desk.cancelled = cancelled
    with pytest.raises(StoreError, match="disk I/O error"):
        desk.pay(card())
    _mend_disk(desk)
    assert desk.last().state is State.INTENDED


@pytest.mark.parametrize("case", ["approved", "declined", "silent", "unreadable"])
def test_an_answer_that_cannot_be_recorded(desk: Desk, case: str) -> None:
    says = ONLINE[case][0]

    def then_break(request: bytes) -> bytes:
        _break_disk(desk)
        return says(request)

    desk.host.says = then_break
    with pytest.raises(AnswerLost, match="could not be recorded") as caught:
        desk.pay(card())
    assert "not known whether money was taken" in caught.value.remedy
    _mend_disk(desk)
    assert desk.last().state is State.AUTHORISING
    recovered = desk.journal.recover(lambda sent: reversal_of(BASE87, sent))
    assert [sale.state for sale in recovered.reversing] == [State.UNKNOWN]
    assert desk.queued() == [Kind.REVERSAL]


def test_a_line_that_goes_together_with_the_ledger(desk: Desk) -> None:
    """Nothing left the socket, so whatever else is wrong, the fate of the sale is known."""

    def then_break(request: bytes) -> bytes:
        _break_disk(desk)
        raise HostUnreachable("no line")

    desk.host.says = then_break
    with pytest.raises(StoreError) as caught:
        desk.pay(card())
    assert not isinstance(caught.value, AnswerLost)
    _mend_disk(desk)
