"""Rebalancing alone: what it costs, and what its shards are like beside others."""
