"""What a screen says: the view state turned into words, tones and keys.

Rules of this file: pure, and total over every state, verdict and message, so that no face has
to decide anything. Text is logical (see ``ui.words``). Every result says in one line whether
money was taken. A decline names no cause to the customer: the acquirer's code stands apart,
small, for the cashier.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from enum import Enum

from terminal.transaction import MoneyTaken, State, Transaction
from ui.presenter.refunded import money_line, title_of
from ui.presenter.sayings import (
    LAST_WORDS,
    MONEY_LINES,
    PROMPTS,
    RESULTS,
    Glyph,
    Tone,
)
from ui.presenter.state import Screen, ViewState
from ui.presenter.touches import (
    Cancel,
    Charge,
    Done,
    Go,
    Practise,
    Preset,
    ShowReceipt,
    Touch,
)
from ui.presenter.verdict import Verdict
from ui.words import BULLETS, Words


class Rank(Enum):
    """How much a key stands out. There is one primary key on a screen at most."""

    PRIMARY = "primary"
    QUIET = "quiet"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Key:
    """A key below a screen."""

    label: str
    touch: Touch
    rank: Rank = Rank.QUIET
    enabled: bool = True
    glyph: Glyph | None = None


@dataclass(frozen=True, slots=True)
class Chip:
    """A short standing notice in the top bar; ``touch`` is where it leads.

    ``short`` is what is left of it where there is no room.
    """

    text: str
    tone: Tone
    glyph: Glyph
    touch: Touch | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a page needs to know beside the state.

    ``now`` is None where nobody tells the time; ``quick`` are the shop's usual amounts, whole
    units of its currency; ``contact`` is whom to ask.
    """

    now: datetime | None = None
    zone: tzinfo = UTC
    contact: str = ""
    quick: tuple[int, ...] = (5, 10, 20)
    cashier: str = ""
    training: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One screen in words.

    ``lights`` is how many of the four are lit; ``wait_s`` with ``wait_number`` starts a
    countdown (0 means none); ``returns`` says that the page leaves by itself after it, and
    ``clears`` that there are digits to take back. ``help`` is whom to ask, and by which number;
    ``banner`` a notice as wide as the screen.
    """

    screen: Screen
    tone: Tone
    glyph: Glyph
    title: str
    amount: str = ""
    caption: str = ""
    lines: tuple[str, ...] = ()
    money: str = ""
    money_taken: MoneyTaken | None = None
    detail: str = ""
    keys: tuple[Key, ...] = ()
    chips: tuple[Chip, ...] = ()
    lights: int = 0
    wait_s: float = 0.0
    wait_number: int = 0
    returns: bool = False
    clears: bool = False
    quick: tuple[Key, ...] = ()
    banner: Chip | None = None
    help: str = ""
    faces: bool = False


NOTHING = About()


def page(
    state: ViewState, words: Words, customer: Words | None = None, about: About = NOTHING
) -> Page:
    """The page that this state shows: the customer's part in ``customer``, if that is another."""
    match state.screen:
        case Screen.AMOUNT:
            return _amount(state, words, about)
        case Screen.PRESENT | Screen.PROCESSING:
            return _prompt(state, words, customer or words, about)
        case Screen.RESULT:
            return _result(state, words, customer or words, about)
        case Screen.CLOSED:
            return _closed(state, words, about)


def card_text(sale: Transaction, words: Words) -> str:
    """The card as anybody may see it: ``Visa •••• 1234``, kept in one piece."""
    if sale.card is None:
        return ""
    name = sale.card.scheme or sale.card.label
    last4 = sale.card.masked_pan[-4:]
    return words.reference(f"{name} {BULLETS} {last4}".strip())


def last_line(state: ViewState, words: Words) -> str:
    """The sale before this one, in one line; empty when there was none."""
    sale = state.last
    if sale is None:
        return ""
    parts = (words.money(sale.amount), card_text(sale, words), words.say(LAST_WORDS[sale.state]))
    return " · ".join(part for part in parts if part)


