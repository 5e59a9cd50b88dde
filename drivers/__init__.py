"""The hands: thin adapters between the ports and the world."""
