"""Runs a dialogue against recorded exchanges, command by command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hardware_sim.conformance.case import Mismatch, same, unhex, upper
from terminal.emv.apdu import Dialogue, Response

T = TypeVar("T")


def run_exactly(dialogue: Dialogue[T], exchanges: Sequence[Mapping[str, str | None]]) -> T:
    """The dialogue's result, when it sends exactly the recorded commands.

    An answer of fewer than two bytes is thrown into the dialogue as the runner of the product
    does.

    Raises:
        Mismatch: a command differs, is missing or is too many.
    """
    remaining = iter(enumerate(exchanges, 1))
    try:
        command = next(dialogue)
        while True:
            number, recorded = next(remaining, (0, None))
            if recorded is None:
                raise Mismatch(f"sent {command.name}, which the case doesn't have")
            if recorded.get("command") is not None:
                wire = upper(command.encode())
                same(f"command {number}", wire, upper(unhex(recorded["command"])))
            command = dialogue.send(Response.decode(unhex(recorded["response"])))
    except StopIteration as end:
        left = len(list(remaining))
        if left:
            raise Mismatch(f"{left} of {len(exchanges)} commands were never sent") from None
        result: T = end.value
        return result
    finally:
        dialogue.close()
