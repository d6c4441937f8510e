"""A person settles LOW matches."""
