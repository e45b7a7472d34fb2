"""Dialogues as token sequences with labels, and batches of them."""
