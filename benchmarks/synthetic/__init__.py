"""How well machine-made text is told from human text."""
