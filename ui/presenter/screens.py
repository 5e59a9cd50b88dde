"""The screens of a sale, by name."""

from __future__ import annotations

from enum import Enum


class Screen(Enum):
    """Which of the screens is up."""

    AMOUNT = "amount"
    TIP = "tip"
    PRESENT = "present"
    PROCESSING = "processing"
    RESULT = "result"
    CLOSED = "closed"
