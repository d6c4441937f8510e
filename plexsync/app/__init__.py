"""Use cases composed with real servers, clock and signals."""
