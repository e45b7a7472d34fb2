"""Training: a recipe and a corpus in, an adapter folder out."""
