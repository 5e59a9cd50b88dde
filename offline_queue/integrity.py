"""What makes a change to the ledger's file show: a MAC on every row, a chain, a high-water row.

Rules of this file: the MACs are written in the SQL transaction that changed the rows, with its
one sync. It finds out which rows those were by itself (SQLite's pre-update hook), so no writer
has to say so, or can forget.

Three things hold the file together (``docs/decisions``, "How a change to the ledger shows"):

* each row has the MAC of its content: an edit, or a row moved to another place, shows;
* ``event`` and ``audit`` are one chain, each link keyed over the one before: a row that is cut
  out, or put in, shows;
* the one row of ``high_water`` has the chain's head, the number of sales, and a MAC over the sum
  of all *live* rows (what waits, counters, staff): a row that is removed, or an older copy of
  it that is put back, shows, and so does a changed schema.

Nothing here finds an older copy of the whole file: that takes a counter outside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import apsw

from offline_queue.macs import (
    LOGS,
    SEAL,
    Head,
    Key,
    Keys,
    Row,
    Table,
    merged_logs,
    quoted,
    scan,
    tables_of,
)
from offline_queue.sql import one, rows
from terminal.errors import StoreError
from terminal.ledger import Kind


class LiveRows:
    """The weights of the live rows and their sum; changes can be taken back until kept."""

    def __init__(self) -> None:
        self._weights: dict[tuple[str, Key], int] = {}
        self._undo: list[tuple[tuple[str, Key], int | None]] = []
        self.total = 0

    def __len__(self) -> int:
        return len(self._weights)

    def put(self, name: str, key: Key, weight: int | None) -> None:
        """The row now has this weight; None when it is live no more."""
        place = (name, key)
        before = self._weights.pop(place, None)
        self._undo.append((place, before))
        self.total += (weight or 0) - (before or 0)
        if weight is not None:
            self._weights[place] = weight

    def keep(self) -> None:
        """The changes are on the disk."""
        self._undo.clear()

    def take_back(self) -> None:
        """The changes never happened."""
        for place, before in reversed(self._undo):
            self.total += (before or 0) - self._weights.pop(place, 0)
            if before is not None:
                self._weights[place] = before
        self._undo.clear()


class Protection:
    """Keeps the MACs of an open ledger up to date, one SQL transaction at a time."""

    def __init__(self, keys: Keys, *, counter: int = 0) -> None:
        self.keys = keys
        self._first_counter = counter
        self._tables: dict[str, Table] = {}
        self._head = self._kept_head = Head(keys.epoch, 0, b"", 0, 0)
        self._live = LiveRows()
        self._changed: dict[tuple[str, Key], None] = {}
        self._born = 0
        self._at_risk = False
        self._busy = False
        self._asked: tuple[Table, Key] | None = None
        self._links, self._chain = 0, b""

    @property
    def head(self) -> Head:
        """The high-water row as it was last committed."""
        return self._kept_head

    def adopt(self, connection: apsw.Connection) -> None:
        """Gives every row its MAC, in the caller's SQL transaction: a new file, schema or key.

        Whoever calls has verified what is there, or has nothing to verify it with. ``keep``
        follows the commit.
        """
        for name, table in tables_of(connection).items():
            query = "SELECT 1 FROM pragma_table_info(?) WHERE name = 'mac'"
            if not rows(connection, query, (name,)):
                connection.execute(f"ALTER TABLE {quoted(table.name)} ADD COLUMN mac BLOB")
        before = Head.read(connection)
        self._tables = tables_of(connection)
        self._live = LiveRows()
        links, chain = 0, self.keys.first_link
        for table, key, content, _ in merged_logs(connection, self._tables):
            links += 1
            chain = self._link(connection, table, key, _readable(table, content), links, chain)
        for table in self._tables.values():
            if table.name not in LOGS:
                for key, content, _ in scan(connection, table):
                    self._set(connection, table, key, _readable(table, content))
        sales = int(one(connection, "SELECT count(*) FROM txn"))
        head = Head(
            self.keys.epoch, links, chain, sales, before.counter if before else self._first_counter
        )
        self._write_head(connection, replace(head, schema=self.keys.schema_mac(connection)))

    def begin(self, connection: apsw.Connection, head: Head, live: LiveRows) -> None:
        """Takes over a file that has been verified, and watches it from now on."""
        self._tables = tables_of(connection)
        self._head = self._kept_head = head
        self._live = live
        self.watch(connection)

    def watch(self, connection: apsw.Connection) -> None:
        """Has SQLite tell of every row that changes, and ask for its MAC."""
        connection.create_scalar_function(SEAL, self._mac_of, flags=apsw.SQLITE_DIRECTONLY)
        connection.preupdate_hook(self._note, id=id(self))

    def leave(self, connection: apsw.Connection) -> None:
        """Ends ``watch``."""
        connection.preupdate_hook(None, id=id(self))

    def seal(self, connection: apsw.Connection, *, counter: int | None = None) -> None:
        """Writes the MACs of what this SQL transaction has changed, before it is committed.

        ``counter`` binds the file to this value of the device's counter.
        """
        if not self._changed and counter is None:
            return
        self._busy = True
        try:
            self._links, self._chain = self._head.links, self._head.chain
            for name, key in self._changed:
                self._seal_row(connection, self._tables[name], key)
            before = self._head
            number = before.counter if counter is None else counter
            sales = before.sales + self._born
            head = Head(before.epoch, self._links, self._chain, sales, number, schema=before.schema)
            self._write_head(connection, head)
        finally:
            self._busy = False

    def keep(self) -> None:
        """The SQL transaction is on the disk."""
        self._kept_head = self._head
        self._live.keep()
        self._forget()

    def take_back(self) -> None:
        """The SQL transaction was rolled back."""
        self._head = self._kept_head
        self._live.take_back()
        self._forget()

    @property
    def at_risk(self) -> bool:
        """Whether this SQL transaction stores a sale for later, or begins a batch."""
        return self._at_risk

    def _forget(self) -> None:
        self._changed.clear()
        self._born = 0
        self._at_risk = False

    def _note(self, change: apsw.PreUpdate) -> None:
        if self._busy:
            return
        table = self._tables.get(change.table_name)
        if table is None:
            return
        inserted = change.op == "INSERT"
        if not table.keys:
            self._changed[table.name, (change.rowid,)] = None
            if not inserted:
                self._changed[table.name, (change.rowid_new,)] = None
        else:
            for values in (change.old, change.new):
                if values is not None:
                    key = tuple([values[place] for place in table.places])
                    self._changed[table.name, key] = None
        if inserted:
            self._born += table.name == "txn"
            # An advice in the outbox is a sale that no acquirer has answered for.
            stored = table.name == "outbox" and Kind.ADVICE.value in (change.new or ())
            self._at_risk = self._at_risk or stored or table.name == "batch"

    def _seal_row(self, connection: apsw.Connection, table: Table, key: Key) -> None:
        """Has SQLite ask for the MAC of a row as it is now, and write it."""
        self._asked = (table, key)
        if table.name in LOGS:
            connection.execute(table.seal_link, (self._links + 1, *key))
        else:
            connection.execute(table.seal, key)
        if self._asked is not None:
            self._live.put(table.name, key, None)
            self._asked = None

    def _mac_of(self, *content: Any) -> bytes:
        """What SQLite asks for in ``_seal_row``."""
        if self._asked is None:
            raise AssertionError("nobody is sealing a row")
        (table, key), self._asked = self._asked, None
        if table.name in LOGS:
            self._links += 1
            self._chain = self.keys.link_mac(self._chain, table, content)
            return self._chain
        mac = self.keys.row_mac(table, content)
        self._live.put(table.name, key, self.keys.weight(mac) if table.live(content) else None)
        return mac

    def _set(self, connection: apsw.Connection, table: Table, key: Key, content: Row) -> None:
        mac = self.keys.row_mac(table, content)
        connection.execute(table.set_mac, (mac, *key))
        live = table.live(content)
        self._live.put(table.name, key, self.keys.weight(mac) if live else None)

    def _link(
        self,
        connection: apsw.Connection,
        table: Table,
        key: Key,
        content: Row,
        link: int,
        before: bytes,
    ) -> bytes:
        place = table.columns.index("link")
        linked = (*content[:place], link, *content[place + 1 :])
        mac = self.keys.link_mac(before, table, linked)
        connection.execute(table.set_link, (link, mac, *key))
        return mac

    def _write_head(self, connection: apsw.Connection, head: Head) -> None:
        live = self.keys.sum_mac(self._live.total, len(self._live))
        parts = (head.epoch, head.links, head.chain, head.sales, head.counter, live, head.schema)
        self._head = Head(*parts, mac=self.keys.parts_mac(parts))
        self._head.write(connection)


def _readable(table: Table, content: Row | None) -> Row:
    if content is None:
        raise StoreError(
            f"A row of the ledger's table {table.name} holds text that is none.",
            remedy="Keep the file as it is and have it looked at before selling on.",
        )
    return content