def chips(state: ViewState, words: Words) -> tuple[Chip, ...]:
    """The top bar's notices: what waits, the network, the reader."""
    shown = []
    total = state.pending_total
    pending = (
        words.say(
            "{count} to send · {amount}", count=state.pending_count, amount=words.money(total)
        )
        if state.pending_count and total is not None
        else ""
    )
    count = str(state.pending_count) if state.pending_count else ""
    if not state.online:
        parts = [words.say("Offline"), pending]
        text = " · ".join(part for part in parts if part)
        shown.append(Chip(text, Tone.WARN, Glyph.CLOUD_OFF, Go("queue"), count))
    elif pending:
        shown.append(Chip(pending, Tone.PENDING, Glyph.CLOCK, Go("queue"), count))
    if state.reader_ok:
        shown.append(Chip(words.say("Reader ready"), Tone.OK, Glyph.WAVES, Go("reader")))
    else:
        shown.append(Chip(words.say("No reader"), Tone.BAD, Glyph.EXCLAMATION, Go("reader")))
    return tuple(shown)


def banner(state: ViewState, words: Words, about: About) -> Chip | None:
    """What a shop without a line has to know: how much is at risk, since when, and what is left."""
    if state.online:
        return None
    parts = [words.say("Offline")]
    total = state.pending_total
    if state.pending_count and total is not None:
        parts.append(
            words.say(
                "{count} to send · {amount}", count=state.pending_count, amount=words.money(total)
            )
        )
        if state.pending_since is not None and about.now is not None:
            age_s = max(0, round((about.now - state.pending_since).total_seconds()))
            parts.append(words.say("oldest {age}", age=words.span(age_s)))
    else:
        parts.append(words.say("sales are saved and sent later"))
    if state.pending_left is not None:
        parts.append(words.say("{amount} left", amount=words.money(state.pending_left)))
    return Chip(" · ".join(parts), Tone.WARN, Glyph.CLOUD_OFF, Go("queue"))


def trace_of(sale: Transaction) -> str:
    """What to name on the phone: the bank's number of the sale, or else the till's."""
    return sale.rrn or sale.txn_id.rpartition("_")[2][-12:]


def _quick(state: ViewState, words: Words, about: About) -> tuple[Key, ...]:
    """The last amount once more, and the amounts that are asked for often."""
    keys = []
    currency = state.currency
    if state.last is not None and state.last.amount.currency == currency:
        again = state.last.amount
        keys.append(Key(words.money(again), Preset(again), glyph=Glyph.RETURN))
    unit = 10**currency.exponent * (1000 if currency.code in _THOUSANDS else 1)
    shown = [type(state.typed_amount)(whole * unit, currency) for whole in about.quick]
    keys += [Key(words.money_short(amount), Preset(amount)) for amount in shown]
    return tuple(keys[:4])


_THOUSANDS = frozenset({"IRR", "KRW", "HUF", "JPY"})
"""Currencies in which five units buy nothing: the usual amounts are thousands."""


def _help(sale: Transaction | None, words: Words, about: About) -> str:
    """Whom to ask, and by which number the sale is found."""
    parts = []
    if about.contact:
        parts.append(words.say("Help: {contact}", contact=words.reference(about.contact)))
    if sale is not None:
        parts.append(words.say("Trace {number}", number=words.reference(trace_of(sale))))
    return " · ".join(parts)


