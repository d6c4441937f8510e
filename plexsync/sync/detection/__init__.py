"""Which scenes a run looks at, and why."""
