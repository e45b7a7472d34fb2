"""Files, names that others chose, signals and streams: what every room uses."""
