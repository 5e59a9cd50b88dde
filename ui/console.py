"""The till on a console: the same presenter as the touchscreen, in plain lines.

Rules of this file: nothing is decided here. Events are folded as the touchscreen folds them,
and what the page says is what is printed. ``demo`` plays a fixed set of sales on a bench and
says whether each ended as it should.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from terminal.bench import Bench, BenchCard
from terminal.errors import AmountError, ConfigError, TerminalError
from terminal.money import Amount, Currency
from terminal.order import Order, picked
from terminal.terms import A_SALE
from terminal.transaction import State
from ui.console_till import ConsoleTill, Write, write_line
from ui.counter_questions import CatalogueShown, CatalogueWanted
from ui.events import Prompted, ReceiptDone, SaleChanged, TillEvent
from ui.ports import TillPort
from ui.presenter.sayings import PROMPTS, Tone
from ui.presenter.screens import Screen
from ui.presenter.touches import Cancel, Done
from ui.presenter.verdict import Verdict
from ui.questions import Unanswered
from ui.words import Words

OFFLINE_SWITCH = "offline"
"""The bench's switch that cuts the way to the acquirer; on means cut."""

STEP_TIMEOUT_S = 60.0
PAPER_TIMEOUT_S = 2.0
CATALOGUE_TIMEOUT_S = 5.0
Read = Callable[[str], str]


def _over(console: ConsoleTill) -> Callable[[TillEvent], bool]:
    return lambda _event: console.state.screen in (Screen.RESULT, Screen.CLOSED)


def _asks_again(event: TillEvent) -> bool:
    return isinstance(event, Prompted) and PROMPTS[event.message].tone is Tone.WARN


# -- the till ------------------------------------------------------------------------------------


def run(
    till: TillPort,
    benches: Sequence[Bench],
    *,
    shop: str,
    currency: Currency,
    language: str = "en",
    read: Read = input,
    write: Write = write_line,
) -> int:
    """Serves sales until the cashier leaves. The till must have been started. Returns 0.

    Raises:
        ConfigError: the language is not known.
    """
    words = Words(language)
    console = ConsoleTill(till, benches, currency=currency, words=words, write=write)
    till.ask(CatalogueWanted())
    write(shop)
    if benches:
        console.tell(words.say("Simulated, no real money"))
    sample = Amount(1250 if currency.exponent else 13, currency).decimal
    question = words.say(
        "Amount like {example}, s for switches, q to leave: ", example=words.reference(sample)
    )
    console.wait(lambda event: isinstance(event, CatalogueShown | Unanswered), CATALOGUE_TIMEOUT_S)
    if console.state.basket.stock:
        console.tell(words.say("Or items: {example}", example=_example(console)))
    while console.state.screen is not Screen.CLOSED:
        console.drain()
        try:
            text = read(words.plain(question)).strip()
            if text in ("q", "Q"):
                break
            if text == "s":
                _turn_switch(console, read)
            elif text:
                _sell(console, wanted(console, text), read)
        except EOFError:
            break
        except KeyboardInterrupt:
            console.touch(Cancel())
        except TerminalError as wrong:
            write(str(wrong))
    return 0


def _example(console: ConsoleTill) -> str:
    """Two items as somebody may type them."""
    stock = console.state.basket.stock
    names = [item.name for item in (stock.quick or stock.catalogue.items)[:2]]
    return console.words.reference(f"2x{', '.join(names)}")


def wanted(console: ConsoleTill, text: str) -> Order:
    """What was typed: an amount, a barcode, or items with commas between them.

    Raises:
        AmountError: it is neither an amount nor in the catalogue.
    """
    currency, stock = console.state.currency, console.state.basket.stock
    typed = stock.catalogue.named(text)
    if typed is not None:
        return Order(currency).add(typed)
    try:
        return Order(currency).add_amount(Amount.parse(text, currency))
    except AmountError:
        if not stock or not any(letter.isalpha() for letter in text):
            raise
    return picked(stock.catalogue, currency, [each.strip() for each in text.split(",")])


