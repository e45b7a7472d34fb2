"""The pytest plugin, and regression tests as assertions."""
