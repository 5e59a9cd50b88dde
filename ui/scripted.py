"""The till as a script drives it: ``terminal.scripted`` over the real one.

Rules of this file: nothing is decided and nothing is faked here. The till is ``ui.till.Till`` on
everything that ``ui.wiring`` assembles, its events are folded by the presenter as every face
folds them, and what a script reads is the page that a cashier would see.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from offline_queue.outbox import Outbox
from offline_queue.reports import Reports
from terminal.errors import ConfigError
from terminal.money import Amount
from terminal.scripted import BookedSale, Shown, TillOrder, Waiting
from terminal.transaction import Transaction
from ui.presenter.pages import page
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.touches import Cancel, CancelWish, Charge, ChargeWish, Done, Touch
from ui.presenter.units import shown_decimals
from ui.scripted_day import ScriptedDay
from ui.till import Till
from ui.wiring import assembled, load_settings
from ui.words import Words

_MANY = 1_000_000


class ScriptedTill:
    """A running till for a script. Made by ``open_till``."""

    def __init__(self, order: TillOrder) -> None:
        order.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        config_file = order.data_dir / "till.toml"
        config_file.write_text(order.config, encoding="utf-8")
        settings = load_settings(
            config_file=config_file,
            data_dir=order.data_dir,
            reader=order.reader,
            acquirer=order.acquirer,
            printer=order.printer,
        )
        self._currency = settings.config.till.currency
        self._words = Words(settings.config.shop.language)
        self._state = ViewState(self._currency)
        self._changes: queue.SimpleQueue[Shown] = queue.SimpleQueue()
        self._open = ExitStack()
        try:
            parts = self._open.enter_context(
                assembled(settings, clock=order.clock, entropy=order.entropy)
            )
            rules = replace(parts.rules, authorise_s=order.authorise_s, present_s=order.present_s)
            self._parts = replace(parts, rules=rules)
            self._till = Till(self._parts)
            self._till.start()
            self._open.callback(self._till.stop)
        except BaseException:
            self._open.close()
            raise
        self._acts: dict[str, Callable[[str], None]] = {
            "charge": self._charge,
            "cancel": lambda _: self._touch(Cancel()),
            "done": lambda _: self._touch(Done()),
            "forward": lambda _: self._forward(),
        }
        day = ScriptedDay(self._parts)
        for verb, act in day.verbs.items():
            self._acts[verb] = partial(self._told, act)

    def verbs(self) -> tuple[str, ...]:
        """See ``terminal.scripted.ScriptedTill``."""
        return tuple(self._acts)

    def act(self, verb: str, argument: str = "") -> None:
        """See ``terminal.scripted.ScriptedTill``."""
        if verb not in self._acts:
            raise ConfigError(
                f"This till cannot {verb!r}.", remedy=f"It knows: {', '.join(self._acts)}."
            )
        self._acts[verb](argument)

    def look(self, timeout_s: float) -> Shown | None:
        """See ``terminal.scripted.ScriptedTill``."""
        deadline = time.monotonic() + timeout_s
        while True:
            if not self._changes.empty():
                return self._changes.get()
            try:
                event = self._till.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            self._become(self._state.after(event))

    def sales(self) -> tuple[BookedSale, ...]:
        """See ``terminal.scripted.ScriptedTill``."""
        store = self._parts.journal.store
        store.verify()
        return tuple(map(_booked, reversed(Reports(store).transactions(limit=_MANY))))

    def waiting(self) -> Waiting:
        """See ``terminal.scripted.ScriptedTill``."""
        pending = Reports(self._parts.journal.store).pending()
        total = pending.total(self._currency)
        return Waiting(pending.count, total.minor, self._currency.code)

    def close(self) -> None:
        """See ``terminal.scripted.ScriptedTill``."""
        self._open.close()

    def _charge(self, argument: str) -> None:
        """The keypad's part is taken by the amount in writing; the rest is the Charge key's."""
        amount = Amount.parse(argument, self._currency)
        unit = 10 ** (self._currency.exponent - shown_decimals(self._currency))
        self._touch(Done())
        self._state = replace(self._state, typed=amount.minor // unit)
        self._touch(Charge())

    def _touch(self, touch: Touch) -> None:
        wish = self._state.wish(touch)
        self._become(self._state.after(touch))
        match wish:
            case ChargeWish(amount):
                self._till.charge(amount)
            case CancelWish():
                self._till.cancel()
            case _:
                pass

    def _told(self, act: Callable[[str], Shown], argument: str) -> None:
        """Does what is no payment, and shows how it ended."""
        self._changes.put(act(argument))

    def _forward(self) -> None:
        """Like ``taptill sync``: what waits goes out now, without its back-off."""
        Outbox(self._parts.journal.store).make_due()
        self._till.forward_now()

    def _become(self, state: ViewState) -> None:
        before, self._state = self._state, state
        shown = self._shown(state)
        if shown != self._shown(before):
            self._changes.put(shown)

    def _shown(self, state: ViewState) -> Shown:
        now = page(state, self._words)
        texts = (
            *(now.title, now.amount, now.caption, *now.lines, now.money, now.detail),
            *(key.label for key in now.keys),
            *(chip.text for chip in now.chips),
        )
        taken = now.money_taken.value if now.money_taken else ""
        words = tuple(self._words.plain(t) for t in texts if t)
        return Shown(_name(state), taken, words, _reason(state))


def _name(state: ViewState) -> str:
    """What a script calls this screen."""
    match state.screen:
        case Screen.AMOUNT:
            return "ready"
        case Screen.CLOSED:
            return "out of service"
        case Screen.RESULT if state.verdict is not None:
            return state.verdict.value
        case _:
            return state.prompt.name.lower().replace("_", " ")


def _reason(state: ViewState) -> str:
    """Why the card was sent away, or why the payment ended as it did."""
    if state.screen is Screen.RESULT and state.transaction is not None:
        return state.transaction.reason
    return state.note


def _booked(sale: Transaction) -> BookedSale:
    card = sale.card
    return BookedSale(
        kind=sale.kind.value,
        state=sale.state.value,
        amount_minor=sale.amount.minor,
        approved_minor=sale.approved_minor,
        currency=sale.amount.currency.code,
        response_code=sale.response_code,
        reason=sale.reason,
        rrn=sale.rrn,
        scheme=card.scheme if card else "",
        device=card.device if card else "",
        cvm=card.cvm if card else "",
        last4=card.masked_pan[-4:] if card else "",
    )


def open_till(order: TillOrder) -> ScriptedTill:
    """A till as ordered, running. The entry point ``taptill.tills``.

    Raises:
        TerminalError: something of it cannot be opened; the message says what.
    """
    return ScriptedTill(order)
