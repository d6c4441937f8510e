"""Posters and backgrounds."""
