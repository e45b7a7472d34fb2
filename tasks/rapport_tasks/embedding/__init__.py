"""Sentence embeddings, shared words, and what was learned on top of them."""
