"""What the till costs, measured. ``python -m benchmarks`` runs all; a name runs one."""
