"""Ratings as they come back: files read, checked, unblinded, exported as pairs."""
