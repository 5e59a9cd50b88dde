"""The key screens, pixel by pixel: exact on the pinned software renderer, skipped on any other.

A picture that is meant to change is drawn anew with ``make pin``; look at the contact sheets of
``make shots`` first. On a mismatch the picture is left in ``.shots/actual``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.ui.conftest import KIVY_HOME, Driver
from tools.pictures import CASES, KEY_SCENES, PINNED, WIDE, Case, digest, pictures, renderer
from tools.studio import Studio

pytestmark = pytest.mark.window

ACTUAL = ROOT / ".shots" / "actual"


@pytest.fixture
def studio(driver: Driver) -> Iterator[Studio]:
    """A studio in the one window, which moves again afterwards."""
    from ui.touch.kit.signs import Countdown  # noqa: PLC0415 - needs the window
    from ui.touch.screens.result import ResultScreen  # noqa: PLC0415 - as above

    assert KIVY_HOME
    opened = Studio(WIDE)
    yield opened
    opened.close()
    Countdown.ticking = ResultScreen.leaving = True


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_key_screens_look_as_when_somebody_looked(studio: Studio, case: Case) -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    if renderer() != pinned["renderer"]:
        pytest.skip(f"pictures are pinned on {pinned['renderer']!r}, this is {renderer()!r}")
    wrong = []
    for scene, picture in pictures(studio, case):
        if digest(picture) != pinned["pictures"][case.name].get(scene):
            wrong.append(scene)
            ACTUAL.mkdir(parents=True, exist_ok=True)
            picture.save(ACTUAL / f"{case.name}-{scene}.png")
    assert not wrong, f"look at {ACTUAL}; if they are meant to be so: make pin"


def test_every_case_is_pinned() -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))["pictures"]
    assert set(pinned) == {case.name for case in CASES}
    for name, scenes in pinned.items():
        assert set(scenes) == set(KEY_SCENES), name
