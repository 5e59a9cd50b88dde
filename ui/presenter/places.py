"""The places around the sale, in words: what each of them shows of the shell.

Rules of this file: pure, and total over the places. Every list says what it means when it is
empty; every refusal says who may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from terminal.money import Amount, Currency
from terminal.roles import PIN_DIGITS_MIN, Action
from terminal.transaction import State
from ui.presenter import entries
from ui.presenter.office import day, entry, items, reader, reading, sale, settings, share, ways
from ui.presenter.page import About, Key, Rank, chips, sent_text
from ui.presenter.panel import Figure, Line, Lines, Panel, Place, Tile
from ui.presenter.sayings import LAST_WORDS, STATE_LOOKS, Glyph, Tone
from ui.presenter.shell import Shell
from ui.presenter.touches import Enter, Go, Lock, OpenSale, SendNow, Train
from ui.questions import Found, Waiting
from ui.words import BULLETS, Words, mark

_ROLES = {
    "cashier": mark("Cashier"),
    "supervisor": mark("Supervisor"),
    "merchant": mark("Merchant"),
    "technician": mark("Technician"),
}


def panel(shell: Shell, words: Words, about: About) -> Panel:
    """The panel of the place where the shell is."""
    return _BUILDERS[shell.place](shell, words, about)


# -- lock and menu -------------------------------------------------------------------------------


def _lock(shell: Shell, words: Words, about: About) -> Panel:
    del about  # As every place is built.
    needs = _NEEDS.get(shell.needs) if shell.needs is not None else None
    if shell.checking:
        note = words.say("Checking the PIN…")
    elif shell.note == "may not":
        note = words.say("{name} may not do this", name=shell.remedy)
    elif shell.note == "wrong":
        note = words.say("This PIN is wrong")
    elif shell.note == "wait":
        note = words.say(
            "Too many wrong PINs. Try again in {time}", time=words.span(int(shell.remedy))
        )
    else:
        note = " ".join(part for part in (shell.note, shell.remedy) if part)
    title = words.say("Who is at the till?") if shell.locked else words.say("A PIN is needed")
    return Panel(
        place=Place.LOCK,
        title=title,
        lead=words.say(needs) if needs else words.say("Type your PIN"),
        glyph=Glyph.LOCK,
        tone=Tone.READY,
        note=note,
        dots=len(shell.pin),
        keys=(
            Key(
                words.say("Unlock"),
                Enter(),
                Rank.PRIMARY,
                enabled=len(shell.pin) >= PIN_DIGITS_MIN and not shell.checking,
            ),
        ),
        chips=chips(shell.till, words),
        goes_back=bool(shell.trail),
    )


_NEEDS: Mapping[Action, str] = MappingProxyType(
    {
        Action.SELL: mark("To take payments"),
        Action.CANCEL_SALE: mark("The customer has not paid: the cashier's PIN leads on"),
        Action.SHOW_QUEUE: mark("To see what waits"),
        Action.PRINT_COPY: mark("To print a copy"),
        Action.REPORT_X: mark("To see the day"),
        Action.CLOSE_BATCH: mark("A supervisor closes the day"),
        Action.EXPORT_BOOKS: mark("The merchant takes the books along"),
        Action.CHANGE_SHOP: mark("The merchant decides this"),
        Action.TRAINING: mark("A supervisor turns training on and off"),
        Action.REFUND: mark("A supervisor gives money back"),
        Action.DISCOUNT: mark("A supervisor takes something off"),
        Action.VOID: mark("A supervisor takes a sale back"),
        Action.CONFIRM_TRANSFER: mark("A supervisor says that the money is there"),
        Action.REFUND_OVER_LIMIT: mark("A supervisor gives money back"),
    }
)


def _menu(shell: Shell, words: Words, about: About) -> Panel:
    del about  # As every place is built.
    state = shell.till
    waiting = (
        words.say("Waiting: {count}", count=state.pending_count)
        if state.pending_count
        else words.say("Nothing waits")
    )
    person = shell.person
    who = f"{person.name} · {words.say(_ROLES[person.role.value])}" if person else ""
    tiles = [
        Tile(
            words.say("Waiting sales"),
            Glyph.SEND,
            Go("queue"),
            waiting,
            Tone.WARN if state.pending_count else Tone.READY,
        ),
        Tile(words.say("History"), Glyph.LIST, Go("history"), words.say("Find any sale")),
        Tile(words.say("End of day"), Glyph.BARS, Go("day"), words.say("Count, compare, close")),
        Tile(
            words.say("Reader"),
            Glyph.WAVES,
            Go("reader"),
            words.say("Ready") if state.reader_ok else words.say("No reader"),
            Tone.READY if state.reader_ok else Tone.BAD,
        ),
        Tile(words.say("Settings"), Glyph.SLIDERS, Go("settings"), words.say("Language, looks")),
        Tile(
            words.say("Training"),
            Glyph.GRADUATE,
            Train(),
            words.say("On: no real money") if shell.training else words.say("Practise safely"),
            Tone.WARN if shell.training else Tone.READY,
        ),
        Tile(words.say("Help"), Glyph.QUESTION, Go("help"), words.say("What to do when")),
        Tile(words.say("Protection"), Glyph.SHIELD, Go("safety"), words.say("How cards are kept")),
    ]
    if shell.note == "money waits":
        who = words.say("Money waits. Send it first")
    keys = (Key(words.say("Lock the till"), Lock(), glyph=Glyph.LOCK),) if shell.staff else ()
    return Panel(
        place=Place.MENU,
        title=words.say("Menu"),
        lead=who,
        tiles=tuple(tiles),
        keys=keys,
        chips=chips(state, words),
    )


# -- queue and history ---------------------------------------------------------------------------


def _queue(shell: Shell, words: Words, about: About) -> Panel:
    shown = shell.queue
    state = shell.till
    figures: list[Figure] = []
    meter = None
    lines: Lines[Waiting] | tuple[Line, ...] = ()
    if shown is not None:
        left = max(0, shown.limit.minor - shown.total.minor)
        figures = [
            Figure(words.say("Waiting"), str(len(shown.waiting))),
            Figure(words.say("Sum"), words.money(shown.total)),
            Figure(words.say("Oldest"), _age(shown.oldest_at, about, words)),
            Figure(
                words.say("Limit left"),
                words.money(Amount(left, shown.total.currency)),
                Tone.BAD if not left else Tone.NEUTRAL,
            ),
        ]
        meter = shown.total.minor * 100 // shown.limit.minor if shown.limit.minor else 100
        lines = Lines(shown.waiting, lambda item: _waiting(item, words, about))
    return Panel(
        place=Place.QUEUE,
        title=words.say("Waiting sales"),
        figures=tuple(figures),
        meter=meter,
        lines=lines,
        lines_key=shown,
        empty=words.say("Nothing waits. Every sale has its answer") if shown else "",
        note=sent_text(state, words)
        or " ".join(part for part in (shell.note, shell.remedy) if part),
        keys=(
            Key(
                words.say("Send now"),
                SendNow(),
                Rank.PRIMARY,
                enabled=bool(shown and shown.waiting),
                glyph=Glyph.SEND,
            ),
        ),
        chips=chips(state, words),
    )


def _age(since: datetime | None, about: About, words: Words) -> str:
    if since is None or about.now is None:
        return "-"
    return words.span(max(0, round((about.now - since).total_seconds())))


def _waiting(item: Waiting, words: Words, about: About) -> Line:
    tone, glyph = STATE_LOOKS[item.sale.state]
    at = item.sale.created_at.astimezone(about.zone)
    parts = [words.time(at), words.say(LAST_WORDS[item.sale.state])]
    if item.attempts:
        parts.append(words.say("sent: {count}", count=item.attempts))
    if item.next_try is not None and about.now is not None:
        wait_s = max(0, round((item.next_try - about.now).total_seconds()))
        parts.append(words.say("again in {time}", time=words.span(wait_s)))
    card = item.sale.card
    name = f"{card.scheme or card.label} {BULLETS} {card.masked_pan[-4:]}" if card else ""
    return Line(
        title=words.reference(name) if name else words.say("No card"),
        subtitle=" · ".join(parts),
        value=words.money(item.sale.amount),
        glyph=glyph,
        tone=tone,
        touch=OpenSale(item.sale.txn_id),
    )


def _history(shell: Shell, words: Words, about: About) -> Panel:
    shown = shell.history
    found = shown.found if shown is not None else ()
    return Panel(
        place=Place.HISTORY,
        title=words.say("History"),
        lead=words.say("Sales: {count}", count=len(found)) if shown is not None else "",
        lines=Lines(found, lambda row: _found(row, words, about)),
        lines_key=shown,
        empty=_nothing_found(shell, words),
        query=shell.query,
        hint=words.say("Amount, last four, time or token"),
        chips=chips(shell.till, words),
    )


def _nothing_found(shell: Shell, words: Words) -> str:
    if shell.history is None:
        return ""
    if shell.query:
        return words.say("No sale matches {query}", query=words.reference(shell.query))
    return words.say("No sales yet. The first one is a touch away")


def _found(row: Found, words: Words, about: About) -> Line:
    state = State(row.state)
    tone, glyph = STATE_LOOKS[state]
    at = datetime.fromisoformat(row.created_at).astimezone(about.zone)
    today = about.now is not None and about.now.astimezone(about.zone).date() == at.date()
    when = words.time(at) if today else f"{words.date(at)} {words.time(at)}"
    name = f"{row.scheme} {BULLETS} {row.masked_pan[-4:]}".strip() if row.masked_pan else ""
    parts = [when, words.say(LAST_WORDS[state])]
    if row.training:
        parts.append(words.say("Training"))
    return Line(
        title=words.reference(name) if name else words.say("No card"),
        subtitle=" · ".join(parts),
        value=words.money(Amount(row.amount_minor, Currency.of(row.currency))),
        glyph=glyph,
        tone=tone,
        touch=OpenSale(row.txn_id),
    )


def _till(*_: object) -> Panel:
    raise AssertionError("the sale has pages, not panels")


_BUILDERS: Mapping[Place, Callable[..., Panel]] = MappingProxyType(
    {
        Place.TILL: _till,
        Place.LOCK: _lock,
        Place.MENU: _menu,
        Place.QUEUE: _queue,
        Place.HISTORY: _history,
        Place.SALE: sale.page_of_sale,
        Place.RECEIPT: sale.page_of_receipt,
        Place.DAY: day.page_of_day,
        Place.READER: reader.page_of_reader,
        Place.SETTINGS: settings.page_of_settings,
        Place.HELP: reading.page_of_help,
        Place.SAFETY: reading.page_of_safety,
        Place.TOUR: reading.page_of_tour,
        Place.WAYS: ways.page_of_ways,
        Place.HOLDS: ways.page_of_holds,
        Place.BILLS: ways.page_of_bills,
        Place.TRANSFER: ways.page_of_transfer,
        Place.ITEMS: items.page_of_items,
        Place.LINE: items.page_of_line,
        Place.DISCOUNT: items.page_of_discount,
        Place.SHARE: share.page_of_share,
        **dict.fromkeys(entries.PLACES, entry.page_of_entry),
    }
)

if set(_BUILDERS) != set(Place):
    raise AssertionError("each place needs a panel")
