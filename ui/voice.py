"""Speaks sentences through espeak-ng, where it is installed.

Rules of this file: only text that a screen shows is spoken, never anything of a card. The voice
runs as a program of its own; one that hangs is ended, and the till does not notice.
"""

from __future__ import annotations

import shutil
import subprocess

PROGRAM = "espeak-ng"
_LONGEST_S = 12.0


def speak(text: str, language: str) -> None:
    """Says a sentence, and returns when it is said.

    Raises:
        OSError: there is no voice here.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(PROGRAM)
    try:
        subprocess.run(
            [program, "-v", language, "-s", "150", "--", text],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return
