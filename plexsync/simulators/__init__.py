"""Simulated Stash and Plex servers for the demo, the tests and the benchmarks."""
