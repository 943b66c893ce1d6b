"""Paragraphs that recur across documents, cut from what is compared."""
