"""Base models loaded as they were hashed, and what this machine can compute."""
