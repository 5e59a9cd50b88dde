"""Schemas, old and new: every sale survives an update, or the old file does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from offline_queue.integrity import Protection
from offline_queue.macs import FIRST_EPOCH, PROTECTED_SINCE, UNKEYED, Keys
from offline_queue.outbox import Outbox
from offline_queue.reports import Reports
from offline_queue.schema import MIGRATIONS, Migration
from offline_queue.sql import one, rows
from offline_queue.store import Store, messages_in
from terminal.errors import StoreError, StoreTooNew, StoreTooOld
from terminal.ledger import Kind, Outgoing
from terminal.ports import KeyStore
from terminal.transaction import FateUnknown, HostApproved, RiskRefused, SetAside, State
from tests.offline_queue.sales import CARD, START, CountingEntropy, Till, reversal_of


def raw(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


def test_a_ledger_of_a_newer_taptill_is_left_as_it_is(till: Till) -> None:
    till.store_sale()
    till.store.close()
    connection = raw(till.path)
    connection.pragma("user_version", 99)
    connection.close()
    before = till.path.read_bytes()
    openings: list[Callable[[], Store]] = [
        lambda: Store.open(till.path, at=START),
        lambda: Store.read_only(till.path),
    ]
    for opening in openings:
        with pytest.raises(StoreTooNew) as caught:
            opening()
        assert "version 99" in caught.value.message
        assert f"up to {MIGRATIONS[-1].version}" in caught.value.message
        assert "newer Taptill" in caught.value.remedy
    assert till.path.read_bytes() == before


NEWEST = MIGRATIONS[-1].version
SECOND = Migration(
    NEWEST + 1, "a note", ("ALTER TABLE txn ADD COLUMN mark TEXT NOT NULL DEFAULT ''",)
)
BROKEN = Migration(
    NEWEST + 2, "broken", ("CREATE TABLE extra (x INTEGER) STRICT", "SELECT no_such()")
)
HARMFUL = Migration(NEWEST + 2, "harmful", ("UPDATE txn SET amount_minor = amount_minor + 1",))


def test_a_migration_keeps_every_sale_and_removes_the_copy_when_all_is_well(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
        with store.read() as connection:
            assert connection.pragma("user_version") == NEWEST + 1
            assert rows(connection, "SELECT version, name FROM migration") == [
                *((step.version, step.name) for step in MIGRATIONS),
                (NEWEST + 1, "a note"),
            ]
            assert one(connection, "SELECT mark FROM txn") == ""
    assert sorted(path.name for path in till.path.parent.iterdir()) == [
        "ledger.db",
        "ledger.db.lock",
    ]
    with pytest.raises(StoreTooNew):
        Store.open(till.path, at=START)


BILLS = 12
"""The version with a table for bills."""

FIELDS_SINCE: dict[int, set[str]] = {
    3: {"par_fingerprint"},
    5: {"card_approved", "note", "limit"},
    8: {"terms", "transmitted_at", "taps", "language"},
    9: {"previous_fingerprint", "previous_par_fingerprint"},
}
"""The fields of events that a version brought: an older Taptill wrote none of them."""


def full_queue(till: Till) -> dict[str, State]:
    """A sale in every state that waits for something, and two that have their end."""
    till.store_sale(minor=700)
    approved, asked = till.ask()
    done = HostApproved(till.clock.now(), "00", "A1B2C3", 1250)
    till.journal.commit(approved.txn_id, done, done=asked)
    unknown, request = till.ask(minor=900)
    reversal = Outgoing(Kind.REVERSAL, reversal_of(request.message))
    doubt = FateUnknown(till.clock.now(), "no answer")
    till.journal.commit(unknown.txn_id, doubt, done=request, queue=reversal)
    aside, _ = till.store_sale(minor=4200)
    till.journal.commit(aside.txn_id, SetAside(till.clock.now(), "30", "format error"))
    till.ask(minor=100)
    till.intend(minor=300)
    refused = till.intend(minor=9900)
    till.journal.commit(refused.txn_id, RiskRefused(till.clock.now(), "over the limit", CARD))
    return {sale.txn_id: sale.state for sale in Reports(till.store).transactions()}


def as_written_by(version: int, newest: Path, older: Path, keystore: KeyStore = UNKEYED) -> None:
    """The same ledger as a Taptill of this schema version would have left it."""
    Store.open(older, at=START, migrations=MIGRATIONS[:version], keystore=keystore).close()
    later = {name for since, names in FIELDS_SINCE.items() if since > version for name in names}
    connection = raw(older)
    connection.execute("ATTACH ? AS newest", (str(newest),))
    # What has no column yet was not in the events either.
    columns = [
        {str(row[1]) for row in connection.execute(f"PRAGMA {schema}.table_info(txn)")}
        for schema in ("newest", "main")
    ]
    later |= columns[0] - columns[1]
    # Rows of the sale come before what refers to them.
    first = ("numbers", "batch", "txn", "event", "outbox")
    made = rows(
        connection,
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT IN ('migration', 'high_water') ORDER BY name",
    )
    for table in (*first, *(name for (name,) in made if name not in first)):
        known = [str(row[1]) for row in connection.execute(f"PRAGMA main.table_info({table})")]
        names = ", ".join(known)
        if table == "numbers":
            connection.execute("DELETE FROM numbers")
        # Nothing was said of bills before there was a table for them.
        unsaid = ""
        if table == "day_event" and version < BILLS:
            unsaid = " WHERE type NOT LIKE 'Bill%'"
        connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM newest.{table}{unsaid}"
        )
    connection.execute("DROP TRIGGER event_is_fixed")
    for number, payload in rows(connection, "SELECT seq, payload FROM event"):
        values = json.loads(payload, object_hook=lambda read: _without(read, later))
        text = json.dumps(values, ensure_ascii=False)
        connection.execute("UPDATE event SET payload = ? WHERE seq = ?", (text, number))
    # The trigger is made again as the migration made it.
    triggers = [s for step in MIGRATIONS[:version] for s in step.statements]
    connection.execute([s for s in triggers if "CREATE TRIGGER event_is_fixed" in s][-1])
    if version >= PROTECTED_SINCE:
        with connection:
            Protection(Keys.of(keystore, FIRST_EPOCH)).adopt(connection)
    connection.close()


def _without(values: dict[str, object], names: set[str]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in names}


@pytest.mark.parametrize("version", [step.version for step in MIGRATIONS[:-1]])
def test_every_older_ledger_with_a_full_queue_is_brought_up_to_date(
    till: Till, tmp_path: Path, version: int
) -> None:
    states = full_queue(till)
    pending = Reports(till.store).pending()
    waiting = Outbox(till.store).count()
    till.store.close()
    older = tmp_path / "old" / "ledger.db"
    older.parent.mkdir()
    as_written_by(version, till.path, older)
    # Before the update, too, it can be said that money waits.
    assert messages_in(older) == waiting
    with pytest.raises(StoreTooOld, match="older Taptill"):
        Store.read_only(older)
    again = Till(older, entropy=CountingEntropy(1000), prefix="new-")
    try:
        assert again.store.verify() == len(states)
        found = {sale.txn_id: sale.state for sale in Reports(again.store).transactions()}
        assert found == states
        assert Reports(again.store).pending() == pending
        assert Outbox(again.store).count() == waiting
        again.store_sale()
        assert again.store.verify() == len(states) + 1
    finally:
        again.journal.close()
    assert [path.name for path in older.parent.glob("*.kept")] == []


def test_a_migration_that_breaks_off_leaves_the_ledger_and_its_copy(till: Till) -> None:
    till.store_sale()
    till.store.close()
    with pytest.raises(AssertionError, match="no_such"):
        Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND, BROKEN))
    connection = raw(till.path)
    assert connection.pragma("user_version") == NEWEST + 1
    assert one(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == 0
    connection.close()
    assert (till.path.parent / f"ledger.db.v{NEWEST}.kept").exists()
    with Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND)) as store:
        assert store.verify() == 1
    assert not (till.path.parent / f"ledger.db.v{NEWEST}.kept").exists()


def test_a_migration_that_changes_a_sale_is_caught_and_the_old_file_is_kept(till: Till) -> None:
    sale, _ = till.store_sale()
    till.store.close()
    kept = till.path.parent / f"ledger.db.v{NEWEST}.kept"
    for _ in range(2):
        with pytest.raises(StoreError, match="contradicts itself") as caught:
            Store.open(till.path, at=START, migrations=(*MIGRATIONS, SECOND, HARMFUL))
        assert str(kept) in caught.value.remedy
    shutil.copy(kept, till.path)
    till.reopen()
    assert till.journal.transaction(sale.txn_id) == sale
    assert till.store.verify() == 1


def test_a_ledger_of_an_older_taptill_cannot_be_read_before_the_till_has_run(till: Till) -> None:
    till.store.close()
    with pytest.raises(StoreError, match="older Taptill"):
        Store.read_only(till.path, migrations=(*MIGRATIONS, SECOND))
