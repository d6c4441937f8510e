"""Plex Media Server behind typed values."""
