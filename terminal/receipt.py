"""The receipt as a value, and its lines on paper.

Rules of this file: a receipt is made from a recorded transaction and nothing else, so what is
printed is what is in the ledger. It shows four digits of the card, names the application and
its AID (EMV Book 4, 11.4), and says in one line whether money was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from textwrap import wrap

from terminal.emv.outcome import Cvm
from terminal.money import Amount
from terminal.ports import Emphasis, PrintLine
from terminal.transaction import CardSummary, MoneyTaken, State, Transaction, TransactionKind

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

REFUND_HEADLINES = {State.APPROVED: "REFUNDED", State.DECLINED: "NOT REFUNDED"}
"""What a refund says instead."""

MONEY_LINES = {
    MoneyTaken.YES: "Money was taken.",
    MoneyTaken.NO: "No money was taken.",
    MoneyTaken.NOT_YET: "Will be charged when back online.",
    MoneyTaken.NOT_KNOWN: "Whether money was taken is being checked.",
}

REFUND_LINES = {
    MoneyTaken.YES: "The money is on its way back.",
    MoneyTaken.NO: "No money was given back.",
    MoneyTaken.NOT_YET: "Will be given back when back online.",
    MoneyTaken.NOT_KNOWN: "Whether money was given back is being checked.",
}

Say = Callable[[str], str]
"""Says a text of this file in the language of a receipt."""


def as_written(text: str) -> str:
    """English, as it stands here."""
    return text


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
    if sale.kind is TransactionKind.REFUND and sale.state in REFUND_HEADLINES:
        return REFUND_HEADLINES[sale.state]
    return "PARTLY APPROVED" if sale.still_due_minor else HEADLINES[sale.state]


def money_line(sale: Transaction, say: Say = as_written) -> str:
    """Whether money was taken, in one sentence; how much, where it is not what was asked for."""
    if sale.still_due_minor:
        taken = str(Amount(sale.approved_minor, sale.amount.currency))
        return say("{amount} was taken.").format(amount=taken)
    if sale.state is State.HELD:
        return say("No money was taken. The amount is held on the card.")
    lines = REFUND_LINES if sale.kind is TransactionKind.REFUND else MONEY_LINES
    return say(lines[sale.money_taken])


def layout(receipt: Receipt, zone: tzinfo, say: Say = as_written) -> tuple[PrintLine, ...]:
    """The receipt's lines, top to bottom, in the shop's time zone; ``say`` gives the language."""
    sale = receipt.transaction
    lines = [PrintLine(receipt.shop.name, centred=True, emphasis=Emphasis.STRONG)]
    lines += [PrintLine(line, centred=True) for line in receipt.shop.address]
    lines.append(PrintLine())
    if receipt.simulated:
        lines += [PrintLine(say("SIMULATED - NO REAL MONEY"), centred=True), PrintLine()]
    if receipt.copy:
        lines.append(PrintLine(say("COPY"), centred=True, emphasis=Emphasis.STRONG))
    lines += [
        PrintLine(sale.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"), receipt.number),
        PrintLine(say("Terminal"), receipt.terminal_id),
        PrintLine(say("Merchant"), receipt.merchant_id),
        PrintLine(),
        *_amount_lines(sale, say),
        PrintLine(),
        PrintLine(say(headline(sale)), centred=True, emphasis=Emphasis.STRONG),
        PrintLine(money_line(sale, say), centred=True),
    ]
    lines += _outcome_lines(sale, say)
    lines.append(PrintLine())
    lines += _card_lines(sale, say)
    lines += _footer(receipt, say)
    return tuple(lines)


def _amount_lines(sale: Transaction, say: Say) -> list[PrintLine]:
    """What was bought, the tip and the tax in it, and what went over the counter."""
    currency, terms = sale.amount.currency, sale.terms
    lines = []
    if terms.tip_minor:
        goods = Amount(max(0, sale.amount.minor - terms.tip_minor), currency)
        lines += [
            PrintLine(say("Amount"), str(goods)),
            PrintLine(say("Tip"), str(Amount(terms.tip_minor, currency))),
        ]
    total = say("REFUND" if sale.kind is TransactionKind.REFUND else "TOTAL")
    lines.append(PrintLine(total, str(sale.amount), emphasis=Emphasis.LARGE))
    for part in terms.parts:
        rate = f"{part.rate_bp / 100:g} %"
        tax = Amount(part.tax_minor, currency)
        lines.append(PrintLine(say("Tax {rate} included").format(rate=rate), str(tax)))
    if sale.tendered_minor:
        due = Amount(sale.amount.minor + sale.rounding_minor, currency)
        back = Amount(max(0, sale.tendered_minor - due.minor), currency)
        lines += [
            PrintLine(say("Cash"), str(Amount(sale.tendered_minor, currency))),
            PrintLine(say("Change"), str(back)),
        ]
        if sale.rounding_minor:
            lines.insert(-2, PrintLine(say("Rounded to"), str(due)))
    return lines


def _outcome_lines(sale: Transaction, say: Say) -> list[PrintLine]:
    """What the host or the card said, where it said something."""
    lines = []
    if sale.reason and sale.state in _REASONS_FOR_PAPER:
        lines.append(PrintLine(say(sale.reason), centred=True))
    if sale.still_due_minor:
        currency = sale.amount.currency
        paid, due = Amount(sale.approved_minor, currency), Amount(sale.still_due_minor, currency)
        lines += [
            PrintLine(say("PAID"), str(paid), emphasis=Emphasis.STRONG),
            PrintLine(say("STILL DUE"), str(due)),
        ]
    if sale.approval_code:
        lines.append(PrintLine(say("Approval code"), sale.approval_code))
    if sale.response_code:
        lines.append(PrintLine(say("Response"), sale.response_code))
    return lines


def _card_lines(sale: Transaction, say: Say) -> list[PrintLine]:
    """The card as a receipt may show it, and the references a bank asks for."""
    lines = []
    if sale.card is not None:
        device = say("contactless, {device}").format(device=say(sale.card.device))
        lines += [
            PrintLine(sale.card.label or sale.card.scheme, sale.card.masked_pan),
            *([PrintLine(say("Card"), f"•••• {sale.card.last4}")] if sale.card.last4 else []),
            PrintLine("AID", sale.card.aid),
            PrintLine(say("Entry"), device),
            PrintLine(say("Verification"), say(_verified(sale.card))),
        ]
    if sale.rrn:
        lines.append(PrintLine("RRN", sale.rrn))
    if sale.stan is not None:
        lines.append(PrintLine("STAN", f"{sale.stan:06d}"))
    if sale.card is not None and sale.card.cvm == Cvm.SIGNATURE.value and sale.state in _SIGNED:
        line = "_" * _SIGNATURE_COLUMNS
        lines += [PrintLine(), PrintLine(), PrintLine(say("Signature"), line)]
    return lines


def _verified(card: CardSummary) -> str:
    """How the holder was verified, in a merchant's words."""
    return next((words for cvm, words in _VERIFIED.items() if cvm.value == card.cvm), card.cvm)


def _footer(receipt: Receipt, say: Say) -> list[PrintLine]:
    """How to reach the shop, and what its promises are."""
    lines = [PrintLine(say("Reference"), receipt.transaction.txn_id)]
    if receipt.shop.contact:
        lines.append(PrintLine(say("Questions"), receipt.shop.contact))
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
