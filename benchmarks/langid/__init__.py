"""Quality of the language identifier on text of sources that it did not learn from."""
