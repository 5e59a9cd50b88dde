"""The screens of a sale: the view state turned into words, tones and keys.

Rules of this file: pure, and total over every state, verdict and message, so that no face has
to decide anything. Every result says in one line whether money was taken. A decline names no
cause to the customer: the acquirer's code stands apart, small, for the cashier.
"""

from __future__ import annotations

from dataclasses import replace

from terminal.bill import TIP_PERCENTS, tip_of
from terminal.money import Amount
from terminal.terms import Tender, TransactionKind
from terminal.transaction import State, Transaction
from ui.presenter import faults
from ui.presenter.counter_page import with_items
from ui.presenter.page import (
    NOTHING,
    THOUSANDS,
    About,
    Key,
    Page,
    Rank,
    banner,
    card_text,
    chips,
    last_line,
    trace_of,
)
from ui.presenter.reasons import NOTES, advice_of, reason_of
from ui.presenter.refunded import money_line, title_of
from ui.presenter.sayings import IN_CASH, MONEY_LINES, PROMPTS, RESULTS, Glyph, Tone
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import (
    AddTip,
    Cancel,
    Charge,
    Clear,
    Done,
    Go,
    Practise,
    Preset,
    ShowReceipt,
    Tip,
    TipOther,
    Transfer,
)
from ui.presenter.verdict import Verdict
from ui.words import Words


def page(
    state: ViewState, words: Words, customer: Words | None = None, about: About = NOTHING
) -> Page:
    """The page that this state shows: the customer's part in ``customer``, if that is another."""
    match state.screen:
        case Screen.AMOUNT:
            return _amount(state, words, about)
        case Screen.TIP:
            return _tip(state, words, customer or words)
        case Screen.PRESENT | Screen.PROCESSING:
            return _prompt(state, words, customer or words, about)
        case Screen.RESULT:
            return _result(state, words, customer or words, about)
        case Screen.CLOSED:
            return _closed(state, words, about)


def _quick(state: ViewState, words: Words, about: About) -> tuple[Key, ...]:
    """The last amount once more, and the amounts that are asked for often."""
    keys = []
    currency = state.currency
    if state.last is not None and state.last.amount.currency == currency:
        again = state.last.amount
        keys.append(Key(words.money(again), Preset(again), glyph=Glyph.RETURN))
    unit = 10**currency.exponent * (1000 if currency.code in THOUSANDS else 1)
    shown = [type(state.typed_amount)(whole * unit, currency) for whole in about.quick]
    keys += [Key(words.money_short(amount), Preset(amount)) for amount in shown]
    return tuple(keys[:4])


def _help(sale: Transaction | None, words: Words, about: About) -> str:
    """Whom to ask, and by which number the sale is found."""
    parts = []
    if about.contact:
        parts.append(words.say("Help: {contact}", contact=words.reference(about.contact)))
    if sale is not None:
        parts.append(words.say("Trace {number}", number=words.reference(trace_of(sale))))
    return " · ".join(parts)


def _amount(state: ViewState, words: Words, about: About) -> Page:
    amount = words.money(state.due)
    if not state.reader_ok:
        hint = words.say("Connect the reader to take payments")
    elif state.typed or state.basket.order is not None:
        hint = ""
    else:
        hint = words.say("Type the amount")
    label = words.say("Charge {amount}", amount=amount) if state.may_charge else words.say("Charge")
    plain = Page(
        screen=state.screen,
        tone=Tone.NEUTRAL,
        glyph=Glyph.WAVES,
        title=words.say("Amount"),
        amount=amount,
        caption=hint,
        lines=tuple(filter(None, (last_line(state, words),))),
        money_taken=state.last.money_taken if state.last else None,
        keys=(
            Key(label, Charge(), Rank.PRIMARY, enabled=state.may_charge),
            Key("", Go("ways"), glyph=Glyph.CASH),
        ),
        clears=state.typed > 0,
        wipe=Key(words.say("Clear"), Clear()) if state.typed else None,
        quick=_quick(state, words, about),
        banner=banner(state, words, about),
        chips=chips(state if state.online else replace(state, online=True, pending_count=0), words),
    )
    return with_items(plain, state, words)


