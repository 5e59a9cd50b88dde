"""The MACs of the ledger's rows: what is covered, by which keys, and how rows are read for it.

Rules of this file: the keys come from the device's key store, under an epoch, and never touch
the file. Every column of every table is covered, by the list that SQLite itself gives, so a column
or table that is added later is covered without anyone thinking of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import apsw

from offline_queue.encoded import Hmac, encode_row, length_first
from offline_queue.sql import rows
from terminal.ports import KeyStore
from terminal.transaction import FINAL

PROTECTED_SINCE = 7
"""The first schema version whose rows have MACs."""

FIRST_EPOCH = 1
MAC_SIZE = 16
LOGS = ("event", "audit", "day_event")
CHUNK = 1000

SETTLED: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {"txn": ("state", frozenset(state.value for state in FINAL))}
)
"""Tables whose rows leave the live set: when this column has one of these values.

They keep their own MAC, and what happened to them is in the chain; a start does not read them
all again. Rows of any other table are live for as long as they exist.
"""

DERIVED = frozenset({"summary", "hour_summary", "part_summary"})
"""Tables that only add up what others hold, and grow with the past: their rows have MACs and are
not live, since verifying makes the sums again.
"""

NOWHERE: Mapping[str, int] = MappingProxyType({})

SEAL = "taptill_mac"
"""The function by which SQLite asks for a row's MAC."""

Key = tuple[Any, ...]
Row = tuple[Any, ...]


class Unkeyed:
    """A key that everyone knows: damage shows, and an attack does not.

    For files that have no device: tests, benchmarks, a copy on a desk. A ledger that a till's
    key protects does not verify under it, nor the other way round.
    """

    level = "none"

    def mac(self, label: str, data: bytes) -> bytes:
        """HMAC-SHA-256 under a published key; 32 bytes."""
        return hmac.digest(
            b"taptill: this ledger has no device key", length_first(label, data), "sha256"
        )


UNKEYED: KeyStore = Unkeyed()


