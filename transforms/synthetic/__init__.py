"""Evidence that a text is machine-made."""
