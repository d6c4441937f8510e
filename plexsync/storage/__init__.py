"""Files on disk: journal, checkpoint, lock, saved plans; the door is `plexsync.state`."""
