"""Stash behind typed values; the door is `plexsync.stash_client`."""
