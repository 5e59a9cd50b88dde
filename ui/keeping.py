"""Where the face's preferences survive a restart: one small JSON file beside the ledger.

Rules of this file: written whole and renamed, so that a power cut leaves the old one or the new
one. A file that cannot be read, or says what no till offers, costs nobody a sale: the defaults
are used.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ui.backstage import Backstage
from ui.presenter.preferences import Preferences, restored

FILE = "face.json"


def read_preferences(folder: Path, default: Preferences) -> Preferences:
    """The preferences that were kept in this folder, or the default."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default
    return restored(content, default) if isinstance(content, dict) else default


def write_preferences(folder: Path, preferences: Preferences) -> None:
    """Keeps the preferences.

    Raises:
        OSError: they could not be written; the file is as it was.
    """
    fresh = folder / f"{FILE}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(preferences.stored(), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / FILE)


class Shelf:
    """Keeps preferences in a folder, on the backstage thread."""

    def __init__(self, folder: Path, backstage: Backstage) -> None:
        self._folder = folder
        self._backstage = backstage

    def keep(self, preferences: Preferences) -> None:
        """Stores them, without making the caller wait."""
        self._backstage.do(lambda: write_preferences(self._folder, preferences))
