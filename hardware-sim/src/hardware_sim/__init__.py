"""Simulated cards, readers and acquirer, for tests and for a desk without hardware."""
