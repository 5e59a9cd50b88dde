"""A forwarder in a process of its own, for the test with two on one ledger.

``LEDGER_FOLDER ACQUIRER_FOLDER LEASE_S LOCK``: with ``LOCK`` = ``off`` the lock that keeps a second
process out is left away, so that nothing but leases and fences stands between the two. It says
``OPEN`` and begins when it is told a line.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from offline_queue import ownership
from offline_queue.outbox import Outbox
from offline_queue.sync import Sync, Timing
from terminal.errors import StoreBusy, StoreError
from ui.wiring import assembled, load_settings, wire_of

RUN_S = 60.0


def _unlocked(path: Path) -> int:
    return os.open(path.with_name(path.name + ".none"), os.O_RDWR | os.O_CREAT, 0o600)


def main() -> int:
    folder, acquirer, lease_s, lock = sys.argv[1:]
    if lock == "off":
        ownership.own = _unlocked
    settings = load_settings(data_dir=Path(folder), acquirer=f"sim:?dir={acquirer}")
    try:
        with assembled(settings) as parts:
            print("OPEN", flush=True)  # noqa: T201 - the test waits for it
            sys.stdin.readline()
            timing = Timing(lease_s=float(lease_s), answer_timeout_s=5.0, window=4)
            line = Sync(
                parts.journal,
                parts.acquirer.link,
                wire_of(parts),
                parts.clock,
                parts.entropy,
                notify=lambda news: None,
                timing=timing,
            )
            outbox = Outbox(parts.journal.store)
            deadline = time.monotonic() + RUN_S
            while outbox.waiting().count and time.monotonic() < deadline:
                try:
                    outbox.make_due()
                    line.run_once()
                except StoreError:
                    # The other one writes at this moment.
                    time.sleep(0.01)
            line.close()
    except StoreBusy:
        print("BUSY", flush=True)  # noqa: T201 - the test reads it
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
