"""Dialogues: the type, how files of them are read, their sentences and their replies."""
