"""Judgements from saved results: comparison, gate, leaderboard. Needs no model."""
