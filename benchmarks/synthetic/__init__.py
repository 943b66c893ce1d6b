"""How well machine-made text is told from human text, and how far figures can be trusted."""
