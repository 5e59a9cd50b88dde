"""The kit: the few widgets that all screens are made of, drawn by canvas alone.

No widget here knows a sale. Colours are token names that ``skin`` resolves, text is logical
and goes through ``Txt``, sizes are in dp and sp.
"""
