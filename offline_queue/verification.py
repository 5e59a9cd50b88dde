"""Whether the ledger's file is the one that this till left: at start, at idle, and whole.

Rules of this file: reading only. What is wrong is returned, as what and where, and never passed
over; nothing here repairs. A start reads what can be at stake (what waits, the newest sales and
events, every counter) in a time that does not grow with the past; ``verify`` reads everything.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import apsw

from offline_queue import bill_rows, projection
from offline_queue.integrity import LiveRows
from offline_queue.macs import (
    DERIVED,
    LOGS,
    SETTLED,
    Head,
    Keys,
    Row,
    Scanned,
    Table,
    merged_logs,
    scan,
    single,
    tables_of,
)
from offline_queue.numbers import BEFORE
from offline_queue.sql import one, rows
from terminal.errors import StoreError
from terminal.ports import KeyStore, RollbackCounter
from terminal.transaction import State

NEWEST = 4000
"""How many of the newest sales, and of the newest rows of each log, a start reads."""

FINDINGS_MAX = 100

SWEEP_ROWS = 2000
"""How many rows are read at idle before the till looks up again."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as this till left it: what, and where in the file."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.what} ({self.where})"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the file found; ``head`` and ``live`` are there where nothing was."""

    findings: tuple[Finding, ...]
    keys: Keys | None = None
    head: Head | None = None
    live: LiveRows | None = None


