"""One pair of files per screen: ``.kv`` holds the layout, ``.py`` shows a page in it."""
