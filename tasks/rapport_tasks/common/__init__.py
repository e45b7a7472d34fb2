"""Errors, paths, parsed files and records: what every room of the package uses."""
