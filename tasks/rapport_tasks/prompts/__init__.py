"""How a dialogue becomes the text and the tokens that a language model reads."""
