"""``taptill sell`` that is cut off, or fails where nobody foresaw it: its end stands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drivers.registry import AcquirerSettings
from drivers.tls_host import TlsHost
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import CaptureState
from offline_queue.journal import SqlJournal
from offline_queue.reports import Reports
from offline_queue.store import Store
from terminal.errors import StoreFull
from terminal.transaction import State
from tests.conftest import ROOT
from ui.cli import main


@pytest.fixture
def acquirer(tmp_path: Path) -> Iterator[AcquirerControl]:
    folder = tmp_path / "acquirer"
    settings = AcquirerSettings("TAPTILL1", "TAPTILLDEMO0001", tmp_path)
    held = open_acquirer(f"sim:?dir={folder}", settings)
    yield AcquirerControl(folder)
    held.close()


def command(acquirer: AcquirerControl, reader: str = "sim:visa-credit") -> tuple[str, ...]:
    given = ("--data", str(acquirer.folder.parent / "till"), "--reader", reader)
    return ("sell", "12.50", *given, "--acquirer", f"sim:?dir={acquirer.folder}", "--json")


def in_process(acquirer: AcquirerControl) -> Result:
    return CliRunner().invoke(main, command(acquirer), prog_name="taptill")


def process(
    acquirer: AcquirerControl,
    reader: str = "sim:visa-credit",
    stderr: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "ui", *command(acquirer, reader)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
    )


def recorded(acquirer: AcquirerControl) -> list[State]:
    with Store.read_only(acquirer.folder.parent / "till" / "ledger.db") as store:
        store.verify()
        return [sale.state for sale in Reports(store).transactions()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_a_card_is_waited_for_cancels(
    acquirer: AcquirerControl, number: signal.Signals
) -> None:
    selling = process(acquirer, "sim:visa-credit?times=0")
    assert selling.stderr is not None
    assert b"hold card" in selling.stderr.readline()
    selling.send_signal(number)
    said, _ = selling.communicate(timeout=60)
    assert selling.returncode == 4
    assert json.loads(said)["state"] == "cancelled"
    assert recorded(acquirer) == [State.CANCELLED]


def test_a_signal_after_the_end_was_said_changes_nothing(
    acquirer: AcquirerControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = SqlJournal.close

    def impatient(journal: SqlJournal) -> None:
        signal.raise_signal(signal.SIGINT)
        close(journal)

    monkeypatch.setattr(SqlJournal, "close", impatient)
    done = in_process(acquirer)
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (0, "approved")


def test_a_till_that_waits_for_a_card_leaves_no_core_file(acquirer: AcquirerControl) -> None:
    selling = process(acquirer, "sim:visa-credit?times=0")
    assert selling.stderr is not None
    assert b"hold card" in selling.stderr.readline()
    limits = Path(f"/proc/{selling.pid}/limits").read_text().splitlines()
    [core] = [line.split() for line in limits if line.startswith("Max core file size")]
    selling.send_signal(signal.SIGINT)
    selling.communicate(timeout=60)
    assert core[4:6] == ["0", "0"]


def test_a_terminal_that_is_closed_ends_the_till(acquirer: AcquirerControl) -> None:
    """As Ctrl-C does, and not in the middle of a payment."""
    data = ("--data", str(acquirer.folder.parent / "till"))
    arguments = ("run", "--console", *data, "--acquirer", f"sim:?dir={acquirer.folder}")
    till = subprocess.Popen(
        [sys.executable, "-P", "-m", "ui", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert till.stdout is not None
    while b"q to leave" not in till.stdout.read1():  # type: ignore[attr-defined] # it is buffered
        pass
    till.send_signal(signal.SIGHUP)
    said, _ = till.communicate(timeout=60)
    assert till.returncode == 0, said
    assert b"Traceback" not in said


def test_a_reader_of_the_prompts_that_is_gone_does_not_stop_a_sale(
    acquirer: AcquirerControl,
) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    selling = process(acquirer, stderr=writes)
    os.close(writes)
    said, _ = selling.communicate(timeout=60)
    assert (selling.returncode, json.loads(said)["state"]) == (0, "approved")


@pytest.mark.parametrize("failure", [OSError("out of descriptors"), AssertionError("our fault")])
def test_what_nobody_foresaw_once_the_sale_was_sent_is_undone(
    acquirer: AcquirerControl, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    exchange = TlsHost.exchange

    def fails_after_a_sale(self: TlsHost, request: bytes, **options: object) -> bytes:
        answer = exchange(self, request, **options)  # type: ignore[arg-type] # handed on as it came
        if request.startswith(b"0200"):
            raise failure
        return answer

    monkeypatch.setattr(TlsHost, "exchange", fails_after_a_sale)
    done = in_process(acquirer)
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (3, "reversed")
    assert str(failure) in done.stderr
    assert recorded(acquirer) == [State.REVERSED]
    assert [capture.state for capture in acquirer.captures()] == [CaptureState.REVERSED]


def test_a_disk_that_fails_while_tidying_up_does_not_unsay_an_approval(
    acquirer: AcquirerControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that is told of a failure would take the money a second time."""

    def full(_: SqlJournal) -> bool:
        raise StoreFull("The disk is full.", remedy="Free some space.")

    monkeypatch.setattr(SqlJournal, "housekeeping", full)
    done = in_process(acquirer)
    assert (done.exit_code, json.loads(done.stdout)["state"]) == (0, "approved")
    assert "The disk is full." in done.stderr
    assert recorded(acquirer) == [State.APPROVED]
