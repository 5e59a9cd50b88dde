"""Every column of every row, and every byte of a small file: a change is found, or changes nothing.

``TAPTILL_BYTES=all`` tries every byte of the file; without it a random part of them. "Changes
nothing" means that every table reads as before, and so does every index by itself. Where SQLite
refuses to read (the page of an index without entries is the one that its own check lets pass), the
error is as good as a finding.
"""

from __future__ import annotations

import os
import random
import sys

import apsw
import pytest

from offline_queue.sql import one, rows
from offline_queue.verification import verify
from tests.offline_queue.devices import Device, findings_in, in_memory

ALL = os.environ.get("TAPTILL_BYTES") == "all"
SAMPLE = 1500
SEED = int(os.environ.get("TAPTILL_SEED", random.SystemRandom().randrange(2**32)))
HEADER_BYTES = 100


def test_every_column_of_every_row_is_covered(device: Device) -> None:
    content = device.path.read_bytes()
    connection = in_memory(content)
    names = [
        name
        for (name,) in rows(
            connection,
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
    ]
    columns = {
        name: rows(connection, "SELECT name, type FROM pragma_table_info(?)", (name,))
        for name in names
    }
    filled = {name: one(connection, f"SELECT count(*) FROM {name}") for name in names}
    tried = 0
    for name in names:
        for column, kind in columns[name]:
            for row in sorted({0, filled[name] - 1} & set(range(filled[name]))):
                change = {
                    "INTEGER": f"coalesce({column}, 0) + 1000",
                    "TEXT": f"coalesce({column}, '') || 'x'",
                    "BLOB": f"coalesce({column}, x'') || x'00'",
                }[kind]
                copy = in_memory(content)
                try:
                    _change(copy, name, column, change, row)
                except apsw.ConstraintError:
                    continue  # The schema itself does not let this value in.
                found = findings_in(copy, device.keystore)
                assert found, f"{name}.{column} of row {row}"
                tried += 1
    assert tried > 100
    assert findings_in(connection, device.keystore) == []


def _change(connection: apsw.Connection, table: str, column: str, change: str, row: int) -> None:
    connection.pragma("ignore_check_constraints", 1)
    triggers = rows(connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    keys = [
        key
        for (key,) in rows(
            connection, "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,)
        )
    ]
    (picked,) = rows(
        connection,
        f"SELECT {', '.join(keys)} FROM {table} ORDER BY {', '.join(keys)} LIMIT 1 OFFSET {row}",
    )
    where = " AND ".join(f"{key} = ?" for key in keys)
    connection.execute(f"UPDATE {table} SET {column} = {change} WHERE {where}", picked)
    assert connection.changes() == 1
    for _, sql in triggers:
        connection.execute(sql)


# -- bytes ---------------------------------------------------------------------------------------


def ways_to_read(connection: apsw.Connection) -> list[str]:
    """Questions that together read every table, and every index without its table."""
    # The number of a message is that of its event: nothing goes by SQLite's note of the last one.
    tables = rows(
        connection,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence'"
        " ORDER BY name",
    )
    asked = [f"SELECT * FROM {name}" for (name,) in tables]
    indexes = rows(
        connection,
        "SELECT name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE type = 'index'",
    )
    for name, table, sql in indexes:
        columns = [
            column
            for (column,) in rows(connection, "SELECT name FROM pragma_index_info(?)", (name,))
            if column is not None
        ]
        _, where, condition = sql.partition(" WHERE ")
        listed = ", ".join(columns) or "1"
        asked.append(
            f"SELECT {listed} FROM {table} INDEXED BY {name}{where}{condition} ORDER BY {listed}"
        )
    return asked


def read(connection: apsw.Connection, asked: list[str]) -> list[list[object]] | None:
    """What the file says, or None where SQLite cannot read it."""
    try:
        return [rows(connection, question) for question in asked]
    except (apsw.Error, UnicodeDecodeError):
        return None


@pytest.mark.slow
def test_a_changed_byte_is_found_or_changes_no_row(device: Device) -> None:
    """One bit of a byte is turned over, in memory; SQLite's header is tried on the disk."""
    sys.stdout.write(f"TAPTILL_SEED={SEED}\n")
    content = device.path.read_bytes()
    sound = in_memory(content)
    asked = ways_to_read(sound)
    truth = read(sound, asked)
    assert truth is not None
    chance = random.Random(SEED)
    places = list(range(HEADER_BYTES, len(content)))
    if not ALL:
        places = sorted(chance.sample(places, SAMPLE))
    found = refused = 0
    for number, place in enumerate(places):
        bit = 1 << chance.randrange(8)
        copy = in_memory(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
        says = read(copy, asked)
        if says is None:
            # SQLite refuses to read it, and says so itself whoever asks.
            refused += 1
        elif says != truth:
            found += 1
            assert findings_in(copy, device.keystore), f"byte {place}, bit {bit}"
        copy.close()
        if number % 20_000 == 19_999:
            sys.stdout.write(f"{number + 1} of {len(places)} bytes: {found} found\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{len(places)} bytes of {len(content)}: {found} changes, all found; {refused} unreadable\n"
    )
    assert found + refused > len(places) // 50


def test_a_row_that_an_index_alone_knows_is_a_finding(device: Device) -> None:
    """As a damaged page leaves it: what waits is found by its state, and is not there."""
    content = device.path.read_bytes()
    connection = in_memory(content)
    connection.pragma("writable_schema", 1)
    index = rows(connection, "SELECT * FROM sqlite_schema WHERE name = 'txn_by_state'")
    connection.execute("DELETE FROM sqlite_schema WHERE name = 'txn_by_state'")
    without = in_memory(connection.serialize("main"))
    without.execute("UPDATE txn SET rowid = rowid + 1000 WHERE state = 'stored'")
    without.pragma("writable_schema", 1)
    without.execute("INSERT INTO sqlite_schema VALUES (?, ?, ?, ?, ?)", index[0])
    damaged = in_memory(without.serialize("main"))
    assert any("is missing" in finding for finding in findings_in(damaged, device.keystore))


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_changed_byte_of_the_header_is_found_or_changes_no_row(device: Device, bit: int) -> None:
    content = device.path.read_bytes()
    asked = ways_to_read(in_memory(content))
    truth = read(in_memory(content), asked)
    copy = device.path.with_name("copy.db")
    for place in range(HEADER_BYTES if ALL else 32):
        changed = bytes([content[place] ^ 1 << bit])
        copy.write_bytes(content[:place] + changed + content[place + 1 :])
        if not verify(copy, device.keystore):
            connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
            assert read(connection, asked) == truth, f"byte {place}"
            connection.close()
