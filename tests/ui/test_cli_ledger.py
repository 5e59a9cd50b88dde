"""A ledger in trouble, at the real command line: named with its remedy, and no sale is lost.

Every command is a process of its own on a real disk. Each test begins with a sale that is
recorded, and ends by proving that the ledger still holds it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import apsw
import pytest

from drivers.registry import AcquirerSettings
from hardware_sim.acquirer import open_acquirer
from hardware_sim.acquirer_control import AcquirerControl
from hardware_sim.acquirer_ledger import CaptureState
from offline_queue.reports import Reports
from offline_queue.store import RESERVE_BYTES, Store
from terminal.transaction import State
from tests.conftest import ROOT

NOBODY = 65534


@dataclass
class Shell:
    """The command line of one till, in processes of its own."""

    data: Path
    acquirer: Path
    prefix: tuple[str, ...] = ()

    def run(
        self, *arguments: str, before: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, sys.executable, "-P", "-m", "ui", *arguments],
            cwd=ROOT,
            env={**os.environ, "TAPTILL_DATA": str(self.data), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            preexec_fn=before,
        )

    def sell(self, amount: str = "12.50", **options: Callable[[], None]) -> dict[str, object]:
        done = self.sale(amount, **options)
        assert done.returncode == 0, done.stderr
        sale: dict[str, object] = json.loads(done.stdout)
        return sale

    def sale(
        self, amount: str = "12.50", **options: Callable[[], None]
    ) -> subprocess.CompletedProcess[str]:
        where = f"sim:?dir={self.acquirer}"
        given = ("--acquirer", where, "--reader", "sim:visa-credit", "--json")
        return self.run("sell", amount, *given, before=options.get("before"))

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.db"

    def states(self) -> dict[str, State]:
        """Every sale of the ledger and its state; the ledger is proven whole."""
        with Store.open(self.ledger, at=datetime.now(UTC)) as store:
            store.verify()
            return {sale.txn_id: sale.state for sale in Reports(store).transactions(limit=1000)}


@pytest.fixture
def acquirer(tmp_path: Path) -> Iterator[Path]:
    """The folder of an acquirer that runs outside the trouble that a test makes."""
    folder = tmp_path / "acquirer"
    settings = AcquirerSettings("TAPTILL1", "TAPTILLDEMO0001", tmp_path)
    held = open_acquirer(f"sim:?dir={folder}", settings)
    yield folder
    held.close()


@pytest.fixture
def shell(tmp_path: Path, acquirer: Path) -> Shell:
    return Shell(tmp_path / "till", acquirer)


def assert_refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    said = " ".join(done.stderr.split())
    assert "What to do:" in said
    for word in words:
        assert word in said


# -- the file itself -----------------------------------------------------------------------------


def _newer(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.pragma("user_version", 9999)
    connection.close()


def _no_database(ledger: Path) -> None:
    ledger.write_bytes(b"Dear diary, today nobody paid. " * 400)


def _another_program(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.pragma("application_id", 77)
    connection.close()


def _truncated(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:6000])


def _changed(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.execute("UPDATE txn SET amount_minor = 1")
    connection.close()


FILES: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "newer schema": (_newer, ("newer",)),
    "no database": (_no_database, ("ledger.db",)),
    "of another program": (_another_program, ("ledger.db",)),
    "truncated": (_truncated, ("ledger.db",)),
}


@pytest.mark.parametrize("case", FILES)
def test_a_ledger_that_cannot_be_used_is_left_as_it_is(shell: Shell, case: str) -> None:
    damage, words = FILES[case]
    sold = shell.sell()
    kept = shell.ledger.read_bytes()
    damage(shell.ledger)
    damaged = shell.ledger.read_bytes()
    for done in (shell.sale(), shell.run("sync"), shell.run("queue"), shell.run("report", "x")):
        assert_refused(done, str(shell.ledger), *words)
    checked = shell.run("doctor", "--json", "--reader", "sim:visa-credit")
    assert checked.returncode == 1
    findings = {row["thing"]: row for row in json.loads(checked.stdout)["checks"]}
    assert findings["ledger"]["health"] == "failed"
    assert findings["ledger"]["remedy"]
    assert shell.ledger.read_bytes() == damaged
    shell.ledger.write_bytes(kept)
    assert shell.states() == {sold["transaction"]: State.APPROVED}


def test_an_edited_sale_is_found_by_the_doctor(shell: Shell) -> None:
    shell.sell()
    _changed(shell.ledger)
    checked = shell.run("doctor", "--json", "--reader", "sim:visa-credit")
    findings = {row["thing"]: row for row in json.loads(checked.stdout)["checks"]}
    assert (checked.returncode, findings["ledger"]["health"]) == (1, "failed")


def test_a_ledger_that_another_process_has_open(shell: Shell) -> None:
    sold = shell.sell()
    with Store.open(shell.ledger, at=datetime.now(UTC)):
        for done in (shell.sale(), shell.run("sync"), shell.run("report", "z")):
            assert_refused(done, str(shell.ledger), f"process id {os.getpid()}")
        # Reading goes on beside it.
        assert json.loads(shell.run("queue", "--json").stdout)["pending"] == 0
        assert json.loads(shell.run("report", "x", "--json").stdout)["approved"] == "12.50"
    assert shell.states() == {sold["transaction"]: State.APPROVED}


@pytest.mark.parametrize("command", [("queue",), ("sync",), ("report", "x"), ("report", "z")])
def test_a_ledger_that_does_not_exist_is_not_made(shell: Shell, command: tuple[str, ...]) -> None:
    assert_refused(shell.run(*command), f"There is no ledger at {shell.ledger}.")
    assert not shell.data.exists()


# -- permissions ---------------------------------------------------------------------------------


@contextmanager
def _read_only(path: Path) -> Iterator[None]:
    """Nobody can write at ``path`` meanwhile, not even root."""
    if os.geteuid() != 0:
        mode = path.stat().st_mode
        path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            path.chmod(mode)
        return
    bind = ["mount", "--bind", str(path), str(path)]
    if subprocess.run(bind, check=False, capture_output=True).returncode != 0:
        pytest.skip("root may not mount here")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_folder_that_is_read_only(shell: Shell) -> None:
    sold = shell.sell()
    with _read_only(shell.data):
        for done in (shell.sale(), shell.run("report", "z")):
            assert_refused(done, str(shell.data))
    assert shell.states() == {sold["transaction"]: State.APPROVED}


def test_a_ledger_that_is_read_only(shell: Shell) -> None:
    sold = shell.sell()
    with _read_only(shell.ledger):
        assert_refused(shell.sale(), f"The ledger {shell.ledger} is read-only.", "till's user")
    assert shell.states() == {sold["transaction"]: State.APPROVED}


def test_a_data_folder_that_cannot_be_made(shell: Shell, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    inside = Shell(closed / "till", shell.acquirer)
    with _read_only(closed):
        assert_refused(inside.sale(), f"{closed / 'till'} cannot be made", "--data")


def test_a_folder_of_another_user(shell: Shell, tmp_path: Path) -> None:
    """What a till says that was started as root once, and as its own user from then on."""
    sold = shell.sell()
    mode = shell.data.stat().st_mode
    if os.geteuid() == 0:
        shell.prefix = ("setpriv", f"--reuid={NOBODY}", "--clear-groups")
        if shell.run("--version").returncode != 0:
            pytest.skip("this checkout, or its Python, lies where no other user can read it")
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        shell.data.chmod(0o700)
    else:
        shell.data.chmod(0o000)
    try:
        commands = (("sell", "1"), ("sync",), ("queue",), ("report", "x"), ("report", "z"))
        for command in commands:
            assert_refused(shell.run(*command), str(shell.data))
        checked = shell.run("doctor", "--json", "--reader", "sim:visa-credit")
        assert "Traceback" not in checked.stderr
        findings = {row["thing"]: row for row in json.loads(checked.stdout)["checks"]}
        assert {findings[thing]["health"] for thing in ("ledger", "keys")} == {"failed"}
    finally:
        shell.data.chmod(mode)
    assert shell.states() == {sold["transaction"]: State.APPROVED}


# -- the disk ------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={3 * RESERVE_BYTES}"
    mount = ["mount", "-t", "tmpfs", "-o", size, "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(disk: Path, leave: int) -> Path:
    status = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - leave)))
    return filler


def test_a_full_disk_refuses_before_a_card_is_read(small_disk: Path, acquirer: Path) -> None:
    shell = Shell(small_disk / "till", acquirer)
    first = shell.sell()
    filler = _fill(small_disk, leave=RESERVE_BYTES // 2)
    done = shell.sale()
    assert_refused(done, str(shell.ledger), "KiB left", "no card was read")
    assert "Read." not in done.stderr
    assert json.loads(shell.run("queue", "--json").stdout)["pending"] == 0
    filler.unlink()
    second = shell.sell()
    assert shell.states() == dict.fromkeys(
        (first["transaction"], second["transaction"]), State.APPROVED
    )


@pytest.mark.parametrize("left", [0, 8192, 65536])
def test_a_disk_that_is_full_to_the_last_bytes(small_disk: Path, acquirer: Path, left: int) -> None:
    shell = Shell(small_disk / "till", acquirer)
    sold = shell.sell()
    filler = _fill(small_disk, leave=left)
    assert_refused(shell.sale(), str(small_disk), "Free some space")
    filler.unlink()
    assert shell.states() == {sold["transaction"]: State.APPROVED}


def test_a_till_that_begins_on_a_full_disk(small_disk: Path, acquirer: Path) -> None:
    shell = Shell(small_disk / "till", acquirer)
    filler = _fill(small_disk, leave=0)
    assert_refused(shell.sale(), str(small_disk))
    filler.unlink()
    sold = shell.sell()
    assert shell.states() == {sold["transaction"]: State.APPROVED}


def _limit(size: int) -> Callable[[], None]:
    """Without root there is no small disk; a limit on the size of files comes close."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_file_that_may_not_grow(shell: Shell) -> None:
    """Whatever the ledger cannot take any more, the end that is told is the one it holds."""
    sold = {str(shell.sell()["transaction"])}
    ends = []
    for limit in (4096, 32_768, 49_152, 90_112, 110_592, 131_072, 2**24):
        done = shell.sale(before=_limit(limit))
        assert "Traceback" not in done.stderr
        ends.append(done.returncode)
        if done.returncode == 0:
            sold.add(json.loads(done.stdout)["transaction"])
        else:
            assert str(shell.ledger) in done.stderr
            known = "not known whether money was taken" not in done.stderr
            assert done.returncode == (1 if known else 5)
    assert {ends[0], ends[-1]} == {1, 0}
    states = shell.states()
    assert {txn_id for txn_id, state in states.items() if state is State.APPROVED} == sold


def test_an_answer_that_cannot_be_recorded_is_reversed(shell: Shell) -> None:
    sold = str(shell.sell()["transaction"])
    lost = next(
        done
        for limit in range(90_112, 200_000, 8192)
        if (done := shell.sale(before=_limit(limit))).returncode != 1
    )
    assert lost.returncode == 5
    assert "It is not known whether money was taken" in lost.stderr
    assert "Asking the bank" in lost.stderr
    assert shell.run("sync", "--acquirer", f"sim:?dir={shell.acquirer}").returncode == 0
    states = shell.states()
    assert states.pop(sold) is State.APPROVED
    assert State.REVERSED in states.values()
    assert State.APPROVED not in states.values()
    booked = [capture.state for capture in AcquirerControl(shell.acquirer).captures()]
    assert booked == [CaptureState.CAPTURED, CaptureState.REVERSED]
