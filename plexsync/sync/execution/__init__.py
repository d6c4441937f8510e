"""Writing planned items to Plex and proving it."""
