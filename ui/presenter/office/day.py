"""The end of the day, in four steps: count, compare, close, take along."""

from __future__ import annotations

from dataclasses import replace

from terminal.money import Amount, Total
from ui import questions as q
from ui.presenter.office.standing import open_lines
from ui.presenter.page import About, Key, Rank, card_text, chips, sent_text
from ui.presenter.panel import Figure, Kind, Line, Panel, Place
from ui.presenter.sayings import LAST_WORDS, STATE_LOOKS, Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Back, CarryOver, Go, NextStep, OpenSale
from ui.questions import DayShown
from ui.words import Words, mark

_STEPS = (mark("Count"), mark("Compare"), mark("Take along"))


def page_of_day(shell: Shell, words: Words, about: About) -> Panel:
    """The step where the end of day is."""
    del about  # As every place is built.
    shown = shell.day
    if shell.held:
        return _held(shell, words)
    if shown is None:
        return Panel(
            place=Place.DAY,
            title=words.say("End of day"),
            empty=_note(shell) or words.say("Adding up…"),
            chips=chips(shell.till, words),
        )
    step = min(shell.day_step, len(_STEPS) - 1)
    report = shown.report
    waits = report.pending_count
    figures: tuple[Figure, ...] = (
        Figure(words.say("Approved"), words.money(_amount(report.approved)), Tone.OK),
        Figure(
            words.say("Not answered yet"),
            words.money(_amount(report.pending)),
            Tone.WARN if waits else Tone.NEUTRAL,
        ),
        Figure(words.say("Batch"), str(report.batch)),
    )
    figures += _counted(shell, shown, words) if step == 1 else ()
    title = f"{words.say('End of day')} · {words.say(_STEPS[step])} {step + 1}/{len(_STEPS)}"
    return Panel(
        place=Place.DAY,
        title=title,
        figures=figures,
        lines=(*_lines(shown, step, words), *_open(shell, shown, step, words)),
        lines_key=(shown, step, shell.drawer, words.language),
        empty=words.say("No sales in this batch yet"),
        note=_said(shell, step, words),
        tone=_tone(shown, step),
        keys=_keys(shell, step, waits, words),
        chips=chips(shell.till, words),
    )


def _open(shell: Shell, shown: DayShown, step: int, words: Words) -> tuple[Line, ...]:
    """What stands open now; the drawer as it was counted a moment ago, where it was."""
    newer = shell.drawer is not None and not shown.closed
    fresh = replace(shown, drawer=shell.drawer) if newer else shown
    return open_lines(fresh, words, counted=step > 0)


def _counted(shell: Shell, shown: DayShown, words: Words) -> tuple[Figure, ...]:
    """The cash that was counted, and what it differs by from the ledger's."""
    if shell.counted is None or shown.cash is None:
        return ()
    off = shell.counted.minor - shown.cash.minor
    if shell.drawer is not None:
        # With a float, and what was put in and taken out.
        off = shell.drawer.difference_minor
    worth = words.money(Amount(abs(off), shell.counted.currency))
    if off == 0:
        return (Figure(words.say("Cash"), words.say("It is right"), Tone.OK),)
    label = words.say("Cash missing") if off < 0 else words.say("Cash too much")
    return (Figure(label, worth, Tone.BAD if off < 0 else Tone.WARN),)


def _held(shell: Shell, words: Words) -> Panel:
    """What was sent and has no answer yet, and that it can be left to the next day."""
    lines = tuple(
        Line(
            title=card_text(sale, words) or words.say("No card"),
            subtitle=words.say(LAST_WORDS[sale.state]),
            value=words.money(sale.amount),
            glyph=STATE_LOOKS[sale.state][1],
            tone=STATE_LOOKS[sale.state][0],
            touch=OpenSale(sale.txn_id),
        )
        for sale in shell.held
    )
    busy = shell.checking
    return Panel(
        place=Place.DAY,
        title=words.say("These have no answer yet"),
        lines=lines,
        lines_key=(shell.held, words.language),
        note=_said(shell, 1, words)
        if busy
        else words.say("Everything was sent. Carried over, they belong to the next day"),
        tone=Tone.WARN,
        keys=(
            Key(words.say("Try again"), NextStep(), enabled=not busy),
            Key(words.say("Carry over and close"), CarryOver(), Rank.PRIMARY, enabled=not busy),
        ),
        chips=chips(shell.till, words),
    )


