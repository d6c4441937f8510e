"""A simulated Plex Media Server: listings, edits, pictures and their awkwardness."""
