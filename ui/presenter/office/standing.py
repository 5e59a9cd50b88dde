"""What stands open beside the totals of a day: bills, awaited transfers, and the cash drawer.

Rules of this file: pure. A count of cash is blind: what should be in the drawer is told only once
somebody has counted.
"""

from __future__ import annotations

from terminal.drawer import DrawerStanding
from terminal.money import Amount, Currency
from ui.presenter.panel import Kind, Line
from ui.presenter.sayings import Glyph, Tone
from ui.presenter.touches import Go
from ui.questions import DayShown
from ui.words import Words, minus


def open_lines(shown: DayShown, words: Words, *, counted: bool) -> tuple[Line, ...]:
    """What is still to be paid, and the drawer; nothing where there is none of it."""
    return (*_unpaid(shown, words), *_drawer(shown, words, counted=counted))


def _unpaid(shown: DayShown, words: Words) -> tuple[Line, ...]:
    lines = []
    currency = shown.report.currency
    due = [bill.due.minor for bill in shown.bills]
    awaited = [sale.amount.minor for sale in shown.awaited]
    if due:
        lines.append(
            Line(
                title=words.say("Still due on bills"),
                subtitle=words.say("Bills: {count}", count=len(due)),
                value=words.money(Amount(sum(due), currency)),
                glyph=Glyph.RECEIPT,
                tone=Tone.WARN,
                touch=Go("bills"),
            )
        )
    if awaited:
        lines.append(
            Line(
                title=words.say("Transfers not arrived yet"),
                subtitle=words.say("Transfers: {count}", count=len(awaited)),
                value=words.money(Amount(sum(awaited), currency)),
                glyph=Glyph.QR,
                tone=Tone.PENDING,
                touch=Go("queue"),
            )
        )
    if lines:
        lines.insert(0, Line(words.say("Still to be paid"), kind=Kind.HEADING))
    return tuple(lines)


def _drawer(shown: DayShown, words: Words, *, counted: bool) -> tuple[Line, ...]:
    drawer = shown.drawer
    if drawer is None:
        return ()
    sums = [(words.say("Float"), drawer.float_minor)]
    if counted:
        sums.append((words.say("Cash taken"), drawer.taken_minor))
    if drawer.put_in_minor:
        sums.append((words.say("Put in"), drawer.put_in_minor))
    if drawer.taken_out_minor:
        sums.append((words.say("Taken out"), -drawer.taken_out_minor))
    if counted:
        sums.append((words.say("Should be there"), drawer.expected_minor))
    facts = [
        Line(name, value=_signed(minor, drawer.currency, words), kind=Kind.FACT)
        for name, minor in sums
    ]
    return (
        Line(words.say("Cash drawer"), kind=Kind.HEADING),
        *facts,
        _last_count(drawer, words),
    )


def _last_count(drawer: DrawerStanding, words: Words) -> Line:
    """What the last count was off by."""
    label = words.say("Last count")
    if drawer.counted_minor is None:
        return Line(label, value=words.say("Not counted yet"), kind=Kind.FACT)
    off = drawer.difference_minor
    worth = words.money(Amount(abs(off), drawer.currency))
    if off == 0:
        return Line(label, value=words.say("It is right"), kind=Kind.FACT, tone=Tone.OK)
    if off < 0:
        missing = words.say("{amount} missing", amount=worth)
        return Line(label, value=missing, kind=Kind.FACT, tone=Tone.BAD)
    too_much = words.say("{amount} too much", amount=worth)
    return Line(label, value=too_much, kind=Kind.FACT, tone=Tone.WARN)


def _signed(minor: int, currency: Currency, words: Words) -> str:
    """A sum with a minus where it went out: amounts themselves are never negative."""
    text = words.money(Amount(abs(minor), currency))
    return minus(text) if minor < 0 else text
