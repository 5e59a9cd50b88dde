"""The bench beside a simulated till: cards to tap, switches to turn, books to look into."""
