"""One kernel a file, each a ``Dialogue[Outcome]``, steps in the order of its book."""
