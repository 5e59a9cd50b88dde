"""One sale of the history, and its receipt as a code."""

from __future__ import annotations

from terminal.transaction import State, Transaction
from ui.presenter.office.ways import transfer_keys
from ui.presenter.page import About, Key, Rank, card_text, chips, trace_of
from ui.presenter.panel import Kind, Line, Panel, Place
from ui.presenter.reasons import reason_of
from ui.presenter.refunded import money_line
from ui.presenter.sayings import LAST_WORDS, STATE_LOOKS, Glyph
from ui.presenter.shell import Shell
from ui.presenter.touches import Back, Confirm, PrintCopy, ShowReceipt, Undo
from ui.questions import SaleShown
from ui.words import Words, mark


def page_of_sale(shell: Shell, words: Words, about: About) -> Panel:
    """Everything about one sale that a person may see, and what can be done with it."""
    shown = shell.sale
    if shown is None:
        note = " ".join(part for part in (shell.note, shell.remedy) if part)
        return Panel(
            place=Place.SALE,
            title=words.say("Sale"),
            empty=note or words.say("One moment…"),
            chips=chips(shell.till, words),
        )
    sale = shown.sale
    tone, glyph = STATE_LOOKS[sale.state]
    printed = shell.note == "printed"
    note = words.say("Receipt printed") if printed else f"{shell.note} {shell.remedy}".strip()
    if shell.undoing:
        held = sale.state is State.HELD and shell.undoing == "void"
        deed = "release" if held else shell.undoing
        note = words.say(_UNDOING[deed])
    return Panel(
        place=Place.SALE,
        title=words.say("Sale {number}", number=sale.sequence),
        lead=words.money(sale.amount),
        tone=tone,
        glyph=glyph,
        hint=words.say(LAST_WORDS[sale.state]),
        lines=facts(sale, words, about),
        lines_key=(sale, words.language),
        money=words.say(money_line(sale, sale.money_taken)),
        money_taken=sale.money_taken,
        note=note,
        keys=_confirming(shell, words) if shell.undoing else _keys(shown, words),
        chips=chips(shell.till, words),
    )


_UNDOING = {
    "refund": mark("The customer holds the same card, and gets the money back on it"),
    "void": mark("The whole sale is taken back at the bank. No card is needed"),
    "release": mark("The hold is released at the bank. No money is taken"),
}


def _keys(shown: SaleShown, words: Words) -> tuple[Key, ...]:
    """What can be done with the sale; the receipt last, for it harms nobody."""
    sale = shown.sale
    has_receipt = sale.card is not None
    keys = []
    if sale.state is State.AWAITED:
        return transfer_keys(sale.txn_id, words)
    if sale.state is State.HELD:
        keys.append(Key(words.say("Release"), Undo("void"), Rank.DANGER))
        taken = words.say("Take {amount}", amount=words.money(sale.amount))
        return (*keys, Key(taken, Undo("take"), Rank.PRIMARY))
    if shown.voidable:
        keys.append(Key(words.say("Void"), Undo("void"), Rank.DANGER))
    if shown.refundable is not None:
        keys.append(Key(words.say("Refund"), Undo("refund"), Rank.DANGER))
    keys += [
        Key(
            words.say("Print a copy"),
            PrintCopy(sale.txn_id),
            enabled=has_receipt,
            glyph=Glyph.PRINTER,
        ),
        Key(
            words.say("Receipt"),
            ShowReceipt(),
            Rank.PRIMARY,
            enabled=has_receipt,
            glyph=Glyph.QR,
        ),
    ]
    return tuple(keys)


def _confirming(shell: Shell, words: Words) -> tuple[Key, ...]:
    """Money goes back only after a second touch, which says how much."""
    shown = shell.sale
    if shown is None:
        raise AssertionError("what is undone is on show")
    amount = shown.refundable if shell.undoing == "refund" else None
    worth = words.money(amount if amount is not None else shown.sale.amount)
    if shown.sale.state is State.HELD:
        return (
            Key(words.say("Keep the hold"), Undo("keep")),
            Key(words.say("Release {amount}", amount=worth), Confirm(), Rank.PRIMARY),
        )
    part = (Key(words.say("Another amount"), Undo("part")),) if amount is not None else ()
    return (
        Key(words.say("Keep the sale"), Undo("keep")),
        *part,
        Key(words.say("Give {amount} back", amount=worth), Confirm(), Rank.PRIMARY),
    )


def facts(sale: Transaction, words: Words, about: About) -> tuple[Line, ...]:
    """The sale, line by line; what is not known is left out."""
    at = sale.created_at.astimezone(about.zone)
    pairs = [
        (words.say("Card"), card_text(sale, words)),
        (words.say("Time"), f"{words.date(at)} {words.time(at)}"),
        (words.say("Cashier"), sale.cashier),
        (words.say("Approval code"), words.reference(sale.approval_code)),
        (words.say("Bank code"), words.reference(sale.response_code)),
        (words.say("Reason"), reason_of(sale, words) if sale.reason else ""),
        (words.say("Trace"), words.reference(trace_of(sale))),
        (words.say("Token"), words.reference(_short(sale.card.token)) if sale.card else ""),
    ]
    if sale.still_due_minor:
        due = type(sale.amount)(sale.still_due_minor, sale.amount.currency)
        pairs.insert(0, (words.say("Still due"), words.money(due)))
    empty = {"", words.reference("")}
    return tuple(
        Line(name, value=value, kind=Kind.FACT) for name, value in pairs if value not in empty
    )


def _short(token: str) -> str:
    """Enough of a token to tell it from any other."""
    return token if len(token) <= 16 else f"{token[:12]}…"


def page_of_receipt(shell: Shell, words: Words, about: About) -> Panel:
    """The receipt as a code: the phone reads the text itself, no server is asked."""
    del about  # As every place is built.
    shown = shell.sale
    return Panel(
        place=Place.RECEIPT,
        title=words.say("Receipt"),
        lead=words.say("Point a phone's camera here"),
        note=words.say("The code is the receipt itself. Nothing is sent anywhere"),
        hint=words.money(shown.sale.amount) if shown else "",
        code=shown.receipt if shown else "",
        keys=(
            Key(
                words.say("Print"),
                PrintCopy(shown.sale.txn_id if shown else ""),
                enabled=shown is not None,
                glyph=Glyph.PRINTER,
            ),
            Key(words.say("Close"), Back(), Rank.PRIMARY),
        ),
        chips=chips(shell.till, words),
    )
