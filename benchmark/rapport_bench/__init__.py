"""Scores adapters against their base, on one loaded base, into versioned results."""
