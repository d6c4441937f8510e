"""Labelled corpora for matching, and what matching makes of them."""
