"""ISO 8583: profiles as data, a strict codec, and the messages of a terminal."""
