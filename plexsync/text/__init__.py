"""Canonical forms of paths, titles, names and dates. Pure."""
