"""What stands in the place of a reader while a payment needs no card."""

from __future__ import annotations

from collections.abc import Callable


class NoReader:
    """In the place of a reader where no card is asked for: nobody taps."""

    name = "no reader"

    def wait_for_card(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> None:
        """Nobody."""
        del timeout_s, cancelled

    def wait_for_removal(self, *, timeout_s: float, cancelled: Callable[[], bool]) -> bool:
        """Nothing lies there."""
        del timeout_s, cancelled
        return True

    def release(self) -> None:
        """Nothing to let go."""

    def close(self) -> None:
        """Nothing to give back."""