def _amount(state: ViewState, words: Words, about: About) -> Page:
    amount = words.money(state.typed_amount)
    if not state.reader_ok:
        hint = words.say("Connect the reader to take payments")
    elif state.typed:
        hint = ""
    else:
        hint = words.say("Type the amount")
    label = words.say("Charge {amount}", amount=amount) if state.typed else words.say("Charge")
    return Page(
        screen=state.screen,
        tone=Tone.NEUTRAL,
        glyph=Glyph.WAVES,
        title=words.say("Amount"),
        amount=amount,
        caption=hint,
        lines=tuple(filter(None, (last_line(state, words),))),
        money_taken=state.last.money_taken if state.last else None,
        keys=(Key(label, Charge(), Rank.PRIMARY, enabled=state.may_charge),),
        clears=state.typed > 0,
        quick=_quick(state, words, about),
        banner=banner(state, words, about),
        chips=chips(state if state.online else replace(state, online=True, pending_count=0), words),
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
        detail=state.note or (words.say("Refund") if state.returning else ""),
        keys=keys,
        chips=chips(state, words),
        lights=prompt.lights,
        wait_s=state.wait_s,
        wait_number=state.wait_number,
    )


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
        lines.append(card_text(sale, customer))
        if state.verdict is Verdict.PARTLY_APPROVED:
            shown = type(sale.amount)(sale.approved_minor, sale.amount.currency)
            due = type(sale.amount)(sale.still_due_minor, sale.amount.currency)
            lines.append(customer.say(result.advice, amount=customer.money(due)))
        detail = _detail(state, sale, words)
    if result.advice and state.verdict is not Verdict.PARTLY_APPROVED:
        lines.append(customer.say(result.advice))
    lines += [state.message, state.remedy]
    trouble = state.verdict not in (Verdict.APPROVED, Verdict.CANCELLED)
    return Page(
        screen=state.screen,
        tone=result.tone,
        glyph=result.glyph,
        title=customer.say(title_of(state, result.title)),
        amount=customer.money(shown) if shown else "",
        lines=tuple(filter(None, lines)),
        caption=_checking(state, customer),
        money=customer.say(money_line(sale, taken)),
        money_taken=taken,
        detail=detail,
        help=_help(sale, words, about) if trouble else "",
        keys=_result_keys(state, words),
        chips=chips(state, words),
        wait_s=state.wait_s,
        wait_number=state.wait_number,
        returns=state.verdict is Verdict.APPROVED and state.wait_s > 0,
    )


def _checking(state: ViewState, words: Words) -> str:
    """What goes on while the fate of a sale is not known."""
    if state.verdict is not Verdict.UNKNOWN:
        return ""
    if state.overdue:
        return words.say("The bank has not answered yet. The till keeps asking")
    return words.say("Checking…")


def _result_keys(state: ViewState, words: Words) -> tuple[Key, ...]:
    """The way on, last; before it what else can be done with this end."""
    keys = [Key(words.say("New sale"), Done(), Rank.PRIMARY)]
    if state.verdict is Verdict.PARTLY_APPROVED and state.may_charge_rest:
        rest = words.money(state.rest)
        keys.insert(0, Key(words.say("Charge {amount}", amount=rest), Charge()))
    elif state.may_repeat and state.amount is not None:
        again = words.say("Charge {amount} again", amount=words.money(state.amount))
        keys.insert(0, Key(again, Charge()))
    elif state.verdict in (Verdict.APPROVED, Verdict.STORED):
        keys.insert(0, Key(words.say("Receipt"), ShowReceipt(), glyph=Glyph.QR))
    return tuple(keys)


def _detail(state: ViewState, sale: Transaction, words: Words) -> str:
    """The small line for the cashier: the acquirer's code, the approval, the paper."""
    parts = []
    if sale.approval_code:
        parts.append(words.say("Approval {code}", code=words.reference(sale.approval_code)))
    elif sale.response_code:
        parts.append(words.say("Bank code {code}", code=words.reference(sale.response_code)))
    elif sale.state is State.DECLINED and sale.reason:
        # The bank was not asked: the cashier has to know whether another card would help.
        parts.append(words.reference(sale.reason))
    if state.receipt_note and state.receipt_ok:
        parts.append(words.say("Receipt printed"))
    elif state.receipt_note:
        parts.append(words.say("No receipt: {reason}", reason=state.receipt_note))
    return " · ".join(parts)


def _closed(state: ViewState, words: Words, about: About) -> Page:
    last = last_line(state, words)
    taken = state.last.money_taken if state.last else None
    return Page(
        screen=state.screen,
        tone=Tone.BAD,
        glyph=Glyph.CLOSED,
        title=words.say("Out of service"),
        caption=words.say("This till takes no payments until somebody has helped"),
        lines=tuple(filter(None, (state.message, state.remedy))),
        detail=words.say("Last sale: {sale}", sale=last) if last else "",
        money=words.say(MONEY_LINES[taken]) if taken else "",
        money_taken=taken,
        help=_help(state.last, words, about),
        chips=chips(state, words),
    )
