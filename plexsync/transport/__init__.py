"""HTTP: deadlines, size caps, retries, redaction."""
