"""The lm-eval tasks and their YAML files: requests out, responses to the metrics."""
