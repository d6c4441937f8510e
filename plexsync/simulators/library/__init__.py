"""Generated libraries: pairs of Stash and Plex rows with the true links between them."""
