"""plexsync makes a Plex library say what a Stash library says, and keeps it so."""

__version__ = "0.1.0"
