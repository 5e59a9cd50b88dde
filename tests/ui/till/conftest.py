"""A till that runs in the test's own folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.ui.till.watcher import Watcher
from ui.till import Till
from ui.wiring import Parts, assembled, load_settings

OpenTill = Callable[..., Watcher]


@pytest.fixture
def open_till(tmp_path: Path) -> Iterator[OpenTill]:
    """Starts tills in the test's folder. ``change`` alters the parts before the start."""
    with ExitStack() as stack:

        def open_one(
            reader: str = "sim:visa-credit",
            *,
            change: Callable[[Parts], Parts] = lambda parts: parts,
            wake: Callable[[Watcher], None] = lambda watcher: None,
            start: bool = True,
        ) -> Watcher:
            settings = load_settings(data_dir=tmp_path / "till", reader=reader)
            parts = change(stack.enter_context(assembled(settings)))
            watcher = Watcher(parts, Till(parts))
            watcher.till.wake = lambda: wake(watcher)
            if start:
                watcher.till.start()
                stack.callback(watcher.till.stop)
            return watcher

        yield open_one
