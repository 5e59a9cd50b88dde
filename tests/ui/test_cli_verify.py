"""``taptill verify``, and what the command line says of a ledger that was changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from tests.conftest import ROOT


def taptill(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui", *arguments, "--data", str(data)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def sold(tmp_path: Path) -> Path:
    done = taptill(tmp_path, "sell", "12.50", "--reader", "sim:visa-credit")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_a_changed_ledger_is_told_and_takes_no_sale(sold: Path) -> None:
    assert json.loads(taptill(sold, "verify", "--json").stdout)["sound"] is True
    done = taptill(sold, "verify")
    assert (done.returncode, "as this till left it" in done.stdout) == (0, True)
    connection = apsw.Connection(str(sold / "ledger.db"))
    connection.execute("UPDATE txn SET approved_minor = 1")
    connection.close()
    done = taptill(sold, "verify")
    assert done.returncode == 1
    assert "a row was changed" in done.stdout
    (found, *_) = json.loads(taptill(sold, "verify", "--json").stdout)["findings"]
    assert found["where"].startswith("txn sale_")
    refused = taptill(sold, "sell", "1.00", "--reader", "sim:visa-credit")
    assert refused.returncode == 1
    assert "is not as this till left it" in refused.stderr
    assert "No sale was taken" in refused.stderr
    assert "What to do: Keep the folder" in refused.stderr
    checks = json.loads(taptill(sold, "doctor", "--json").stdout)["checks"]
    (ledger,) = [check for check in checks if check["thing"] == "ledger"]
    assert ledger["health"] == "failed"
    assert "taptill verify" in ledger["remedy"]
    assert taptill(sold, "report", "x").returncode == 0
    assert taptill(sold, "queue").returncode == 0
