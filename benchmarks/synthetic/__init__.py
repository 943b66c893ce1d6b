"""How far the tags and shares of machine-made text can be trusted, on texts of known origin."""
