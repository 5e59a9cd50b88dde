"""What is heard and lit when the face changes: cues, from the two states around a change.

Rules of this file: pure. A read card is one cue and an approval a second one (EMV Contactless
Book A keeps the success tone for the read); a refusal sounds low and twice. Each cue has a twin
that is seen, so that nothing is told by sound alone.
"""

from __future__ import annotations

from enum import Enum

from terminal.emv.outcome import MessageId
from ui.presenter.basket import Trouble
from ui.presenter.sayings import PROMPTS
from ui.presenter.screens import Screen
from ui.presenter.state import ViewState
from ui.presenter.verdict import Verdict


class Cue(Enum):
    """A sound, by what it means."""

    READ = "card read"
    APPROVED = "approved"
    REFUSED = "refused"
    ALERT = "alert"
    SAVED = "saved"


_OF_VERDICT = {
    Verdict.APPROVED: Cue.APPROVED,
    Verdict.PARTLY_APPROVED: Cue.ALERT,
    Verdict.DECLINED: Cue.REFUSED,
    Verdict.STORED: Cue.SAVED,
    Verdict.UNKNOWN: Cue.ALERT,
    Verdict.REFUSED: Cue.REFUSED,
}
_QUIET = {MessageId.WELCOME, MessageId.CLEAR_DISPLAY, MessageId.PRESENT_CARD, MessageId.PROCESSING}


def cue(before: ViewState, after: ViewState) -> Cue | None:
    """What this change sounds like; None for most."""
    if after.screen is Screen.RESULT:
        new = before.screen is not Screen.RESULT or before.verdict is not after.verdict
        return _OF_VERDICT.get(after.verdict) if new and after.verdict is not None else None
    if after.screen is Screen.PROCESSING and before.screen is not Screen.PROCESSING:
        return Cue.READ
    if after.basket is not before.basket and after.basket.trouble is not Trouble.NONE:
        return Cue.ALERT
    prompted = after.screen is Screen.PRESENT and after.prompt is not before.prompt
    return Cue.ALERT if prompted and after.prompt not in _QUIET else None


def lights(state: ViewState) -> int:
    """How many of the four lights are on: 0 to 4, as on the screen."""
    if state.screen in (Screen.PRESENT, Screen.PROCESSING):
        return PROMPTS[state.prompt].lights
    return 4 if state.verdict in (Verdict.APPROVED, Verdict.STORED) else 0
