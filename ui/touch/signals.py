"""What is heard and lit: tones that were loaded before the first sale, lamps, and a voice."""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from drivers.signals import Beeper, Lamps, beep
from ui.backstage import Backstage
from ui.presenter.cues import Cue
from ui.tones import TUNES, wav
from ui.voice import speak


class Signals:
    """Plays tones on Kivy's audio and on a beeper; lamps and voice are chores of the backstage.

    A tone lasts longer than a lamp may wait, so the beeper has a thread of its own.
    """

    def __init__(
        self, backstage: Backstage, lamps: Lamps | None = None, beeper: Beeper | None = None
    ) -> None:
        self._backstage = backstage
        self._lamps = lamps
        self._beeper = beeper
        self._beeping = Backstage() if beeper is not None else None
        self._lit = -1
        self._sounds: dict[Cue, Any] = {}

    def load(self) -> None:
        """Makes every tone and hands it to the audio device, so that none has to be waited for."""
        from kivy.core.audio import SoundLoader  # noqa: PLC0415 - after the window's settings

        with tempfile.TemporaryDirectory(prefix="taptill-tones-") as folder:
            for cue in Cue:
                path = Path(folder) / f"{cue.name.lower()}.wav"
                path.write_bytes(wav(cue))
                sound = SoundLoader.load(str(path))
                if sound is not None:
                    self._sounds[cue] = sound

    def cue(self, cue: Cue) -> None:
        """Sounds a cue; a machine without audio stays silent, and the screen says the same."""
        sound = self._sounds.get(cue)
        if sound is not None:
            sound.stop()
            sound.play()
        beeper, beeping = self._beeper, self._beeping
        if beeper is not None and beeping is not None:
            beeping.do(lambda: beep(beeper, TUNES[cue], time.sleep))

    def lights(self, lit: int) -> None:
        """Lights this many lamps, if there are any."""
        lamps = self._lamps
        if lamps is None or lit == self._lit:
            return
        self._lit = lit
        self._backstage.do(lambda: lamps.light(lit))

    def say(self, text: str, language: str) -> None:
        """Speaks a sentence, if there is a voice."""
        self._backstage.do(lambda: speak(text, language))

    def close(self) -> None:
        """Puts the lamps out, once the last tone has ended."""
        if self._beeping is not None:
            self._beeping.close()
        lamps = self._lamps
        if lamps is not None:
            with suppress(OSError):
                lamps.light(0)
