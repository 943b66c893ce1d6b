"""The index of what earlier runs published: what a run compares with, and appends to."""
