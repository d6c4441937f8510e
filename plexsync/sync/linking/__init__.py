"""Due scenes to linked pairs."""
