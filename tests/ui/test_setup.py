"""``tools/setup``: an update does not begin while money waits."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A checkout whose virtual environment is older than its requirements."""
    for name in (
        "tools/setup",
        "requirements.txt",
        "pyproject.toml",
        "hardware-sim/pyproject.toml",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "tools/packages.txt").write_text("# none\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    _script(tmp_path / ".venv/bin/python", 'echo "$@" >> pip.log')
    return tmp_path


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def update(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "tools/setup", "run"],
        cwd=root,
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "environment", "goes_on"),
    [
        (1, {}, False),
        (1, {"TAPTILL_UPDATE_ANYWAY": "1"}, True),
        (0, {}, True),
        # A till that cannot say is updated: that may be what mends it.
        (2, {}, True),
    ],
)
def test_an_update_waits_for_money_that_waits(
    installed: Path, code: int, environment: dict[str, str], *, goes_on: bool
) -> None:
    _script(installed / ".venv/bin/taptill", f'echo "2 sales wait: EUR 12.50."; exit {code}')
    done = update(installed, **environment)
    assert (done.returncode == 0) is goes_on, done.stderr
    log = installed / "pip.log"
    assert ("install" in log.read_text()) is goes_on if log.exists() else not goes_on
    if not goes_on:
        assert "2 sales wait: EUR 12.50." in done.stderr
        assert "taptill sync" in done.stderr
        assert "TAPTILL_UPDATE_ANYWAY=1" in done.stderr
