"""Scenes x items to HIGH or LOW by evidence in bits. Pure; the door is `plexsync.matcher`."""
