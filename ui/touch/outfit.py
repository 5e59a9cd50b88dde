"""What a touchscreen is fitted out with, beside its till: names, looks, time, sounds, a drawer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from terminal.money import Currency
from ui.ports import Keeping, SignalPort
from ui.presenter.page import About
from ui.presenter.preferences import Preferences
from ui.training import TrainingTill


@dataclass(frozen=True, slots=True)
class Outfit:
    """Everything about one till's face that its composition root decides.

    ``currency`` is that of the keypad; ``simulated`` says on every screen that no real money
    moves; ``clock`` tells the time of day, or is None where ages are not told; ``signals`` are
    heard and lit beside the screen; ``keeping`` stores changed preferences; ``training`` is the
    till that learners play with; ``first_run`` begins with the tour.
    """

    shop: str
    currency: Currency
    preferences: Preferences = field(default_factory=Preferences)
    simulated: bool = False
    about: About = field(default_factory=About)
    clock: Callable[[], datetime] | None = None
    signals: SignalPort | None = None
    keeping: Keeping | None = None
    training: TrainingTill | None = None
    first_run: bool = False
