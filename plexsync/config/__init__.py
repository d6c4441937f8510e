"""Flags, environment and TOML to one frozen `Config`."""
