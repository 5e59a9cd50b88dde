"""The receipt as a value, and its lines on paper.

Rules of this file: a receipt is made from a recorded transaction and nothing else, so what is
printed is what is in the ledger. It shows four digits of the card, names the application and
its AID (EMV Book 4, 11.4), and says in one line whether money was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from textwrap import wrap

from terminal.emv.outcome import Cvm
from terminal.money import Amount
from terminal.ports import Emphasis, PrintLine
from terminal.transaction import CardSummary, MoneyTaken, State, Transaction

HEADLINES = {
    State.APPROVED: "APPROVED",
    State.STORED: "STORED OFFLINE",
    State.DECLINED: "DECLINED",
    State.DECLINED_AFTER_FORWARD: "DECLINED BY THE BANK",
    State.UNKNOWN: "NOT KNOWN YET",
    State.REVERSED: "REVERSED",
    State.SET_ASIDE: "BEING CHECKED",
    State.CANCELLED: "CANCELLED",
    State.INTERRUPTED: "INTERRUPTED",
    State.INTENDED: "NOT PAID",
    State.AUTHORISING: "NOT KNOWN YET",
    State.HELD: "HELD",
    State.AWAITED: "TRANSFER AWAITED",
    State.VOIDING: "BEING VOIDED",
    State.VOIDED: "VOIDED",
}

MONEY_LINES = {
    MoneyTaken.YES: "Money was taken.",
    MoneyTaken.NO: "No money was taken.",
    MoneyTaken.NOT_YET: "Will be charged when back online.",
    MoneyTaken.NOT_KNOWN: "Whether money was taken is being checked.",
}

_REASONS_FOR_PAPER = frozenset(
    {State.DECLINED, State.DECLINED_AFTER_FORWARD, State.CANCELLED, State.INTERRUPTED}
)
"""States whose reason is for the customer; that of the others names hosts and networks."""

_SIGNED = frozenset({State.APPROVED, State.STORED, State.SET_ASIDE})
"""States in which a signature is asked for: the sale stands, as far as the till can say."""

_SIGNATURE_COLUMNS = 21

_VERIFIED = {
    Cvm.NONE: "not needed",
    Cvm.SIGNATURE: "signature",
    Cvm.ONLINE_PIN: "PIN",
    Cvm.CONFIRMATION_CODE: "on the device",
    Cvm.NOT_APPLICABLE: "not needed",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """Who sells: printed on top of each receipt."""

    name: str
    address: tuple[str, ...] = ()
    contact: str = ""
    return_policy: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt: the shop, the recorded sale, and the terminal that made it."""

    shop: Shop
    transaction: Transaction
    terminal_id: str
    merchant_id: str
    printed_at: datetime
    simulated: bool = False
    copy: bool = False

    @property
    def number(self) -> str:
        """The name of the print job: terminal and sale, unique on this till."""
        return f"{self.terminal_id}-{self.transaction.sequence:06d}"


def headline(sale: Transaction) -> str:
    """How the sale ended, in capitals."""
    return "PARTLY APPROVED" if sale.still_due_minor else HEADLINES[sale.state]


def money_line(sale: Transaction) -> str:
    """Whether money was taken, in one sentence; how much, where it is not what was asked for."""
    if sale.still_due_minor:
        return f"{Amount(sale.approved_minor, sale.amount.currency)} was taken."
    return MONEY_LINES[sale.money_taken]


