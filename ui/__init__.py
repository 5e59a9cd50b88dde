"""The face: wiring, threads, presenters, the console and the command line."""