def _sell(console: ConsoleTill, order: Order, read: Read) -> None:
    """One sale, from what is sold to its end."""
    if order.total.minor == 0:
        raise AmountError("An amount of zero is nothing to pay.", remedy="Type what is due.")
    named = [line for line in order.lines if line.item.name]
    for line in named:
        worth = console.words.money(Amount(line.gross_minor, order.currency))
        console.tell(f"    {console.words.reference(line.text)}  {worth}")
    console.charge(order.total, order.terms() if named else A_SALE)
    if console.cards():
        console.wait(lambda _: console.state.armed or _over(console)(_), STEP_TIMEOUT_S)
        _list_cards(console)
        while console.state.screen is Screen.PRESENT:
            _hold_a_card(console, read)
            console.wait(lambda e: _over(console)(e) or _asks_again(e), STEP_TIMEOUT_S)
    else:
        console.tell(console.words.say("Ctrl+C cancels"))
    try:
        while not _over_now(console):
            console.next_event(0.2)
    except KeyboardInterrupt:
        console.touch(Cancel())
        console.wait(_over(console), STEP_TIMEOUT_S)
    _wait_for_paper(console)
    console.touch(Done())
    console.forget()


def _wait_for_paper(console: ConsoleTill) -> None:
    """The receipt comes after the answer, and its line belongs to the same sale."""
    if console.state.transaction is not None and console.state.transaction.card is not None:
        console.wait(lambda event: isinstance(event, ReceiptDone), PAPER_TIMEOUT_S)


def _over_now(console: ConsoleTill) -> bool:
    return console.state.screen in (Screen.RESULT, Screen.CLOSED)


def _list_cards(console: ConsoleTill) -> None:
    """The cards of the bench with their numbers, once for each sale."""
    if console.state.screen is not Screen.PRESENT:
        return
    for number, (_, card) in enumerate(console.cards(), start=1):
        shown = console.words.reference(f"{card.title}: {card.subtitle}")
        console.tell(f"  {number:>2}  {shown}")


def _hold_a_card(console: ConsoleTill, read: Read) -> None:
    """Asks for a card of the bench, and holds it to the reader if that still waits."""
    words = console.words
    cards = console.cards()
    while True:
        answer = read(words.plain(words.say("Card number, or c to cancel: "))).strip()
        console.drain()
        if console.state.screen is not Screen.PRESENT:
            return
        if answer == "c":
            console.touch(Cancel())
            return
        chosen = _chosen(answer, len(cards))
        if chosen is not None:
            bench, card = cards[chosen]
            bench.tap(card.id)
            return
        console.tell(words.say("There is no number {number} here", number=words.reference(answer)))


def _turn_switch(console: ConsoleTill, read: Read) -> None:
    """Lists the bench's switches, and turns one."""
    words = console.words
    switches = [(bench, switch) for bench in console.benches for switch in bench.switches()]
    for number, (_, switch) in enumerate(switches, start=1):
        amount = f" ({words.reference(switch.value)})" if switch.value else ""
        mark = "x" if switch.on else " "
        console.tell(f"  {number:>2}  [{mark}] {words.say(switch.label)}{amount}")
    answer = read(words.plain(words.say("Switch number, or Enter to go back: "))).strip()
    if not answer:
        return
    chosen = _chosen(answer, len(switches))
    if chosen is None:
        console.tell(words.say("There is no number {number} here", number=words.reference(answer)))
        return
    bench, switch = switches[chosen]
    bench.set_switch(switch.id, not switch.on)


def _chosen(answer: str, count: int) -> int | None:
    """The index that a typed number means, from 1."""
    # The list may be numbered in Persian digits, and then a Persian keyboard types them.
    if answer.isdecimal() and 1 <= int(answer) <= count:
        return int(answer) - 1
    return None


