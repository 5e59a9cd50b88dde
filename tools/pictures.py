"""Which screens are pinned pixel by pixel, in which languages, sizes and looks, and how.

A hash is kept of each picture, and no picture: five hundred PNGs would be the heaviest thing here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tools.item_scenes import item_scenes
from tools.scenes import office_scenes, scenes
from tools.studio import Studio, hold_still
from ui.words import LANGUAGES

PINNED = Path(__file__).resolve().parents[1] / "tests" / "ui" / "pictures.json"
WIDE, UPRIGHT, LARGE = (800, 480), (480, 800), (1280, 720)
KEY_SCENES = (
    *("amount", "present", "one-card-only", "authorising", "approved", "declined", "stored"),
    *("items-start", "items", "items-unknown", "line", "items-list", "share"),
    *("unknown", "closed", "offline-banner", "menu", "queue", "history", "sale", "day", "lock"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One language on one size of window with some preferences."""

    language: str
    size: tuple[int, int] = WIDE
    preferences: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """``fa-480x800-dark``: how it is called in the file."""
        looks = "".join(f"-{value}" for _, value in self.preferences)
        return f"{self.language}-{self.size[0]}x{self.size[1]}{looks}"


CASES = (
    *(Case(language) for language in LANGUAGES),
    *(Case(language, UPRIGHT) for language in LANGUAGES),
    Case("en", LARGE),
    Case("fa", LARGE),
    Case("en", WIDE, (("theme", "dark"),)),
    Case("fr", WIDE, (("theme", "contrast"),)),
    Case("bg", WIDE, (("text", "large"),)),
)


def renderer() -> str:
    """What draws here, as OpenGL names it."""
    from kivy.graphics.opengl import GL_RENDERER, glGetString  # noqa: PLC0415 - needs the window

    name: bytes = glGetString(GL_RENDERER)
    return name.decode()


def pictures(
    studio: Studio, case: Case, *, every: bool = False
) -> Iterator[tuple[str, Image.Image]]:
    """Plays the scenes of a case, and takes a picture of each key scene, or of every one."""
    studio.resize(case.size)
    hold_still()
    for play in (scenes, office_scenes, item_scenes):
        studio.open(case.language, preferences=dict(case.preferences))
        for scene in play(studio):
            if every or scene in KEY_SCENES:
                yield scene, studio.picture()


def digest(picture: Image.Image) -> str:
    """What is kept of a picture."""
    return hashlib.sha256(picture.tobytes()).hexdigest()[:32]


def pin() -> None:
    """Draws every pinned picture anew and keeps the hashes."""
    studio = Studio(WIDE)
    kept = {
        case.name: {scene: digest(picture) for scene, picture in pictures(studio, case)}
        for case in CASES
    }
    content = {"renderer": renderer(), "pictures": kept}
    PINNED.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{PINNED}: {sum(map(len, kept.values()))} pictures")
    studio.close()