def _tone(shown: DayShown, step: int) -> Tone:
    if step < 2:
        return Tone.NEUTRAL
    return Tone.WARN if shown.settlement in {"differs", q.UNSETTLED} else Tone.OK


def _amount(total: Total) -> Amount:
    return Amount(total.minor, total.currency)


def _note(shell: Shell) -> str:
    return " ".join(part for part in (shell.note, shell.remedy) if part)


def _said(shell: Shell, step: int, words: Words) -> str:
    if shell.checking:
        return sent_text(shell.till, words) or words.say("Closing…")
    if _note(shell):
        return _note(shell)
    if shell.exported:
        return words.say("Saved as {where}", where=words.reference(shell.exported))
    return {
        0: words.say("Look through the totals. Nothing changes yet"),
        1: words.say("Closing begins a new batch. It cannot be taken back"),
        2: _settled(shell.day.settlement if shell.day is not None else "", words),
    }[step]


def _settled(outcome: str, words: Words) -> str:
    """How a closed batch stands at the acquirer; a training has none."""
    match outcome:
        case "balanced" | "corrected":
            return words.say("The day is closed, and the bank has the same sums")
        case "carried":
            return words.say("The day is closed. What was carried over goes on tomorrow")
        case "differs":
            return words.say("The bank's sums differ. Save the figures, they name each sale")
        case q.UNSETTLED:
            return words.say("Closed here. The bank did not answer: close again later")
        case _:
            return words.say("The batch is closed. The figures are kept on this till")


def _lines(shown: DayShown, step: int, words: Words) -> tuple[Line, ...]:
    """By state, and by scheme; while comparing, only what still waits comes first."""
    report = shown.report
    if shown.carried:
        return _carried(shown, words)
    rows = sorted(report.rows, key=lambda row: not row.pending) if step == 1 else report.rows
    lines = []
    if rows:
        lines.append(Line(words.say("By state"), kind=Kind.HEADING))
    for row in rows:
        tone, glyph = STATE_LOOKS[row.state]
        lines.append(
            Line(
                title=words.say(LAST_WORDS[row.state]),
                subtitle=words.say("Sales: {count}", count=row.count),
                value=words.money(_amount(row.total)),
                glyph=glyph,
                tone=tone,
                touch=Go("queue") if row.pending else None,
            )
        )
    if report.schemes:
        lines.append(Line(words.say("By card"), kind=Kind.HEADING))
    lines += [
        Line(
            title=words.reference(row.scheme) if row.scheme else words.say("Other"),
            subtitle=words.say("Sales: {count}", count=row.count),
            value=words.money(_amount(row.total)),
        )
        for row in report.schemes
    ]
    return tuple(lines)


def _carried(shown: DayShown, words: Words) -> tuple[Line, ...]:
    """What the next day begins with, sale by sale."""
    return (
        Line(words.say("Carried over to the next day"), kind=Kind.HEADING),
        *(
            Line(
                title=card_text(sale, words) or words.say("No card"),
                subtitle=words.say(LAST_WORDS[sale.state]),
                value=words.money(sale.amount),
                glyph=STATE_LOOKS[sale.state][1],
                tone=STATE_LOOKS[sale.state][0],
                touch=OpenSale(sale.txn_id),
            )
            for sale in shown.carried
        ),
    )


def _keys(shell: Shell, step: int, waits: int, words: Words) -> tuple[Key, ...]:
    if step == 0:
        return (
            Key(words.say("Count the cash"), Go("count"), glyph=Glyph.CASH),
            Key(words.say("Compare"), NextStep(), Rank.PRIMARY),
        )
    if step == 1:
        close = Key(
            words.say("Close the day"), NextStep(), Rank.PRIMARY, enabled=not shell.checking
        )
        if waits:
            return (Key(words.say("Waiting: {count}", count=waits), Go("queue")), close)
        return (close,)
    return (
        Key(words.say("Save the figures"), NextStep(), enabled=not shell.exported),
        Key(words.say("Done"), Back(), Rank.PRIMARY),
    )
