"""Data files that ship with the package: language registry, models, cards."""
