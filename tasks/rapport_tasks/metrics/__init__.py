"""The metrics: perplexity, Advice-to-Empathy Ratio, continuity, topic shift, crisis."""
