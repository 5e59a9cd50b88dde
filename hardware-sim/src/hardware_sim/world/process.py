"""One run of a till's process in a world: its parts, put together as in a real till."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hardware_sim.world.oracle import AtRisk
from hardware_sim.world.tables import BillBook, DrawerFacts, bills_in, drawer_in
from offline_queue.outbox import Outbox
from offline_queue.reports import Reports
from offline_queue.sync import News, Sync
from terminal.iso8583.messages import reversal_of
from terminal.ports import Host
from terminal.transaction import Transaction
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
per_card_count = 2
per_card_total = "100.00"
hours = 12
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

    def reaches_host(self) -> bool:
        """Whether the line is up, or comes back now: two good echoes bring one that was lost."""
        for _ in range(2):
            if self.line.online is not True and not self.line.probe():
                return False
        return self.line.online is True

    def at_risk(self) -> dict[str, AtRisk]:
        """Every stored sale that the host has not answered, by its id."""
        with self.parts.journal.store.read() as connection:
            return {
                str(txn_id): AtRisk(
                    txn_id=str(txn_id),
                    amount_minor=int(str(minor)),
                    cards=frozenset(str(name) for name in names if name),
                    scheme=str(scheme),
                    created_at=datetime.fromisoformat(str(created_at)),
                    set_aside=state != "stored",
                )
                for txn_id, minor, scheme, created_at, state, *names in connection.execute(
                    # What is taken of a hold was approved long ago: no limit is about it.
                    "SELECT txn_id, amount_minor, scheme, created_at, state, fingerprint,"
                    " par_fingerprint, previous_fingerprint, previous_par_fingerprint"
                    " FROM txn WHERE state IN ('stored', 'set aside') AND txn_kind = 'sale'"
                )
            }

    def sales(self) -> dict[str, Transaction]:
        """Every transaction of the ledger, by its id."""
        found = Reports(self.parts.journal.store).transactions(limit=10**9)
        return {sale.txn_id: sale for sale in found}

    def bills(self) -> BillBook:
        """Every bill of the ledger."""
        with self.parts.journal.store.read() as connection:
            return bills_in(connection)

    def drawer(self) -> DrawerFacts | None:
        """The events of the cash drawer."""
        with self.parts.journal.store.read() as connection:
            return drawer_in(connection)

    def handed_over(self) -> dict[str, str]:
        """What another till is to send: its bundle, by the sale."""
        with self.parts.journal.store.read() as connection:
            found = connection.execute("SELECT txn_id, bundle FROM outbox WHERE bundle <> ''")
            return {str(txn_id): str(bundle) for txn_id, bundle in found}
