"""Undo and saved plans: runs of earlier decisions."""
