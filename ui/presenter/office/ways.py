"""Other ways to pay the typed amount, and the holds that wait to be taken."""

from __future__ import annotations

from terminal.bill import BillStanding
from terminal.transaction import Transaction
from ui.presenter.page import About, Key, Rank, card_text, chips
from ui.presenter.panel import Line, Panel, Place, Tile
from ui.presenter.sayings import STATE_LOOKS, Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import AskTip, Cancel, Go, Hold, OpenBill, OpenSale, Transfer
from ui.words import Words


def page_of_ways(shell: Shell, words: Words, about: About) -> Panel:
    """What can be done with the amount beside charging it to a card at once."""
    typed, amount = shell.till.may_charge, words.money(shell.till.due)
    sells = bool(shell.till.basket.stock)
    discount = Tile(
        words.say("Discount"),
        Glyph.PERCENT,
        Go("discount"),
        words.say("Off the whole order"),
        enabled=shell.till.basket.order is not None,
    )
    transfer = Tile(
        words.say("Bank transfer"),
        Glyph.QR,
        Transfer("ask"),
        words.say("A code to scan")
        if about.transfers
        else words.say("The shop has no account here"),
        enabled=typed and about.transfers,
    )
    tiles = (
        Tile(
            words.say("Cash"), Glyph.CASH, Go("cash"), words.say("Says the change"), enabled=typed
        ),
        Tile(
            words.say("With a tip"),
            Glyph.SMILE,
            AskTip(),
            words.say("The customer chooses"),
            enabled=typed,
        ),
        Tile(
            words.say("Hold"),
            Glyph.CLOCK,
            Hold(),
            words.say("Set aside on the card, taken later"),
            enabled=typed,
        ),
        Tile(
            words.say("Split"),
            Glyph.PERSON,
            Go("split"),
            words.say("By people, amounts or items")
            if sells
            else words.say("By people or by amounts"),
            enabled=typed,
        ),
        transfer,
        Tile(words.say("Open bills"), Glyph.RECEIPT, Go("bills"), words.say("Still to be paid")),
        Tile(words.say("Open holds"), Glyph.LIST, Go("holds"), words.say("Take or release")),
        *((discount,) if sells else ()),
    )
    return Panel(
        place=Place.WAYS,
        title=f"{words.say('Ways to pay')} · {amount}" if typed else words.say("Ways to pay"),
        lead="" if typed else words.say("Type the amount"),
        tiles=tiles,
        chips=chips(shell.till, words),
    )


def page_of_holds(shell: Shell, words: Words, about: About) -> Panel:
    """The open holds; each opens as a sale does, and says there what can be done with it."""
    holds = shell.holds.holds if shell.holds is not None else ()
    return Panel(
        place=Place.HOLDS,
        title=words.say("Open holds"),
        lines=tuple(_line(hold, words, about) for hold in holds),
        lines_key=(shell.holds, words.language),
        empty=words.say("Nothing is held on any card") if shell.holds is not None else "",
        note=" ".join(part for part in (shell.note, shell.remedy) if part),
        chips=chips(shell.till, words),
    )


def page_of_transfer(shell: Shell, words: Words, about: About) -> Panel:
    """The code of a bank transfer, and what can be done about it."""
    del about  # As every place is built.
    code, sale = shell.code, shell.till.transaction
    keys: tuple[Key, ...] = (Key(words.say("Stop waiting"), Cancel()),)
    if not shell.awaiting:
        keys = transfer_keys(code.txn_id if code is not None else "", words)
    return Panel(
        place=Place.TRANSFER,
        title=words.say("Bank transfer"),
        lead=words.say("Scan it with the app of your bank"),
        hint=words.money(sale.amount) if sale is not None else "",
        note=words.say("The till asks the bank until the money is there")
        if shell.awaiting
        else " ".join(part for part in (shell.note, shell.remedy) if part)
        or words.say("Nobody has seen the money yet. It is not paid"),
        code=code.text if code is not None else "",
        keys=keys,
        chips=chips(shell.till, words),
    )


def transfer_keys(txn_id: str, words: Words) -> tuple[Key, ...]:
    """What can be done about a transfer that has not arrived."""
    return (
        Key(words.say("Give up"), Transfer("drop", txn_id), Rank.DANGER),
        Key(words.say("It is there"), Transfer("seen", txn_id)),
        Key(words.say("Ask the bank"), Transfer("wait", txn_id), Rank.PRIMARY),
    )


def page_of_bills(shell: Shell, words: Words, about: About) -> Panel:
    """Bills of which something is due: each opens where its next part is paid."""
    bills = shell.bills or ()
    return Panel(
        place=Place.BILLS,
        title=words.say("Open bills"),
        lines=tuple(_bill(bill, words, about) for bill in bills),
        lines_key=(shell.bills, words.language),
        empty=words.say("Every bill is paid") if shell.bills is not None else "",
        note=" ".join(part for part in (shell.note, shell.remedy) if part),
        chips=chips(shell.till, words),
    )


def _bill(bill: BillStanding, words: Words, about: About) -> Line:
    at = bill.opened_at.astimezone(about.zone)
    name = bill.bill.label or bill.bill.name
    of_all = words.say("of {amount}", amount=words.money(bill.bill.total))
    return Line(
        title=words.reference(name),
        subtitle=f"{words.date(at)} {words.time(at)} · {of_all}",
        value=words.money(bill.due),
        glyph=Glyph.RECEIPT,
        tone=Tone.WARN,
        touch=OpenBill(bill.bill.name) if bill.due.minor else None,
    )


def _line(hold: Transaction, words: Words, about: About) -> Line:
    tone, glyph = STATE_LOOKS[hold.state]
    at = hold.created_at.astimezone(about.zone)
    return Line(
        title=card_text(hold, words) or words.say("No card"),
        subtitle=f"{words.date(at)} {words.time(at)}",
        value=words.money(hold.amount),
        glyph=glyph,
        tone=tone,
        touch=OpenSale(hold.txn_id),
    )
