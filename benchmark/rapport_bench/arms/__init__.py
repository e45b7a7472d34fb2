"""What is scored: models and adapters on disk and in memory, bots, replies, and the store of answers."""
