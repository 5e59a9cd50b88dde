"""A till with somebody at its command line: what every command that moves money stands on.

Rules of this file: whatever cuts a payment off, it ends with a name and an exit code, by one
table. What is said to a person goes to standard error, and what a script reads to standard
output.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType

import click

from offline_queue.journal import Recovered
from offline_queue.sync import LineChanged, News, Progress, SaleMoved, Trouble
from terminal.bench import bench_of
from terminal.checkout import Ports
from terminal.emv.outcome import MessageId
from terminal.errors import (
    AnswerLost,
    PrinterError,
    ReaderAddressWrong,
    StoreError,
    TerminalError,
)
from terminal.iso8583.messages import reversal_of
from terminal.money import Amount, Currency, Total
from terminal.order import Order
from terminal.ports import Host, Reader
from terminal.progress import Authorising, CardRead, Presenting, Prompted
from terminal.progress import Progress as TapProgress
from terminal.receipt import headline, money_line
from terminal.terms import Terms
from terminal.transaction import State, Transaction
from ui.no_reader import NoReader
from ui.reporting.receipts import in_shop_language
from ui.tables import print_fields
from ui.wiring import Parts, Settings, assembled, forwarder, receipt_of

EXIT_CODES = {
    State.APPROVED: 0,
    State.STORED: 0,
    State.SET_ASIDE: 0,
    State.DECLINED: 3,
    State.DECLINED_AFTER_FORWARD: 3,
    State.REVERSED: 3,
    State.CANCELLED: 4,
    State.INTERRUPTED: 4,
    State.INTENDED: 4,
    State.UNKNOWN: 5,
    State.AUTHORISING: 5,
    State.HELD: 0,
    State.AWAITED: 5,
    State.VOIDING: 0,
    State.VOIDED: 0,
}
"""How each end of a sale ends the process."""

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PROMPTS = {
    MessageId.ONE_CARD_ONLY: "One card only, please.",
    MessageId.PRESENT_AGAIN: "Hold the card again, and a little longer.",
    MessageId.SEE_PHONE: "See your phone, then hold it again.",
    MessageId.TRY_ANOTHER_CARD: "Try another card.",
    MessageId.INSERT_CARD: "This card cannot be used contactless here. Try another card.",
}


@dataclass(frozen=True, slots=True)
class Sold:
    """What is sold, as it was typed: an amount or an order, and a tip that is added to it."""

    amount: str
    tip: str = ""
    order: Order | None = None

    def read(self, currency: Currency) -> tuple[Amount, Terms]:
        """The amount with its tip, and its terms.

        Raises:
            AmountError: it is none.
        """
        extra = Amount.parse(self.tip, currency) if self.tip else Amount(0, currency)
        if self.order is not None:
            return self.order.total + extra, self.order.terms(extra.minor)
        return Amount.parse(self.amount, currency) + extra, Terms(tip_minor=extra.minor)


@dataclass(frozen=True, slots=True)
class AtTill:
    """A till with somebody at its command line: its parts, and the ports of a payment on it.

    ``cancel`` is set when they want to end.
    """

    parts: Parts
    ports: Ports
    cancel: threading.Event
    _open: ExitStack

    def reading(self) -> Ports:
        """The ports with the reader, which is open until the command ends.

        Raises:
            ReaderAddressWrong: it is a bench.
            ReaderNotFound: there is no reader.
        """
        reader = _reader_for_one_sale(self.parts)
        self._open.callback(reader.close)
        return replace(self.ports, reader=reader)


@contextmanager
def at_till(settings: Settings) -> Iterator[AtTill]:
    """The till, for one command that moves money.

    Signals are minded until everything is closed: what was said is not followed by a bad exit.
    """
    with ExitStack() as stack:
        cancel = stack.enter_context(_minding_signals())
        parts = stack.enter_context(assembled(settings))
        link = parts.acquirer.link()
        stack.callback(link.close)
        yield AtTill(parts, ports_of(parts, link, cancel), cancel, stack)


@contextmanager
def _minding_signals() -> Iterator[threading.Event]:
    """Ctrl-C, the system's wish to end and a closed terminal cancel the payment in hand.

    So its end is recorded.
    """
    cancel = threading.Event()

    def interrupted(number: int, frame: FrameType | None) -> None:
        del number, frame
        cancel.set()

    before = {number: signal.signal(number, interrupted) for number in ENDING_SIGNALS}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reader_for_one_sale(parts: Parts) -> Reader:
    """The reader; a bench is refused, since here is nobody who could tap on it.

    Raises:
        ReaderAddressWrong: it is a bench.
        ReaderNotFound: there is no reader.
    """
    reader = parts.open_reader()
    bench = bench_of(reader)
    if bench is None:
        return reader
    reader.close()
    scheme = parts.settings.config.till.reader.partition(":")[0]
    raise ReaderAddressWrong(
        f"{reader.name}: at the command line nobody can tap a card on it.",
        remedy=f"Name the card, like --reader {scheme}:{bench.cards()[0].id}, or use taptill run.",
    )


def ports_of(parts: Parts, link: Host, cancel: threading.Event) -> Ports:
    """The ports of one payment at the command line. Without a reader nobody can tap."""
    return Ports(
        reader=NoReader(),
        host=link,
        journal=parts.journal,
        sealer=parts.acquirer.sealer,
        keystore=parts.keystore,
        clock=parts.clock,
        entropy=parts.entropy,
        show=_say,
        cancelled=cancel.is_set,
        host_online=lambda: True,
    )


def _say(progress: TapProgress) -> None:
    match progress:
        case Presenting(amount=amount):
            text = f"{amount}: hold card, phone or watch on the reader."
        case Prompted(message=message, note=note):
            text = " ".join(filter(None, (PROMPTS.get(message), _sentence(note))))
        case CardRead():
            text = "Read. You can take it away."
        case Authorising():
            text = "Asking the bank..."
    # Whoever read this may be gone, and the payment goes on without.
    with suppress(OSError):
        click.echo(text, err=True)


def _sentence(text: str) -> str:
    """A reason as a sentence of its own: kernels give theirs without capital and full stop."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