def _tip(state: ViewState, words: Words, customer: Words) -> Page:
    """The customer chooses a tip: a share, an amount of their own, or none."""
    if state.amount is None:
        raise AssertionError("a tip is added to an amount")
    amount, typing = state.amount, state.tip_typed is not None
    total = amount + state.typed_tip
    offers = [
        Key(f"{percent} %\n{customer.money(tip_of(amount, percent))}", Tip(percent))
        for percent in TIP_PERCENTS
    ]
    choices = (
        *offers,
        Key(customer.say("Another tip"), TipOther()),
        Key(customer.say("No tip"), Tip(0), Rank.PRIMARY),
    )
    label = customer.say("Pay {amount}", amount=customer.money(total))
    return Page(
        screen=state.screen,
        tone=Tone.READY,
        glyph=Glyph.SMILE,
        title=customer.say("Would you like to add a tip?"),
        amount=customer.money(total if typing else amount),
        caption=customer.say("Choose, then hold your card"),
        keys=(Key(label, AddTip(), Rank.PRIMARY),) if typing else choices,
        entry=customer.say("With a tip of {amount}", amount=customer.money(state.typed_tip))
        if typing
        else "",
        clears=bool(state.tip_typed),
        chips=chips(state, words),
    )


def _prompt(state: ViewState, words: Words, customer: Words, about: About) -> Page:
    prompt = PROMPTS[state.prompt]
    keys: tuple[Key, ...] = ()
    caption = customer.say(prompt.hint) if prompt.hint else ""
    if state.overdue:
        caption = customer.say("This takes longer than it should. Do not take another card")
    if state.screen is Screen.PRESENT:
        label = words.say("Cancelling…") if state.cancelling else words.say("Cancel")
        keys = (Key(label, Cancel(), enabled=not state.cancelling),)
        if about.training and not state.cancelling:
            keys += (
                Key(words.say("Hold a card"), Practise("card"), Rank.PRIMARY),
                Key(words.say("Hold a phone"), Practise("phone")),
                Key(words.say("Two cards"), Practise("two")),
            )
    return Page(
        screen=state.screen,
        tone=prompt.tone,
        glyph=prompt.glyph,
        title=customer.say(prompt.title),
        amount=customer.money(state.amount) if state.amount else "",
        caption=caption,
        detail=_about_prompt(state, words, customer),
        keys=keys,
        chips=chips(state, words),
        lights=prompt.lights,
        wait_s=state.wait_s,
        wait_number=state.wait_number,
    )


def _about_prompt(state: ViewState, words: Words, customer: Words) -> str:
    """The small line under a prompt: what the amount is, or what is wrong with this card."""
    if state.note in NOTES:
        return customer.say(NOTES[state.note])
    if state.terms.tip_minor and state.amount is not None:
        tip = type(state.amount)(state.terms.tip_minor, state.amount.currency)
        return customer.say("With a tip of {amount}", amount=customer.money(tip))
    if state.terms.kind is TransactionKind.HOLD:
        return customer.say("Held on the card. No money is taken yet")
    return words.say("Refund") if state.returning else ""


def _result(state: ViewState, words: Words, customer: Words, about: About) -> Page:
    if state.verdict is None:
        raise AssertionError("a result has a verdict")
    result = RESULTS[state.verdict]
    sale = state.transaction
    taken = state.money_taken
    lines = []
    shown = state.amount
    detail = ""
    if sale is not None:
        cash = sale.terms.tender is Tender.CASH
        lines.append(customer.say(IN_CASH) if cash else card_text(sale, customer))
        if state.verdict is Verdict.PARTLY_APPROVED:
            shown = type(sale.amount)(sale.approved_minor, sale.amount.currency)
        detail = _detail(state, sale, words)
    if result.advice and state.verdict is not Verdict.PARTLY_APPROVED:
        lines.append(customer.say(advice_of(sale, result.advice)))
    if state.may_charge_rest:
        lines.append(customer.say("Still due: {amount}", amount=customer.money(state.rest)))
    fault, for_the_phone = faults.told(state, words)
    lines += fault
    detail = " · ".join(part for part in (detail, for_the_phone) if part)
    trouble = state.verdict not in (Verdict.APPROVED, Verdict.CANCELLED)
    return Page(
        screen=state.screen,
        tone=result.tone,
        glyph=result.glyph,
        title=_change(sale, words) or customer.say(title_of(state, result.title)),
        amount=customer.money(shown) if shown else "",
        lines=tuple(filter(None, lines)),
        caption=_checking(state, customer),
        money=customer.say(money_line(sale, taken)),
        money_taken=taken,
        detail=detail,
        help=_help(sale, words, about) if trouble else "",
        keys=_result_keys(state, words, about),
        paid=_paid(state, sale),
        chips=chips(state, words),
        wait_s=state.wait_s,
        wait_number=state.wait_number,
        returns=state.verdict is Verdict.APPROVED and state.wait_s > 0,
    )


def _paid(state: ViewState, sale: Transaction | None) -> int | None:
    """How much is paid of what several tenders pay, in percent."""
    if state.bill is not None:
        total = max(1, state.bill.bill.total.minor)
        return (total - state.bill.due.minor) * 100 // total
    if sale is None or state.verdict is not Verdict.PARTLY_APPROVED:
        return None
    return sale.approved_minor * 100 // max(1, sale.amount.minor)