def verify(
    path: Path,
    keystore: KeyStore,
    *,
    counter: RollbackCounter | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Reads the whole file and says everything that is not as this till left it.

    ``progress`` is told rows read and rows in all. The file may be in use by the till.

    Raises:
        KeyStoreError: the device key cannot be used.
    """
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    except apsw.Error as cause:
        return [Finding(f"the file cannot be opened: {cause}", path.name)]
    try:
        connection.set_busy_timeout(5000)
        connection.execute("BEGIN")
        return list(check_all(connection, keystore, counter=counter, progress=progress).findings)
    except (apsw.Error, UnicodeDecodeError) as cause:
        return [Finding(f"the file is damaged: {cause}", path.name)]
    finally:
        connection.close()


def check_start(
    connection: apsw.Connection, keystore: KeyStore, *, counter: RollbackCounter | None = None
) -> Checked:
    """The look at start: high-water row, schema, what waits, the newest sales and events."""
    return _check(connection, keystore, counter, _recent)


def check_all(
    connection: apsw.Connection,
    keystore: KeyStore,
    *,
    counter: RollbackCounter | None = None,
    progress: Progress | None = None,
) -> Checked:
    """The whole file: every row, the chain from its first link, and SQLite's own check."""
    told = progress or (lambda _, __: None)
    return _check(
        connection,
        keystore,
        counter,
        lambda connection, keys, head, tables: _everything(connection, keys, head, tables, told),
    )


_Deeper = Callable[[apsw.Connection, Keys, Head, dict[str, Table]], Iterator[Finding]]


def _check(
    connection: apsw.Connection,
    keystore: KeyStore,
    counter: RollbackCounter | None,
    deeper: _Deeper,
) -> Checked:
    try:
        head = Head.read(connection)
    except (apsw.SQLError, UnicodeDecodeError):
        head = None
    if head is None or not head.plausible:
        return Checked((Finding("the high-water row is missing or unreadable", "high_water"),))
    keys = Keys.of(keystore, head.epoch)
    if not hmac.compare_digest(keys.head_mac(head), head.mac):
        what = "the high-water row was changed, or the file belongs to another till"
        return Checked((Finding(what, "high_water"),))
    if not hmac.compare_digest(keys.schema_mac(connection), head.schema):
        return Checked((Finding("the tables' definitions were changed", "sqlite_schema"),))
    tables = tables_of(connection)
    live = LiveRows()

    def findings() -> Iterator[Finding]:
        yield from _rolled_back(head, counter)
        yield from _waiting(connection, keys, head, tables, live)
        yield from deeper(connection, keys, head, tables)

    found = tuple(islice(findings(), FINDINGS_MAX))
    return Checked(found, keys, head, live)


def _rolled_back(head: Head, counter: RollbackCounter | None) -> Iterator[Finding]:
    """The counter is raised after its commit, so a cut between the two leaves it one behind."""
    if counter is None:
        return
    reached = counter.value()
    if head.counter < reached:
        what = f"an older copy of the whole file was put back (it says {head.counter} of {reached})"
        yield Finding(what, "high_water")
    elif head.counter > reached + 1:
        what = f"the device's counter was set back (to {reached} of {head.counter})"
        yield Finding(what, "key store")


def _waiting(
    connection: apsw.Connection,
    keys: Keys,
    head: Head,
    tables: dict[str, Table],
    live: LiveRows,
) -> Iterator[Finding]:
    """Every live row, and that they are all there, none older than it was left."""
    sound = True
    for table in tables.values():
        if table.name in LOGS or table.name in DERIVED:
            continue
        for key, content, mac in _live_rows(connection, table):
            finding = _row(keys, table, key, content, mac)
            if finding is not None:
                sound = False
                yield finding
            elif content is not None and table.live(content):
                live.put(table.name, key, keys.weight(mac))
    live.keep()
    if sound and not hmac.compare_digest(keys.sum_mac(live.total, len(live)), head.live):
        yield Finding(
            "a row that waits, or a counter, is missing, or an older copy of it was put back",
            "all tables",
        )


def _live_rows(connection: apsw.Connection, table: Table) -> Iterator[Scanned]:
    if table.name not in SETTLED:
        yield from scan(connection, table)
        return
    column, settled = SETTLED[table.name]
    waiting = sorted({state.value for state in State} - settled)
    marks = ", ".join("?" for _ in waiting)
    # A value that is in neither list is no live row either, so its sale is missing in the sum.
    ids = rows(
        connection,
        f"SELECT rowid FROM {table.name} WHERE {column} IN ({marks})",  # noqa: S608 - our own names
        waiting,
    )
    for (rowid,) in ids:
        yield single(connection, table, rowid)


def _row(
    keys: Keys, table: Table, key: tuple[object, ...], content: Row | None, mac: object
) -> Finding | None:
    where = _place(table, key, content)
    if content is None:
        return Finding("a row is missing, or a text in it is unreadable", where)
    good = isinstance(mac, bytes) and hmac.compare_digest(keys.row_mac(table, content), mac)
    return None if good else Finding("a row was changed", where)


def _place(table: Table, key: tuple[object, ...], content: Row | None) -> str:
    """A row for a person: a sale by its id, another by its key."""
    if content is not None and "txn_id" in table.columns and table.name != "event":
        return f"{table.name} {content[table.columns.index('txn_id')]}"
    return f"{table.name} {', '.join(str(part) for part in key)}"


def _recent(
    connection: apsw.Connection, keys: Keys, head: Head, tables: dict[str, Table]
) -> Iterator[Finding]:
    """The newest rows of the chain up to its head, and the newest sales, none missing."""
    yield from _chain(connection, keys, head, tables, max(0, head.links - NEWEST))
    newest = rows(
        connection, "SELECT rowid, sequence FROM txn ORDER BY sequence DESC LIMIT ?", (NEWEST,)
    )
    last = int(one(connection, "SELECT value FROM numbers WHERE name = 'sequence'"))
    for rowid, sequence in newest:
        if sequence != last:
            yield Finding("sales are missing", f"txn with sequences {sequence + 1} to {last}")
        last = sequence - 1
        finding = _row(keys, tables["txn"], *single(connection, tables["txn"], rowid))
        if finding is not None:
            yield finding
    before = rows(connection, "SELECT value FROM numbers WHERE name = ?", (BEFORE,))
    first = int(before[0][0]) + 1 if before else 1
    if len(newest) < NEWEST and last >= first:
        yield Finding("sales are missing", f"txn with sequences {first} to {last}")


def _chain(
    connection: apsw.Connection, keys: Keys, head: Head, tables: dict[str, Table], seed: int
) -> Iterator[Finding]:
    """Every link above ``seed``, whose own MAC is taken as it stands; 0 is the beginning."""
    after = {}
    for name in (log for log in LOGS if log in tables):
        newest = int(one(connection, f"SELECT coalesce(max(rowid), 0) FROM {name}"))  # noqa: S608 - our names
        # Each row takes one link, so no link above the seed is in an older row than this.
        after[name] = max(0, newest - (head.links - seed) - 1) if seed else 0
    link, chain = (seed - 1, b"") if seed else (0, keys.first_link)
    for table, key, content, mac in merged_logs(connection, tables, after):
        here = table.link_of(content)
        where = _place(table, key, content)
        if content is None or here == 0:
            yield Finding("a row was changed, or put in", where)
            return
        if here < seed:
            continue
        if here != link + 1:
            yield Finding("rows are missing, or were put in", f"before {where}")
            return
        if here != seed and not _linked(keys, chain, table, content, mac):
            yield Finding("a row was changed, or the one before it", where)
            return
        link, chain = here, mac
    if link != head.links or not hmac.compare_digest(chain, head.chain):
        yield Finding("the newest rows are missing", f"event and audit after link {link}")


def _everything(
    connection: apsw.Connection,
    keys: Keys,
    head: Head,
    tables: dict[str, Table],
    progress: Progress,
) -> Iterator[Finding]:
    problems = [str(row[0]) for row in rows(connection, "PRAGMA integrity_check(20)")]
    if problems != ["ok"]:
        yield from (Finding(problem, "file") for problem in problems)
        return
    yield from _chain(connection, keys, head, tables, 0)
    counts = {
        name: int(one(connection, f"SELECT count(*) FROM {name}"))  # noqa: S608 - names that the schema's MAC covers
        for name in tables
        if name not in LOGS
    }
    done, total = 0, sum(counts.values())
    for name in counts:
        for key, content, mac in scan(connection, tables[name]):
            finding = _row(keys, tables[name], key, content, mac)
            if finding is not None:
                yield finding
            done += 1
            if done % 1000 == 0:
                progress(done, total)
    if counts["txn"] != head.sales:
        what = f"{head.sales} sales were recorded, and {counts['txn']} are there"
        yield Finding(what, "txn")
    try:
        # An older schema has fewer columns; after its update the sales are verified again.
        if projection.known_columns(connection):
            projection.verify(connection)
            bill_rows.verify(connection)
    except StoreError as cause:
        yield Finding(cause.message, "txn and event")
    progress(total, total)


class Sweep:
    """The whole file, a part at a time, beside a till that goes on: rows first, then the chain.

    What changes meanwhile is no trouble: a row is always as its own MAC says, and the chain only
    grows.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        # While a till runs its tables stay as the start has found them.
        self._tables: dict[str, Table] = {}
        self._begin()
        self.at_end = False

    def _begin(self) -> None:
        self._table = 0
        self._after: int | None = None
        self._link, self._chain = 0, self._keys.first_link
        self._logs: dict[str, int] = {}

    def step(self, connection: apsw.Connection) -> Iterator[Finding]:
        """Reads the next ``SWEEP_ROWS`` rows and yields what is wrong with them."""
        tables = self._tables = self._tables or tables_of(connection)
        names = [name for name in tables if name not in LOGS]
        self.at_end = False
        if self._table < len(names):
            yield from self._rows(connection, tables[names[self._table]])
        else:
            yield from self._links(connection, tables)

    def _rows(self, connection: apsw.Connection, table: Table) -> Iterator[Finding]:
        read = 0
        for key, content, mac in islice(scan(connection, table, after=self._after), SWEEP_ROWS):
            read += 1
            finding = _row(self._keys, table, key, content, mac)
            if finding is not None:
                yield finding
            if not table.keys:
                self._after = key[0]
        if read < SWEEP_ROWS or table.keys:
            self._table, self._after = self._table + 1, None

    def _links(self, connection: apsw.Connection, tables: dict[str, Table]) -> Iterator[Finding]:
        read = 0
        for table, key, content, mac in islice(
            merged_logs(connection, tables, self._logs), SWEEP_ROWS
        ):
            read += 1
            self._link += 1
            good = content is not None and table.link_of(content) == self._link
            if (
                content is None
                or not good
                or not _linked(self._keys, self._chain, table, content, mac)
            ):
                yield Finding(
                    "a row was changed, or the one before it", _place(table, key, content)
                )
                self._begin()
                return
            self._chain = mac
            self._logs[table.name] = key[0]
        if read < SWEEP_ROWS:
            self.at_end = True
            self._begin()


def _linked(keys: Keys, before: bytes, table: Table, content: Row, mac: object) -> bool:
    expected = keys.link_mac(before, table, content)
    return isinstance(mac, bytes) and hmac.compare_digest(expected, mac)
