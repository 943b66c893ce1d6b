"""The capabilities, one folder each."""
