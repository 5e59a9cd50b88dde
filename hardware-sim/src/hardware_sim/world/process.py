"""One run of a till's process in a world: its parts, put together as in a real till."""

from __future__ import annotations

from collections.abc import Callable

from offline_queue.outbox import Outbox
from offline_queue.sync import News, Sync
from terminal.iso8583.messages import reversal_of
from terminal.ports import Host
from ui.wiring import Parts, forwarder

CONFIG = b"""
[till]
terminal_id = "WORLD001"
reader = "sim:"
printer = "file:"
[offline]
per_sale = "60.00"
total = "300.00"
count = 8
[timing]
present_s = 30
authorise_s = 15
"""


class TillProcess:
    """One run of the till's process: put together, working, thrown away."""

    def __init__(self, parts: Parts, heard: Callable[[News], None]) -> None:
        self.parts = parts
        self.link: Host = parts.acquirer.link()
        self.line: Sync = forwarder(parts, heard)
        self.outbox = Outbox(parts.journal.store)

    def recover(self) -> None:
        """As the till's thread does after a failure that it survives."""
        profile = self.parts.rules.profile
        self.parts.journal.recover(lambda sent: reversal_of(profile, sent))
