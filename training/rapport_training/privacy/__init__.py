"""Anonymisation: what points at a person is found and replaced by a placeholder."""
