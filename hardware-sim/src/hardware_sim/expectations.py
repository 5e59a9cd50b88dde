"""What must be so at a point of a scenario.

Rules of this file: each expectation waits until it holds, or until patience ends, so that no
script sleeps. What is found instead is said in the words of the scenario language. Amounts are
written as on a receipt, without the currency.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from hardware_sim.acquirer_ledger import Capture, Entry
from hardware_sim.printer import printed
from hardware_sim.scenario import Step
from hardware_sim.scene import PATIENCE_S, READING, SETTLED_S, Scene, Unmet
from terminal.money import Amount, Currency
from terminal.scripted import BookedSale

_ON_THE_WAY = READING | {"card read ok", "authorising"}


def _expect(scene: Scene, step: Step) -> None:
    """The screen comes to this state, after the last thing that was done."""
    deadline = time.monotonic() + PATIENCE_S
    still_since = time.monotonic()
    while True:
        for index in range(scene.cursor, len(scene.shown)):
            if scene.shown[index].state == step.value:
                scene.cursor = index
                return
        if scene.advance(0.05):
            still_since = time.monotonic()
            continue
        scene.forward_again()
        now = time.monotonic()
        settled = scene.now.state not in _ON_THE_WAY and now > still_since + SETTLED_S
        if settled or now > deadline:
            said = " | ".join(scene.now.words[:6])
            raise Unmet(f"the screen {step.value!r}", f"{scene.now.state!r}: {said}")


def _says(scene: Scene, step: Step) -> None:
    def missing() -> str:
        text = "\n".join(scene.now.words)
        lacking = [words for words in step.value if words not in text]
        return f"no {lacking[0]!r} in: {' | '.join(scene.now.words)}" if lacking else ""

    scene.await_that(missing, f"{', '.join(step.value)} on the screen")


def _says_not(scene: Scene, step: Step) -> None:
    while scene.advance(0.0):
        pass
    text = "\n".join(scene.now.words)
    for words in step.value:
        if words in text:
            raise Unmet(f"no {words!r} on the screen", f"it stands there: {text!r}")


def _reason(scene: Scene, step: Step) -> None:
    def missing() -> str:
        lacking = [words for words in step.value if words not in scene.now.reason]
        return f"no {lacking[0]!r} in: {scene.now.reason or 'no reason'}" if lacking else ""

    scene.await_that(missing, f"{', '.join(step.value)} as the till's reason")


def _money(scene: Scene, step: Step) -> None:
    def other() -> str:
        return "" if scene.now.money_taken == step.value else repr(scene.now.money_taken)

    scene.await_that(other, f"money taken: {step.value}")


def receipts_of(scene: Scene) -> list[str]:
    """What was printed in this scenario, oldest first."""
    return printed(scene.receipts)


def _receipt(scene: Scene, step: Step) -> None:
    def missing() -> str:
        papers = receipts_of(scene)
        if not papers:
            return "no receipt"
        lacking = [words for words in step.value if words not in papers[-1]]
        return f"no {lacking[0]!r} on the receipt:\n{papers[-1]}" if lacking else ""

    scene.await_that(missing, f"{', '.join(step.value)} on the receipt")


def _receipt_count(scene: Scene, step: Step) -> None:
    def other() -> str:
        count = len(receipts_of(scene))
        return "" if count == step.value else f"{count}"

    scene.await_that(other, f"{step.value} receipts")


def _decimal(minor: int, code: str) -> str:
    return Amount(minor, Currency.of(code)).decimal


def ledger_line(sale: BookedSale) -> str:
    """One transaction as a scenario writes it: ``approved 12.50``, ``refund approved 5.00``."""
    amount = _decimal(sale.amount_minor, sale.currency)
    kind = "" if sale.kind == "sale" else f"{sale.kind} "
    part = ""
    if sale.state == "approved" and sale.approved_minor != sale.amount_minor:
        part = f"{_decimal(sale.approved_minor, sale.currency)} of "
    return f"{kind}{sale.state} {part}{amount}"


def captures_of(scene: Scene) -> list[Capture]:
    """The sales of this scenario's till in the acquirer's books."""
    captures = scene.workshop.acquirer.captures()
    return [row for row in captures if row.terminal_id == scene.terminal_id]


def _host_line(row: Capture) -> str:
    amount = Amount(row.amount_minor, Currency.of_number(int(row.currency)))
    kind = "" if row.kind == "sale" else f"{row.kind} "
    return f"{kind}{row.state.value} {amount.decimal}"


def _entries_of(scene: Scene) -> list[Entry]:
    entries = scene.workshop.acquirer.ledger()
    own = [row for row in entries if row.terminal_id == scene.terminal_id]
    # An echo says how the line is and belongs to no sale.
    return [row for row in own if not row.mti.startswith("08")]


def _lines(what: str, read: Callable[[Scene], Sequence[str]]) -> Callable[[Scene, Step], None]:
    def check(scene: Scene, step: Step) -> None:
        expected = [] if step.value == ("nothing",) else list(step.value)

        def other() -> str:
            found = list(read(scene))
            return "" if found == expected else ", ".join(found) or "nothing"

        scene.await_that(other, f"{what}: {', '.join(expected) or 'nothing'}")

    return check


def _waits(scene: Scene, step: Step) -> None:
    def other() -> str:
        waiting = scene.running.waiting()
        total = _decimal(waiting.total_minor, waiting.currency)
        found = f"{waiting.count}, {total}" if waiting.count else "nothing"
        return "" if found == step.value else found

    scene.await_that(other, f"waiting: {step.value}")


def _card(scene: Scene, step: Step) -> None:
    def other() -> str:
        cards = [sale for sale in scene.running.sales() if sale.last4]
        if not cards:
            return "no card"
        found = {key: getattr(cards[-1], key) for key in step.value}
        # Other words may follow: "confirmation code" is enough of "confirmation code verified...".
        same = all(found[key].startswith(value) for key, value in step.value.items())
        return "" if same else str(found)

    scene.await_that(other, f"the card {step.value}")


def _apdus(scene: Scene, step: Step) -> None:
    def other() -> str:
        found = tuple(scene.apdus)
        return "" if found == step.value else ", ".join(found) or "none"

    scene.await_that(other, f"the commands {', '.join(step.value)}")


EXPECTATIONS: Mapping[str, Callable[[Scene, Step], None]] = {
    "expect": _expect,
    "says": _says,
    "says_not": _says_not,
    "reason": _reason,
    "money": _money,
    "receipt": _receipt,
    "receipts": _receipt_count,
    "ledger": _lines("the ledger", lambda s: [ledger_line(sale) for sale in s.running.sales()]),
    "host": _lines("the acquirer's books", lambda s: list(map(_host_line, captures_of(s)))),
    "answers": _lines(
        "the acquirer's messages",
        lambda s: [f"{row.mti} {row.response_code}".rstrip() for row in _entries_of(s)],
    ),
    "waits": _waits,
    "card": _card,
    "apdus": _apdus,
}
