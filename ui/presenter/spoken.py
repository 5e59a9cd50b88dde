"""What is said aloud for a customer who cannot see the screen: the amount, and how it ended.

Rules of this file: pure. A sentence is logical text without isolates and with ASCII digits, for
a voice reads numbers by itself. Nothing that is said names a card.
"""

from __future__ import annotations

from ui.presenter.sayings import MONEY_LINES, PROMPTS, RESULTS
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.verdict import Verdict
from ui.words import Words


def spoken(before: ViewState, after: ViewState, words: Words) -> str:
    """The sentence for this change; empty for most."""
    if after.screen is Screen.PRESENT and after.amount is not None:
        new = before.screen is not Screen.PRESENT or before.prompt is not after.prompt
        if not (new and after.armed):
            return ""
        title = words.say(PROMPTS[after.prompt].title)
        return _plain(f"{words.money(after.amount)}. {title}")
    if after.screen is not Screen.RESULT or after.verdict is None:
        return ""
    if before.screen is Screen.RESULT and before.verdict is after.verdict:
        return ""
    title = words.say(RESULTS[after.verdict].title)
    money = words.say(MONEY_LINES[after.money_taken])
    amount = words.money(after.amount) if after.amount is not None else ""
    if after.verdict is Verdict.PARTLY_APPROVED:
        amount = words.say("Still due: {amount}", amount=words.money(after.rest))
    return _plain(". ".join(part for part in (title, amount, money) if part))


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter not in "\u2066\u2067\u2068\u2069")
