"""``python -m ui`` is ``taptill``."""

from ui.cli import main

main()
