"""From a configuration to saved results: suite, run, and transcripts without a model."""
