"""The touchscreen. Kivy is imported below this package and nowhere else.

Kivy reads its environment when it is first imported, so it is set here, before any module of
this package can import it: no configuration file and no folder in the home directory, no log
file, no reading of the program's arguments, and Python's logging left as it was found.
"""

import os

os.environ.update(
    KIVY_NO_ARGS="1",
    KIVY_NO_CONFIG="1",
    KIVY_NO_CONSOLELOG="1",
    KIVY_NO_ENV_CONFIG="1",
    KIVY_NO_FILELOG="1",
    KIVY_LOG_MODE="PYTHON",
)
