"""Keeps Python's garbage collector from stopping a frame.

A full collection looks at every object there is, and a till has some hundred thousand of them
once its modules are loaded and its screens are built: 130 to 300 ms on the machine where this was
measured, in the middle of whatever frame happened to be next. None of those objects ever goes
away, so they are taken out of the collector's sight; what is made afterwards is collected as ever,
in a millisecond or two.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def unhurried() -> Iterator[Callable[[], None]]:
    """No collection while everything is loaded and built; call what it gives when that is done."""
    gc.disable()
    try:
        yield settled
    finally:
        gc.unfreeze()
        gc.enable()


def settled() -> None:
    """All that lives now stays; from here on the collector looks at what is new."""
    gc.freeze()
    gc.enable()
