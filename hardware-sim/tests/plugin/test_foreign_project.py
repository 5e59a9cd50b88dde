"""The plugin in a project that isn't Taptill: a fresh virtual environment, and three lines.

Only what others have made comes from this environment, since a test must not need the network;
Taptill and its simulator are built and installed as from a package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "docs" / "examples" / "another_terminal"
OURS = ("taptill", "__editable__", "_taptill", "_editable_impl_taptill")


def _run(folder: Path, *command: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    kept.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.pcscd
def test_pytest_finds_the_plugin_in_a_fresh_environment(tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    [site] = home.glob("lib/python*/site-packages")
    for package in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not package.name.startswith(OURS) and not (site / package.name).exists():
            (site / package.name).symlink_to(package)
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    python = str(home / "bin" / "python")
    # The three lines of docs/examples/another_terminal/README.md, without an index.
    install = ("pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation")
    _run(project, python, "-m", *install, str(ROOT), str(ROOT / "hardware-sim"))
    where = _run(project, python, "-c", "import hardware_sim; print(hardware_sim.__file__)")
    assert where.startswith(str(home)), "the simulator of the fresh environment is the one in use"
    told = _run(project, python, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "9 passed" in told
    assert sys.prefix not in where