# -- the demo ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scene:
    title: str
    scheme: str
    minor: int
    ends_as: Verdict


_SCENES = (
    _Scene("A Visa card pays", "Visa", 1250, Verdict.APPROVED),
    _Scene("A Mastercard pays", "Mastercard", 790, Verdict.APPROVED),
    _Scene("The bank declines: test amounts ending in 51 do", "Visa", 1051, Verdict.DECLINED),
)


def demo(
    till: TillPort,
    benches: Sequence[Bench],
    *,
    currency: Currency,
    language: str = "en",
    write: Write = write_line,
) -> int:
    """Plays two approvals, a decline and an offline sale. 0 when all ended as they should.

    Raises:
        ConfigError: the bench lacks the cards or the switch that the scenes need.
    """
    console = ConsoleTill(till, benches, currency=currency, words=Words(language), write=write)
    console.tell(console.words.say("Simulated, no real money"))
    right = [_play(console, number, scene) for number, scene in enumerate(_SCENES, start=1)]
    right.append(_play_offline(console, len(_SCENES) + 1))
    write("")
    write(f"{sum(right)} of {len(right)} scenes ended as they should.")
    return 0 if all(right) else 1


def _card_of(console: ConsoleTill, scheme: str) -> tuple[Bench, BenchCard]:
    for bench, card in console.cards():
        if card.scheme == scheme:
            return bench, card
    raise ConfigError(
        f"The demo needs a simulated {scheme} card, and there is none.",
        remedy='Start with the simulated reader: reader = "sim:".',
    )


def _play(console: ConsoleTill, number: int, scene: _Scene) -> bool:
    """One sale; True when it ended as the scene says."""
    bench, card = _card_of(console, scene.scheme)
    amount = Amount(scene.minor, console.state.currency)
    title = console.words.money(amount)
    console.forget()
    console.tell("")
    console.tell(f"{number}. {scene.title} ({card.title}, {title})")
    console.touch(Done())
    console.charge(amount)
    console.wait(lambda e: console.state.armed or _over(console)(e), STEP_TIMEOUT_S)
    if console.state.screen is Screen.PRESENT:
        bench.tap(card.id)
        console.wait(_over(console), STEP_TIMEOUT_S)
    bench.remove()
    _wait_for_paper(console)
    return _judged(console, scene.ends_as)


def _judged(console: ConsoleTill, expected: Verdict) -> bool:
    verdict = console.state.verdict
    if verdict is expected:
        return True
    found = "no end" if verdict is None else verdict.value
    console.tell(f"    NOT as it should: {expected.value} was due, {found} came.")
    return False


def _play_offline(console: ConsoleTill, number: int) -> bool:
    """A sale without network is stored, and reaches the acquirer once the network is back."""
    switch_bench = next(
        (
            bench
            for bench in console.benches
            if any(switch.id == OFFLINE_SWITCH for switch in bench.switches())
        ),
        None,
    )
    if switch_bench is None:
        raise ConfigError(
            f"The demo needs the switch {OFFLINE_SWITCH!r}, and no bench has it.",
            remedy='Start with the simulated acquirer: acquirer = "sim:".',
        )
    switch_bench.set_switch(OFFLINE_SWITCH, True)
    try:
        scene = _Scene("The network is down, and the sale is stored", "Visa", 420, Verdict.STORED)
        stored = _play(console, number, scene)
    finally:
        switch_bench.set_switch(OFFLINE_SWITCH, False)
    sale = console.state.transaction
    if not stored or sale is None:
        return False
    console.tell("   The network is back, and the sale is sent")
    console.till.forward_now()

    def forwarded(event: TillEvent) -> bool:
        return (
            isinstance(event, SaleChanged)
            and event.transaction.txn_id == sale.txn_id
            and event.transaction.state is State.APPROVED
        )

    if console.wait(forwarded, STEP_TIMEOUT_S):
        return True
    console.tell("    NOT as it should: the stored sale was not forwarded.")
    return False
