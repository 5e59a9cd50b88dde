"""What a face shows, as pure values: the state it folds, and the words on its pages.

Nothing below this package draws, waits or knows Kivy, so the touchscreen and the console till
show the same thing, and most tests of the face need no window.
"""
