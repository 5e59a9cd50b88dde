"""What a script does to a till between two payments: refunds, voids, holds, the end of the day.

Rules of this file: a transaction is named by its number in the ledger, oldest first, from 1. Each
verb runs to its end and says how it ended, as a face would; a refusal is a value.

::

    refund 1 5.00         gives back by the numbers of the sale
    refund-card 1 5.00    gives back to the card that lies on the reader
    void 1                takes an approved transaction back
    close                 ends the batch and settles it with the acquirer
    close-carry           the same, and carries over what has no answer yet
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from offline_queue.closings import Closings
from offline_queue.reports import Reports
from terminal.aftersale import refund, void
from terminal.checkout import Ports
from terminal.closing import settle_batch
from terminal.errors import ConfigError, TerminalError
from terminal.money import Amount
from terminal.ports import Presented, Reader
from terminal.refunds import Norms, VoidWish, Wish
from terminal.scripted import Shown
from terminal.terms import Tender
from terminal.transaction import Transaction
from ui.wiring import Parts

_CASHIER, _SUPERVISOR = "Ada", "Eva"
_MANY = 1_000_000


class _NoReader:
    """What stands in for a reader where no card is asked for: the till's own one stays with it."""

    name = "no reader"

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> Presented | None:
        raise AssertionError(f"no card is asked for here ({timeout_s}, {cancelled})")

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        raise AssertionError(f"no card is asked for here ({timeout_s}, {cancelled})")

    def release(self) -> None:
        """There is nothing to let go of."""

    def close(self) -> None:
        """There is nothing to close."""


class ScriptedDay:
    """The verbs of a day, over the parts of a running till that is idle."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.verbs: dict[str, Callable[[str], Shown]] = {
            "refund": lambda text: self._guarded(self._refund, text, with_card=False),
            "refund-card": lambda text: self._guarded(self._refund, text, with_card=True),
            "void": lambda text: self._guarded(self._void, text),
            "close": lambda _: self._guarded(self._close, "", carry=False),
            "close-carry": lambda _: self._guarded(self._close, "", carry=True),
        }

    def _guarded(self, act: Callable[..., Shown], text: str, **options: bool) -> Shown:
        """What was refused, with its reason, is one of the ways in which a verb can end."""
        try:
            return act(text, **options)
        except ConfigError:
            raise
        except TerminalError as refused:
            return Shown("refused", "no", (refused.message, refused.remedy))

    def _sale(self, number: str) -> Transaction:
        sales = list(reversed(Reports(self._parts.journal.store).transactions(limit=_MANY)))
        if not number.isdecimal() or not 1 <= int(number) <= len(sales):
            raise ConfigError(f"The ledger has no transaction {number!r}.")
        return sales[int(number) - 1]

    @contextmanager
    def _ports(self, *, with_card: bool = False) -> Iterator[Ports]:
        """The world of one act, with a link of its own, and a reader where a card is needed."""
        parts = self._parts
        opened: Reader = parts.open_reader() if with_card else _NoReader()
        with closing(opened) as reader, closing(parts.acquirer.link()) as link:
            yield Ports(
                reader=reader,
                host=link,
                journal=parts.journal,
                sealer=parts.acquirer.sealer,
                keystore=parts.keystore,
                clock=parts.clock,
                entropy=parts.entropy,
                show=lambda _: None,
                cancelled=lambda: False,
                host_online=lambda: True,
            )

    def _refund(self, text: str, *, with_card: bool) -> Shown:
        number, _, amount = text.partition(" ")
        parts, sale = self._parts, self._sale(number)
        wish = Wish(
            Amount.parse(amount, sale.amount.currency),
            parts.clock.now(),
            _CASHIER,
            Tender.CARD,
            with_card=with_card,
            approved_by=_SUPERVISOR,
        )
        with self._ports(with_card=with_card) as ports:
            given = refund(ports, parts.rules, sale.txn_id, wish, Norms())
        return _ended(given)

    def _void(self, text: str) -> Shown:
        wish = VoidWish(self._parts.clock.now(), "the wrong amount", _CASHIER, _SUPERVISOR)
        with self._ports() as ports:
            return _ended(void(ports, self._parts.rules, self._sale(text).txn_id, wish))

    def _close(self, _: str, *, carry: bool) -> Shown:
        parts = self._parts
        closings = Closings(parts.journal.store, parts.clock)
        batch = closings.freeze(by=_SUPERVISOR, carry=carry)
        with closing(parts.acquirer.link()) as link:
            ended = settle_batch(closings, link, parts.clock, parts.rules, batch)
        found = tuple(f"{each.how.value} RRN {each.rrn}" for each in ended.found)
        return Shown(f"closed, {ended.outcome}", "", (f"Batch {ended.batch}", *found))


def _ended(sale: Transaction) -> Shown:
    return Shown(f"{sale.kind.value} {sale.state.value}", "", tuple(filter(None, (sale.reason,))))
