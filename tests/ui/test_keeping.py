"""Preferences survive a restart, a bad file, an older or newer till, and a power cut."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ui.backstage import Backstage
from ui.keeping import FILE, Shelf, read_preferences, write_preferences
from ui.presenter.preferences import CHOICES, Preferences

SPANISH = Preferences(language="es")


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_choice_comes_back(tmp_path: Path, name: str) -> None:
    for value in CHOICES[name]:
        chosen = SPANISH.changed(name, value)
        write_preferences(tmp_path, chosen)
        assert read_preferences(tmp_path, Preferences()) == chosen
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "\x00\x01", '"es"', '{"language": 7}', '{"language": "xx"}', "{}"],
)
def test_a_file_that_says_nothing_leaves_the_defaults(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    assert read_preferences(tmp_path, SPANISH) == SPANISH


def test_no_file_leaves_the_defaults(tmp_path: Path) -> None:
    assert read_preferences(tmp_path / "nowhere", SPANISH) == SPANISH


def test_what_another_version_wrote_keeps_what_this_one_knows(tmp_path: Path) -> None:
    written = {"theme": "dark", "text": "huge", "haptics": "on", "sound": "off"}
    (tmp_path / FILE).write_text(json.dumps(written), encoding="utf-8")
    assert read_preferences(tmp_path, SPANISH) == Preferences("es", theme="dark", sound="off")


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_preferences(tmp_path, SPANISH)

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        write_preferences(tmp_path, Preferences(language="fr"))
    assert read_preferences(tmp_path, Preferences()) == SPANISH
    # On the thread that keeps them, that costs nobody a sale.
    backstage = Backstage()
    Shelf(tmp_path, backstage).keep(Preferences(language="bg"))
    backstage.close()
    assert read_preferences(tmp_path, Preferences()) == SPANISH


def test_the_last_choice_is_the_one_that_is_kept(tmp_path: Path) -> None:
    backstage = Backstage()
    shelf = Shelf(tmp_path, backstage)
    for language in ("en", "es", "fr"):
        shelf.keep(Preferences(language=language))
    backstage.close()
    assert read_preferences(tmp_path, SPANISH).language == "fr"
