"""Where weights lie, and the hashes that identify them."""
