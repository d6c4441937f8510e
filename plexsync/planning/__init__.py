"""What to write: desired, observed and base values to changes, by policy. Pure."""
