"""What keeps a till from selling, in the words of the shop: the table from errors to sentences.

Rules of this file: pure. An error says in plain English exactly what is wrong, for logs and for
whoever mends it; a cashier who reads another language is told what it means, and keeps the English
beside it, small, for the telephone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from terminal import errors
from ui.presenter.state import ViewState
from ui.words import Words, mark

_READER = (
    mark("The reader is not there"),
    mark("Plug it in again. The till finds it by itself"),
)
_BOOKS = (
    mark("The till cannot write its book"),
    mark("Call whoever looks after the till"),
)
_BANK = (
    mark("The bank cannot be reached as it is set up"),
    mark("Call whoever looks after the till"),
)

_OF_ERROR: Mapping[type[errors.TerminalError], tuple[str, str]] = MappingProxyType(
    {
        errors.ReaderError: _READER,
        errors.StoreFull: (
            mark("The disk of the till is full"),
            mark("Make room on it. Nothing was lost"),
        ),
        errors.StoreBusy: (
            mark("Another program holds the till's book"),
            mark("End it, and try again"),
        ),
        errors.StoreSealed: (
            mark("The till's book was changed by something else"),
            mark("It takes no sale before somebody has looked: taptill verify says what"),
        ),
        errors.StoreError: _BOOKS,
        errors.KeyStoreError: (
            mark("The keys of the till cannot be read"),
            mark("Call whoever looks after the till"),
        ),
        errors.HostError: _BANK,
        errors.ConfigError: (
            mark("Something is missing in the settings of the till"),
            mark("Call whoever looks after the till"),
        ),
        errors.AmountError: (
            mark("This amount cannot be taken so"),
            mark("Look at it again. Nothing was charged"),
        ),
    }
)
"""What an error means; one that is not named is told as that which it is a kind of."""

FAULTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        each.__name__: _OF_ERROR[kind]
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.TerminalError)
        for kind in each.__mro__
        if kind in _OF_ERROR and kind is next(above for above in each.__mro__ if above in _OF_ERROR)
    }
)


def told(state: ViewState, words: Words) -> tuple[tuple[str, ...], str]:
    """What keeps the till from selling, in lines; and what of it is for the telephone alone."""
    own = tuple(part for part in (state.message, state.remedy) if part)
    known = FAULTS.get(state.fault)
    if known is None or words.language == "en":
        return own, ""
    sentence, remedy = known
    return (words.say(sentence), words.say(remedy)), words.reference(state.message)
