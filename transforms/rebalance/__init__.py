"""Floors, caps, plan and assignment to shards."""
