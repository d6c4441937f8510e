"""The review by keys in a terminal."""
