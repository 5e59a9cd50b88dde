"""What a shop may choose about the face of its till, as one frozen value.

Rules of this file: names and choices only; ``ui.keeping`` stores them. A stored value that is not
among the choices is dropped for the default, so that an old file never keeps a till from opening.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType

from ui.words import LANGUAGES, mark


@dataclass(frozen=True, slots=True)
class Preferences:
    """How this till looks, sounds and asks."""

    language: str = "en"
    theme: str = "light"
    text: str = "normal"
    motion: str = "on"
    sound: str = "on"
    speech: str = "off"
    card_language: str = "on"
    guard: str = "on"
    feedback: str = "off"
    tips: str = "off"

    def stored(self) -> dict[str, str]:
        """The names and values that a file keeps."""
        return asdict(self)

    def next_of(self, name: str) -> Preferences:
        """These preferences with the next choice of one of them."""
        choices = tuple(CHOICES[name])
        place = choices.index(getattr(self, name))
        return self.changed(name, choices[(place + 1) % len(choices)])

    def changed(self, name: str, value: str) -> Preferences:
        """These preferences with one of them set."""
        if value not in CHOICES[name]:
            raise AssertionError(f"{value!r} is no choice for {name}")
        changes: dict[str, str] = {name: value}
        return replace(self, **changes)


_SWITCH = {"on": mark("On"), "off": mark("Off")}

CHOICES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "language": {code: habits.name for code, habits in LANGUAGES.items()},
        "theme": {
            "light": mark("Light"),
            "dark": mark("Dark"),
            "contrast": mark("High contrast"),
        },
        "text": {"normal": mark("Normal"), "large": mark("Large, 130 %")},
        "motion": _SWITCH,
        "sound": _SWITCH,
        "speech": _SWITCH,
        "card_language": _SWITCH,
        "guard": _SWITCH,
        "feedback": _SWITCH,
        "tips": _SWITCH,
    }
)

LABELS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "language": (mark("Language"), mark("For everybody who works here")),
        "theme": (mark("Colours"), mark("High contrast helps in bright sun and with weak eyes")),
        "text": (mark("Text size"), mark("Larger letters on every screen")),
        "motion": (mark("Motion"), mark("Off holds every picture still")),
        "sound": (mark("Tones"), mark("One tone when the card is read, two when it is approved")),
        "speech": (
            mark("Spoken amounts"),
            mark("Says amount and result aloud, for who cannot see"),
        ),
        "card_language": (
            mark("Speak the card's language"),
            mark("The customer reads the language that the card prefers"),
        ),
        "guard": (
            mark("Lock the customer's view"),
            mark("Whoever has not paid cannot leave the sale without a PIN of the shop"),
        ),
        "feedback": (
            mark("Ask how it went"),
            mark("Three faces after a sale; nobody has to answer"),
        ),
        "tips": (
            mark("Ask for a tip"),
            mark("The customer chooses before holding the card"),
        ),
    }
)


def restored(stored: Mapping[str, object], default: Preferences) -> Preferences:
    """Preferences from what a file kept; what is unknown there keeps its default."""
    kept: dict[str, str] = {}
    for field in fields(Preferences):
        value = stored.get(field.name)
        if isinstance(value, str) and value in CHOICES[field.name]:
            kept[field.name] = value
    return replace(default, **kept)
