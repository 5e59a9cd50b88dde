"""Two forwarder processes on one ledger give one capture of each sale.

First as it is: the second process is kept out by the ledger's lock. Then with that lock left
away, so that only the leases and fences in the database are between them, and a lease so short
that it runs out while answers are awaited. (Nobody runs it like that: a ledger with two writers
would also be found changed, by its MACs, at the next start.)
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import CaptureState
from offline_queue.reports import Reports
from offline_queue.store import Store
from terminal.checkout import Ports, pay
from terminal.money import Amount
from terminal.risk import OfflineLimits
from terminal.transaction import State
from tests.conftest import ROOT
from tests.sale.host_process import running_acquirer
from ui.wiring import assembled, load_settings

SALES = 40
FIRST_LEASE_S = 0.1


def fill(folder: Path, acquirer: AcquirerControl) -> None:
    """A ledger with stored sales."""
    settings = load_settings(
        data_dir=folder, reader="sim:visa-credit?card_ms=0", acquirer=f"sim:?dir={acquirer.folder}"
    )
    with assembled(settings) as parts, closing(parts.open_reader()) as reader:
        many = OfflineLimits(total_minor=10**9, count=1000, card_total_minor=10**9, card_count=1000)
        rules = replace(parts.rules, offline=many)
        with closing(parts.acquirer.link()) as link:
            ports = Ports(
                reader=reader,
                host=link,
                journal=parts.journal,
                sealer=parts.acquirer.sealer,
                keystore=parts.keystore,
                clock=parts.clock,
                entropy=parts.entropy,
                show=lambda progress: None,
                cancelled=lambda: False,
                host_online=lambda: False,
            )
            for number in range(SALES):
                amount = Amount(1000 + number * 100, parts.settings.config.till.currency)
                assert pay(ports, rules, amount).state is State.STORED


def start(
    folder: Path, acquirer: AcquirerControl, lease_s: str, lock: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.sale.two_forwarders", str(folder)),
            *(str(acquirer.folder), lease_s, lock),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def judge(folder: Path, acquirer: AcquirerControl) -> Counter[str]:
    """Each sale has one capture and is approved; how many copies of it arrived."""
    captures = Counter(capture.rrn for capture in acquirer.captures(CaptureState.CAPTURED))
    assert len(captures) == SALES
    assert set(captures.values()) == {1}
    with Store.read_only(folder / "ledger.db") as store:
        assert store.verify() == SALES
        sales = Reports(store).transactions(limit=1000)
    assert {sale.state for sale in sales} == {State.APPROVED}
    assert all(sale.approval_code for sale in sales)
    return copies_at(acquirer)


def copies_at(acquirer: AcquirerControl) -> Counter[str]:
    """How many copies of each sale have arrived."""
    return Counter(entry.rrn for entry in acquirer.ledger() if entry.mti[:3] == "022")


def leased(folder: Path) -> int:
    """How many messages a forwarder has claimed at this moment."""
    with Store.read_only(folder / "ledger.db") as store, store.read() as connection:
        found = connection.execute("SELECT count(*) FROM outbox WHERE claimed_by != ''")
        return int(str(next(iter(found))[0]))


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def wait_until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline, "the two never met"
        time.sleep(0.02)


@pytest.mark.slow
def test_the_second_process_is_kept_out(tmp_path: Path) -> None:
    with running_acquirer(tmp_path / "acquirer") as acquirer:
        fill(tmp_path / "till", acquirer)
        acquirer.set(latency_ms=100)
        first = start(tmp_path / "till", acquirer, "120", "on")
        assert first.stdout is not None
        assert first.stdout.readline() == "OPEN\n"
        second = start(tmp_path / "till", acquirer, "120", "on")
        said, _ = second.communicate("\n", timeout=60)
        assert (said, second.returncode) == ("BUSY\n", 3)
        _, errors = first.communicate("\n", timeout=120)
        assert first.returncode == 0, errors
        assert set(judge(tmp_path / "till", acquirer).values()) == {1}


@pytest.mark.slow
def test_leases_and_fences_alone_give_one_capture(tmp_path: Path) -> None:
    with running_acquirer(tmp_path / "acquirer") as acquirer:
        fill(tmp_path / "till", acquirer)
        # Longer than the first one's lease: the second claims what that one still waits for.
        acquirer.set(latency_ms=4000)
        both = [
            start(tmp_path / "till", acquirer, lease_s, "off")
            for lease_s in (str(FIRST_LEASE_S), "60")
        ]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == "OPEN\n"
        begin(both[0])
        wait_until(lambda: leased(tmp_path / "till") > 0)
        time.sleep(FIRST_LEASE_S)
        begin(both[1])
        wait_until(lambda: max(copies_at(acquirer).values(), default=0) > 1)
        acquirer.set(latency_ms=100)
        for process in both:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
        copies = judge(tmp_path / "till", acquirer)
    # The two did get in each other's way, or this has proven nothing.
    assert max(copies.values()) > 1
