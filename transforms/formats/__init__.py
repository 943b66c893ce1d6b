"""The formats that shards can have."""
