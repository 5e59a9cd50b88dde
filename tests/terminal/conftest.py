"""A desk for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest

from drivers.clock import SystemEntropy
from drivers.keystore import FileKeyStore
from offline_queue.journal import open_journal
from terminal.checkout import Rules
from terminal.emv.settings import default_settings
from terminal.iso8583.messages import reversal_of
from terminal.iso8583.profiles import BASE87
from terminal.risk import OfflineLimits
from tests.terminal.desk import EUR, Clock, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    path = tmp_path / "ledger.db"
    journal, _ = open_journal(path, clock, SystemEntropy(), lambda sent: reversal_of(BASE87, sent))
    rules = Rules(
        terminal_id="T0000001",
        merchant_id="SHOP00000000001",
        profile=BASE87,
        emv=default_settings(724, EUR),
        zone=UTC,
        offline=OfflineLimits(),
    )
    yield Desk(journal, FileKeyStore(tmp_path / "device.key"), clock, rules)
    journal.store.verify()
    journal.close()
