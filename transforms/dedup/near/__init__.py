"""Near-duplicates: candidates by bands, compared exactly, and who of them stays."""
