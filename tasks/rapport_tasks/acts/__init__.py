"""Which act a sentence performs, in Chinese and English, and markers of speech."""
