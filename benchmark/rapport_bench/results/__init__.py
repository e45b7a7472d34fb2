"""Saved results: what a file holds, its columns, metrics and figures, and where it lies."""
