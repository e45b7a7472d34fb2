"""Figures with intervals, paired differences, gold bands, verdicts: arrays in, numbers out."""
