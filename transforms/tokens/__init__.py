"""Sizes in tokens, by the tokenizer of whoever trains on the output."""