def layout(receipt: Receipt, zone: tzinfo) -> tuple[PrintLine, ...]:
    """The receipt's lines, top to bottom, in the shop's time zone."""
    sale = receipt.transaction
    lines = [PrintLine(receipt.shop.name, centred=True, emphasis=Emphasis.STRONG)]
    lines += [PrintLine(line, centred=True) for line in receipt.shop.address]
    lines.append(PrintLine())
    if receipt.simulated:
        lines += [PrintLine("SIMULATED - NO REAL MONEY", centred=True), PrintLine()]
    if receipt.copy:
        lines.append(PrintLine("COPY", centred=True, emphasis=Emphasis.STRONG))
    lines += [
        PrintLine(sale.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"), receipt.number),
        PrintLine("Terminal", receipt.terminal_id),
        PrintLine("Merchant", receipt.merchant_id),
        PrintLine(),
        PrintLine("TOTAL", str(sale.amount), emphasis=Emphasis.LARGE),
        PrintLine(),
        PrintLine(headline(sale), centred=True, emphasis=Emphasis.STRONG),
        PrintLine(money_line(sale), centred=True),
    ]
    lines += _outcome_lines(sale)
    lines.append(PrintLine())
    lines += _card_lines(sale)
    lines += _footer(receipt)
    return tuple(lines)


def _outcome_lines(sale: Transaction) -> list[PrintLine]:
    """What the host or the card said, where it said something."""
    lines = []
    if sale.reason and sale.state in _REASONS_FOR_PAPER:
        lines.append(PrintLine(sale.reason, centred=True))
    if sale.still_due_minor:
        currency = sale.amount.currency
        lines += [
            PrintLine("PAID", str(Amount(sale.approved_minor, currency)), emphasis=Emphasis.STRONG),
            PrintLine("STILL DUE", str(Amount(sale.still_due_minor, currency))),
        ]
    if sale.approval_code:
        lines.append(PrintLine("Approval code", sale.approval_code))
    if sale.response_code:
        lines.append(PrintLine("Response", sale.response_code))
    return lines


def _card_lines(sale: Transaction) -> list[PrintLine]:
    """The card as a receipt may show it, and the references a bank asks for."""
    lines = []
    if sale.card is not None:
        lines += [
            PrintLine(sale.card.label or sale.card.scheme, sale.card.masked_pan),
            *([PrintLine("Card", f"•••• {sale.card.last4}")] if sale.card.last4 else []),
            PrintLine("AID", sale.card.aid),
            PrintLine("Entry", f"contactless, {sale.card.device}"),
            PrintLine("Verification", _verified(sale.card)),
        ]
    if sale.rrn:
        lines.append(PrintLine("RRN", sale.rrn))
    if sale.stan is not None:
        lines.append(PrintLine("STAN", f"{sale.stan:06d}"))
    if sale.card is not None and sale.card.cvm == Cvm.SIGNATURE.value and sale.state in _SIGNED:
        lines += [PrintLine(), PrintLine(), PrintLine("Signature", "_" * _SIGNATURE_COLUMNS)]
    return lines


def _verified(card: CardSummary) -> str:
    """How the holder was verified, in a merchant's words."""
    return next((words for cvm, words in _VERIFIED.items() if cvm.value == card.cvm), card.cvm)


def _footer(receipt: Receipt) -> list[PrintLine]:
    """How to reach the shop, and what its promises are."""
    lines = [PrintLine("Reference", receipt.transaction.txn_id)]
    if receipt.shop.contact:
        lines.append(PrintLine("Questions", receipt.shop.contact))
    if receipt.shop.return_policy:
        lines += [PrintLine(), PrintLine(receipt.shop.return_policy, centred=True)]
    return lines


def columns(lines: tuple[PrintLine, ...], width: int) -> str:
    """The lines as plain text, no row wider than ``width`` characters.

    A pair that does not fit takes rows of its own for each part, and what is longer than a row is
    broken between words, or inside one that is longer than a row itself.
    """
    rows: list[str] = []
    for line in lines:
        left, right = _broken(line.left, width), _broken(line.right, width)
        if line.centred:
            rows += [row.center(width).rstrip() for row in left]
        elif len(line.left) + len(line.right) + 1 <= width:
            rows.append(f"{line.left}{line.right:>{width - len(line.left)}}".rstrip())
        else:
            rows += [*left, *(f"{row:>{width}}" for row in right if row)]
    return "\n".join(rows) + "\n"


def _broken(text: str, width: int) -> list[str]:
    """The rows of a text, at least one."""
    return wrap(text, width) or [""]
