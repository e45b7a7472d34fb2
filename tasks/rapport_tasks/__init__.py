"""What rapport-bench measures: dialogues, metrics and lm-eval tasks. Knows no model."""