@dataclass(frozen=True, slots=True)
class Table:
    """One protected table, as its columns say.

    ``keys`` are its key's columns and ``places`` their places among all columns; both are empty
    where the rowid is the key. ``one`` reads a row by its rowid. ``seal`` has SQLite ask for the
    MAC of a row that it has at hand, and ``seal_link`` for that of a log's row in its place (?1)
    of the chain; the others write one.
    """

    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    places: tuple[int, ...]
    header: bytes = field(repr=False)
    one: str = field(init=False, repr=False)
    seal: str = field(init=False, repr=False)
    seal_link: str = field(init=False, repr=False)
    set_mac: str = field(init=False, repr=False)
    set_link: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Written once, since each is used several times in every sale, or thousands at a start.
        object.__setattr__(self, "one", self.select("WHERE rowid = ?"))
        where = " AND ".join(f"{quoted(key)} = ?" for key in self.keys) or "rowid = ?"
        update = f"UPDATE {quoted(self.name)} SET"
        object.__setattr__(self, "set_mac", f"{update} mac = ? WHERE {where}")
        object.__setattr__(self, "set_link", f"{update} link = ?, mac = ? WHERE {where}")
        # SQLite hands the row to our function as it is now, and writes what comes back.
        values = ", ".join(quoted(column) for column in self.columns)
        object.__setattr__(self, "seal", f"{update} mac = {SEAL}({values}) WHERE {where}")
        linked = ", ".join("?1" if name == "link" else quoted(name) for name in self.columns)
        link = f"{update} link = ?1, mac = {SEAL}({linked}) WHERE rowid = ?2"
        object.__setattr__(self, "seal_link", link)

    @classmethod
    def of(cls, name: str, info: Sequence[tuple[str, int]], *, rowid: bool) -> Table:
        """The table from its columns: each one's name, and its place in the key or 0.

        Its own MAC is no part of its content.
        """
        columns = tuple(column for column, _ in info if column != "mac")
        keys = () if rowid else tuple(column for column, place in info if place)
        places = () if rowid else tuple(at for at, (_, place) in enumerate(info) if place)
        return cls(name, columns, keys, places, length_first("row/1", name, *columns))

    def select(self, rest: str) -> str:
        """A query for contents and MACs; ``rest`` follows the table's name."""
        listed = ", ".join(quoted(column) for column in (*self.columns, "mac"))
        return f"SELECT {listed} FROM {quoted(self.name)} {rest}"  # noqa: S608 - quoted names

    def link_of(self, content: Row | None) -> int:
        """The place of a log's row in the chain; 0 where it has none yet, or none that is one."""
        link = content[self.columns.index("link")] if content is not None else None
        return link if isinstance(link, int) else 0

    def live(self, content: Row) -> bool:
        """Whether the row is counted in the high-water row."""
        if self.name in LOGS or self.name in DERIVED:
            return False
        settled = SETTLED.get(self.name)
        if settled is None:
            return True
        column, values = settled
        return content[self.columns.index(column)] not in values


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def tables_of(connection: apsw.Connection) -> dict[str, Table]:
    """Every table of the ledger but the high-water row's own."""
    found = rows(
        connection,
        "SELECT list.name, list.wr, info.name, info.pk"
        " FROM pragma_table_list AS list, pragma_table_info(list.name) AS info"
        " WHERE list.type = 'table' AND list.schema = 'main'"
        " AND list.name NOT LIKE 'sqlite_%' AND list.name <> 'high_water'"
        " ORDER BY list.name, info.cid",
    )
    columns: dict[tuple[str, bool], list[tuple[str, int]]] = {}
    for name, without_rowid, column, place in found:
        columns.setdefault((name, not without_rowid), []).append((column, place))
    return {name: Table.of(name, info, rowid=rowid) for (name, rowid), info in columns.items()}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one epoch, derived once from the device key and held in memory."""

    epoch: int
    row: bytes = field(repr=False)
    chain: Hmac = field(repr=False)
    live: Hmac = field(repr=False)
    head: Hmac = field(repr=False)
    _rows: dict[bytes, Hmac] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, keystore: KeyStore, epoch: int) -> Keys:
        """The keys of this epoch on this device."""
        row, *others = (
            keystore.mac(f"ledger/{epoch}", name.encode())
            for name in ("row", "chain", "live", "head")
        )
        chain, live, head = map(Hmac, others)
        return cls(epoch, row, chain, live, head)

    def row_mac(self, table: Table, content: Row) -> bytes:
        """The MAC of one row: of its table, its columns' names and every value."""
        begun = self._rows.get(table.header)
        if begun is None:
            begun = self._rows[table.header] = Hmac(self.row, table.header)
        return begun.of(encode_row(content))[:MAC_SIZE]

    def link_mac(self, before: bytes, table: Table, content: Row) -> bytes:
        """The next link of the chain."""
        message = length_first(before) + table.header + encode_row(content)
        return self.chain.of(message)[:MAC_SIZE]

    def weight(self, mac: bytes) -> int:
        """What a live row adds to the sum; never on the disk, so that no sum can be built."""
        return int.from_bytes(self.live.of(mac), "big")

    def sum_mac(self, total: int, count: int) -> bytes:
        """The MAC over the sum of all live rows."""
        message = length_first("live/1", str(count), (total % (1 << 256)).to_bytes(32, "big"))
        return self.head.of(message)[:MAC_SIZE]

    def schema_mac(self, connection: apsw.Connection) -> bytes:
        """The MAC over the schema: every table, index and trigger, as they were written."""
        found = rows(
            connection,
            "SELECT type, name, tbl_name, sql FROM sqlite_schema"
            " WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name",
        )
        version = int(str(connection.pragma("user_version")))
        message = length_first(
            "schema/1", encode_row([version]), *(encode_row(row) for row in found)
        )
        return self.head.of(message)[:MAC_SIZE]

    def head_mac(self, head: Head) -> bytes:
        """The MAC over the high-water row."""
        content = (head.epoch, head.links, head.chain, head.sales, head.counter)
        return self.parts_mac((*content, head.live, head.schema))

    def parts_mac(self, parts: Row) -> bytes:
        """The same, from the row's values in their order."""
        message = length_first("head/1", encode_row(parts))
        return self.head.of(message)[:MAC_SIZE]

    @property
    def first_link(self) -> bytes:
        """What stands before the first link of the chain."""
        return self.chain.of(b"first")[:MAC_SIZE]