def _change(sale: Transaction | None, words: Words) -> str:
    """What goes back over the counter, where cash was taken: the first thing to know then."""
    if sale is None:
        return ""
    back = sale.tendered_minor - sale.cash_minor
    if sale.terms.tender is not Tender.CASH or not sale.tendered_minor or back <= 0:
        return ""
    return words.say("Change: {amount}", amount=words.money(Amount(back, sale.amount.currency)))


def _checking(state: ViewState, words: Words) -> str:
    """What goes on while the fate of a sale is not known."""
    if state.verdict is not Verdict.UNKNOWN:
        return ""
    if state.overdue:
        return words.say("The bank has not answered yet. The till keeps asking")
    return words.say("Checking…")


def _result_keys(state: ViewState, words: Words, about: About) -> tuple[Key, ...]:
    """The way on, last; before it what else can be done with this end.

    What this customer mostly does next stands out; otherwise it is the way to the next one.
    """
    usual = state.usual.next_tender if state.usual is not None else None
    if usual is Tender.TRANSFER and not about.transfers:
        usual = None
    owes = state.left_to_pay.minor > 0 and state.terms.kind is TransactionKind.SALE
    stands_out = usual if owes else None
    leave = Rank.QUIET if stands_out is not None else Rank.PRIMARY
    ordered = state.basket.order is not None
    way_on = words.say("Back to the order") if ordered else words.say("New sale")
    keys = [Key(way_on, Done(), leave)]
    by_card = Rank.PRIMARY if stands_out is Tender.CARD else Rank.QUIET
    if state.may_charge_rest:
        rest = words.money(state.rest)
        keys.insert(0, Key(words.say("Charge {amount}", amount=rest), Charge(), by_card))
        if state.bill is not None and not state.bill.bill.first:
            apart = stands_out not in (None, Tender.CARD)
            part = Rank.PRIMARY if apart else Rank.QUIET
            keys.insert(0, Key(words.say("Next part"), Go("split"), part))
        else:
            keys.insert(0, _otherwise(stands_out, words))
    elif state.may_repeat and state.amount is not None:
        again = words.say("Charge {amount} again", amount=words.money(state.amount))
        keys.insert(0, Key(again, Charge(), by_card))
        if state.terms.kind is TransactionKind.SALE:
            keys.insert(0, _otherwise(stands_out, words))
    elif state.verdict in (Verdict.APPROVED, Verdict.STORED):
        keys.insert(0, Key(words.say("Receipt"), ShowReceipt(), glyph=Glyph.QR))
    return tuple(keys)


def _otherwise(usual: Tender | None, words: Words) -> Key:
    """Another way to pay: cash, or a transfer where that is what this customer does."""
    if usual is Tender.TRANSFER:
        return Key(words.say("Bank transfer"), Transfer("ask"), Rank.PRIMARY, glyph=Glyph.QR)
    rank = Rank.PRIMARY if usual is Tender.CASH else Rank.QUIET
    return Key(words.say("Cash"), Go("cash"), rank, glyph=Glyph.CASH)


def _detail(state: ViewState, sale: Transaction, words: Words) -> str:
    """The small line for the cashier: the acquirer's code, the approval, the paper."""
    parts = []
    if sale.approval_code:
        parts.append(words.say("Approval {code}", code=words.reference(sale.approval_code)))
    elif sale.response_code:
        parts.append(words.say("Bank code {code}", code=words.reference(sale.response_code)))
    elif sale.state is State.DECLINED and sale.reason:
        # The bank was not asked: the cashier has to know whether another card would help.
        parts.append(reason_of(sale, words))
    if state.receipt_note and state.receipt_ok:
        parts.append(words.say("Receipt printed"))
    elif state.receipt_note:
        parts.append(words.say("No receipt: {reason}", reason=state.receipt_note))
    return " · ".join(parts)


def _closed(state: ViewState, words: Words, about: About) -> Page:
    last = last_line(state, words)
    taken = state.last.money_taken if state.last else None
    fault, for_the_phone = faults.told(state, words)
    return Page(
        screen=state.screen,
        tone=Tone.BAD,
        glyph=Glyph.CLOSED,
        title=words.say("Out of service"),
        caption=words.say("This till takes no payments until somebody has helped"),
        lines=fault,
        detail="\n".join(
            part
            for part in (words.say("Last sale: {sale}", sale=last) if last else "", for_the_phone)
            if part
        ),
        money=words.say(MONEY_LINES[taken]) if taken else "",
        money_taken=taken,
        help=_help(state.last, words, about),
        chips=chips(state, words),
    )
