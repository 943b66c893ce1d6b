"""Deduplication alone."""
