"""What the forwarder must know of the acquirer: its protocol as functions, and how long to wait.

Rules of this file: values only. They are put together in ``ui.wiring``, since the memory knows
no protocol and no driver.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from offline_queue.pipeline import KeyOf
from offline_queue.relay import Judge
from terminal.delivery import Verdict
from terminal.ledger import OutboxItem
from terminal.line import LineRules
from terminal.ports import Host


def _no_key(message: bytes) -> None:
    del message


@dataclass(frozen=True, slots=True)
class Wire:
    """What the forwarder must know of the acquirer's protocol, as functions.

    ``repeat_of`` turns a message into its repeat (0220 into 0221, 0420 into 0421);
    ``is_answer_to`` gives the test for the answer to one message; ``read`` says what an answer
    means, and raises HostGarbled where it cannot; ``probe`` exchanges an echo (0800) over the
    link, gives the host's time where it tells it, and raises HostError where there is no good
    answer. ``judge`` reads an answer to a sale of another till, which is not in the ledger;
    without it none is forwarded. ``awaited`` and ``told`` are the keys by which answers find
    their requests when several are in flight. ``silences_max`` is after how many silences,
    while the host answers others, a stored sale is set aside.
    """

    repeat_of: Callable[[bytes], bytes]
    is_answer_to: Callable[[bytes], Callable[[bytes], bool]]
    read: Callable[[OutboxItem, bytes, datetime], Verdict]
    probe: Callable[[Host], datetime | None]
    judge: Judge | None = None
    awaited: KeyOf = _no_key
    told: KeyOf = _no_key
    silences_max: int = 12


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the forwarder waits: for an answer, for its claims, between echoes at idle.

    ``rise_s`` is between the echoes with which a line comes back. ``window`` is how many
    messages may be in flight; ``line`` says when the line counts as what.
    """

    answer_timeout_s: float = 30.0
    lease_s: float = 120.0
    probe_every_s: float = 60.0
    rise_s: float = 0.5
    window: int = 32
    line: LineRules = field(default_factory=LineRules)


USUAL_TIMING = Timing()