@dataclass(frozen=True, slots=True)
class Head:
    """The high-water row: how far the ledger has come.

    ``links`` counts the rows of the chain and ``chain`` is the last one's MAC; ``sales`` counts
    the sales; ``counter`` is what the device's counter must have reached, 0 where it has none;
    ``live`` and ``schema`` are MACs.
    """

    epoch: int
    links: int
    chain: bytes
    sales: int
    counter: int
    live: bytes = b""
    schema: bytes = b""
    mac: bytes = b""

    @property
    def plausible(self) -> bool:
        """Whether every value is of its kind, as a damaged file may not have it."""
        numbers = (self.epoch, self.links, self.sales, self.counter)
        texts = (self.chain, self.live, self.schema, self.mac)
        return all(type(number) is int for number in numbers) and all(
            type(text) is bytes for text in texts
        )

    @classmethod
    def read(cls, connection: apsw.Connection) -> Head | None:
        """The row as it is in the file; None where there is none."""
        found = rows(
            connection,
            "SELECT epoch, links, chain, sales, counter, live, schema, mac, id FROM high_water",
        )
        return cls(*found[0][:-1]) if len(found) == 1 and found[0][-1] == 1 else None

    def write(self, connection: apsw.Connection) -> None:
        """Puts the row in the place of the one before."""
        values = (
            *(self.epoch, self.links, self.chain, self.sales, self.counter),
            *(self.live, self.schema, self.mac),
        )
        connection.execute(_NEXT_HEAD, values)
        if not connection.changes():
            connection.execute(_FIRST_HEAD, values)


_NEXT_HEAD = (
    "UPDATE high_water SET epoch = ?, links = ?, chain = ?, sales = ?, counter = ?, live = ?,"
    " schema = ?, mac = ? WHERE id = 1"
)
_FIRST_HEAD = (
    "INSERT INTO high_water (id, epoch, links, chain, sales, counter, live, schema, mac)"
    " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)"
)

Scanned = tuple[Key, Row | None, bytes]


def scan(
    connection: apsw.Connection, table: Table, *, after: int | None = None
) -> Iterator[Scanned]:
    """The rows of a table: key, content (None where it is unreadable) and MAC.

    In the order of their rowids, those above ``after``; rows may be changed while they come.
    """
    if table.keys:
        for row in rows(connection, table.select("")):
            content = row[:-1]
            yield tuple(content[table.columns.index(key)] for key in table.keys), content, row[-1]
        return
    last = after if after is not None else -(1 << 63)
    while True:
        found = _chunk(connection, table, last)
        yield from found
        if len(found) < CHUNK:
            return
        last = found[-1][0][0]


def _chunk(connection: apsw.Connection, table: Table, last: int) -> list[Scanned]:
    rest = f"WHERE rowid > ? ORDER BY rowid LIMIT {CHUNK}"
    whole = table.select(rest).replace("SELECT ", "SELECT rowid, ", 1)
    try:
        return [((row[0],), row[1:-1], row[-1]) for row in rows(connection, whole, (last,))]
    except UnicodeDecodeError:
        # One text that is none must not hide the rows beside it.
        ids = rows(connection, f"SELECT rowid FROM {quoted(table.name)} {rest}", (last,))  # noqa: S608 - quoted names
        return [single(connection, table, rowid) for (rowid,) in ids]


def single(connection: apsw.Connection, table: Table, rowid: int) -> Scanned:
    """One row of a table, as ``scan`` gives it; without content where it cannot be read.

    So is one that an index knows and the table does not, as in a damaged file.
    """
    try:
        found = rows(connection, table.one, (rowid,))
    except UnicodeDecodeError:
        found = []
    if not found:
        return (rowid,), None, b""
    row = found[0]
    return (rowid,), row[:-1], row[-1]


def merged_logs(
    connection: apsw.Connection, tables: Mapping[str, Table], after: Mapping[str, int] = NOWHERE
) -> Iterator[tuple[Table, Key, Row | None, bytes]]:
    """The rows of all logs in the order of the chain; those without a link come first.

    ``after`` has the rowid of each log above which to begin.
    """
    streams = {
        name: scan(connection, tables[name], after=after.get(name))
        for name in LOGS
        if name in tables
    }
    heads = {name: head for name, stream in streams.items() if (head := next(stream, None))}
    while heads:
        name = min(heads, key=lambda name: tables[name].link_of(heads[name][1]))
        yield (tables[name], *heads[name])
        follower = next(streams[name], None)
        if follower is None:
            del heads[name]
        else:
            heads[name] = follower
