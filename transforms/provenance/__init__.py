"""Evidence that a text is of human origin."""