def guarded(parts: Parts, payment: Callable[[], Transaction]) -> Transaction:
    """One payment; whatever cuts it off once it may have been sent, it ends as UNKNOWN.

    Raises:
        AnswerLost: it may have been sent, and not even that can be recorded now.
        TerminalError: nothing was sent.
    """
    try:
        return payment()
    except Exception as failed:
        # As at the top of the till's thread: ours or a driver's, it must not hide a sale's fate.
        profile, recovered = parts.rules.profile, Recovered()
        with suppress(StoreError):
            recovered = parts.journal.recover(lambda sent: reversal_of(profile, sent))
        nothing_left = isinstance(failed, TerminalError) and not isinstance(failed, AnswerLost)
        if nothing_left or not recovered.reversing:
            raise
        click.echo(f"taptill: {failed}", err=True)
        return recovered.reversing[-1]


# -- what has become of it ------------------------------------------------------------------------


def told(parts: Parts, sale: Transaction, *, as_json: bool) -> str:
    """Prints the receipt and, for a person, says how the sale stands; where the receipt is."""
    printed = _print(parts, sale)
    if not as_json:
        _show_sale(sale, printed)
    return printed


def _print(parts: Parts, sale: Transaction) -> str:
    """Prints the receipt of a sale that met a card; a printer in trouble does not undo a sale."""
    receipt = receipt_of(parts, sale)
    if receipt is None:
        return ""
    try:
        return parts.printer.print(receipt.number, in_shop_language(parts, receipt))
    except PrinterError as failed:
        click.echo(f"taptill: {failed.message} {failed.remedy}", err=True)
        return ""


def _show_sale(sale: Transaction, printed: str) -> None:
    partly = sale.still_due_minor > 0
    fields = {
        "Amount": sale.amount,
        "Still due": Amount(sale.still_due_minor, sale.amount.currency) if partly else "",
        "Money": money_line(sale),
        "Card": f"{sale.card.label} {sale.card.masked_pan}" if sale.card else "",
        "Approval code": sale.approval_code,
        "RRN": sale.rrn,
        "Reason": _sentence(sale.reason),
        "Receipt": printed,
        "Reference": sale.txn_id,
    }
    shown = {name: value for name, value in fields.items() if value}
    print_fields(headline(sale), shown)


def undone(parts: Parts, sale: Transaction) -> Transaction:
    """The sale once its reversal was tried: that must not wait for somebody to start the till."""
    click.echo("Asking the bank to undo it...", err=True)
    try:
        forward(parts, [])
        return parts.journal.transaction(sale.txn_id)
    except StoreError as failed:
        click.echo(f"taptill: {failed}", err=True)
        return sale


def forward(parts: Parts, moved: list[Transaction]) -> bool:
    """One round of the forwarder in this thread; whether the acquirer answered."""

    def heard(news: News) -> None:
        match news:
            case SaleMoved(transaction=sale):
                moved.append(sale)
            case LineChanged(online=False, reason=reason) | Trouble(reason=reason):
                click.echo(f"taptill: {reason}", err=True)
            case Progress():
                click.echo(_progress(news), err=True)
            case LineChanged():
                pass

    line = forwarder(parts, heard)
    try:
        if not line.probe():
            return False
        outcome = line.run_once()
        parts.journal.housekeeping()
        return outcome.online
    finally:
        line.close()


def _progress(news: Progress) -> str:
    """``37 of 412, EUR 1,204.50 to go``."""
    left = []
    for currency, minor in news.left.items():
        whole, point, fraction = Total(minor, currency).decimal.partition(".")
        if minor:
            left.append(f"{currency.code} {int(whole):,}{point}{fraction}")
    return f"{news.done} of {news.total}" + (f", {', '.join(left)} to go" if left else "")
