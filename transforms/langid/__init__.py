"""Which language a text is in, and whether it belongs to the tail."""
