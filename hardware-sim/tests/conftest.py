"""What the simulator's tests may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"


@pytest.fixture(scope="session")
def vectors_dir() -> Path:
    """The folder of third-party test data; skips without it, and fails without it in CI."""
    if not VECTORS.is_dir():
        reason = "the third-party test data (../shared/vectors) is not here"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return VECTORS
