"""One run: detect, link, plan, write, remember."""
