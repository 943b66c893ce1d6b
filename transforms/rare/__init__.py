"""Tails inside a language: words that few originals hold, and what becomes of them."""
