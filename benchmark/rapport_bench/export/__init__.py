"""Saved results in the formats that other tools read: tables, model cards, lm-eval's results files."""
