"""Places of the till that each have a file of their own: one sale, the day, reader, settings."""
