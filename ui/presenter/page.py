"""What a screen says: the view state turned into words, tones and keys.

Rules of this file: pure, and total over every state, verdict and message, so that no face has
to decide anything. Text is logical (see ``ui.words``). Every result says in one line whether
money was taken. A decline names no cause to the customer: the acquirer's code stands apart,
small, for the cashier.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from terminal.transaction import MoneyTaken, State, Transaction
from ui.presenter.sayings import LAST_WORDS, MONEY_LINES, PROMPTS, RESULTS, Glyph, Tone
from ui.presenter.state import Screen, Verdict, ViewState
from ui.presenter.touches import Cancel, Charge, Done, Touch
from ui.words import BULLETS, Words


class Rank(Enum):
    """How much a key stands out. There is one primary key on a screen at most."""

    PRIMARY = "primary"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Key:
    """A key below a screen."""

    label: str
    touch: Touch
    rank: Rank = Rank.QUIET
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Chip:
    """A short standing notice in the top bar."""

    text: str
    tone: Tone
    glyph: Glyph


@dataclass(frozen=True, slots=True)
class Page:
    """One screen in words.

    ``lights`` is how many of the four are lit; ``wait_s`` with ``wait_number`` starts a
    countdown (0 means none); ``returns`` says that the page leaves by itself after it, and
    ``clears`` that there are digits to take back.
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


def page(state: ViewState, words: Words) -> Page:
    """The page that this state shows, in this language."""
    match state.screen:
        case Screen.AMOUNT:
            return _amount(state, words)
        case Screen.PRESENT | Screen.PROCESSING:
            return _prompt(state, words)
        case Screen.RESULT:
            return _result(state, words)
        case Screen.CLOSED:
            return _closed(state, words)


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
    if not state.online:
        parts = [words.say("Offline"), pending]
        text = " · ".join(part for part in parts if part)
        shown.append(Chip(text, Tone.WARN, Glyph.CLOUD_OFF))
    elif pending:
        shown.append(Chip(pending, Tone.PENDING, Glyph.CLOCK))
    if state.reader_ok:
        shown.append(Chip(words.say("Reader ready"), Tone.OK, Glyph.WAVES))
    else:
        shown.append(Chip(words.say("No reader"), Tone.BAD, Glyph.EXCLAMATION))
    return tuple(shown)


def _amount(state: ViewState, words: Words) -> Page:
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
        chips=chips(state, words),
    )


def _prompt(state: ViewState, words: Words) -> Page:
    prompt = PROMPTS[state.prompt]
    keys: tuple[Key, ...] = ()
    if state.screen is Screen.PRESENT:
        label = words.say("Cancelling…") if state.cancelling else words.say("Cancel")
        keys = (Key(label, Cancel(), enabled=not state.cancelling),)
    return Page(
        screen=state.screen,
        tone=prompt.tone,
        glyph=prompt.glyph,
        title=words.say(prompt.title),
        amount=words.money(state.amount) if state.amount else "",
        caption=words.say(prompt.hint) if prompt.hint else "",
        detail=state.note,
        keys=keys,
        chips=chips(state, words),
        lights=prompt.lights,
        wait_s=state.wait_s,
        wait_number=state.wait_number,
    )


def _result(state: ViewState, words: Words) -> Page:
    if state.verdict is None:
        raise AssertionError("a result has a verdict")
    result = RESULTS[state.verdict]
    sale = state.transaction
    taken = state.money_taken
    lines = []
    shown = state.amount
    detail = ""
    if sale is not None:
        lines.append(card_text(sale, words))
        if state.verdict is Verdict.PARTLY_APPROVED:
            shown = type(sale.amount)(sale.approved_minor, sale.amount.currency)
            due = type(sale.amount)(sale.still_due_minor, sale.amount.currency)
            lines.append(words.say(result.advice, amount=words.money(due)))
        detail = _detail(state, sale, words)
    if result.advice and state.verdict is not Verdict.PARTLY_APPROVED:
        lines.append(words.say(result.advice))
    lines += [state.message, state.remedy]
    keys = [Key(words.say("New sale"), Done(), Rank.PRIMARY)]
    if state.may_repeat and shown is not None:
        again = words.say("Charge {amount} again", amount=words.money(shown))
        keys.insert(0, Key(again, Charge()))
    return Page(
        screen=state.screen,
        tone=result.tone,
        glyph=result.glyph,
        title=words.say(result.title),
        amount=words.money(shown) if shown else "",
        lines=tuple(filter(None, lines)),
        money=words.say(MONEY_LINES[taken]),
        money_taken=taken,
        detail=detail,
        keys=tuple(keys),
        chips=chips(state, words),
        wait_s=state.wait_s,
        wait_number=state.wait_number,
        returns=state.wait_s > 0,
    )


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


def _closed(state: ViewState, words: Words) -> Page:
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
        chips=chips(state, words),
    )
