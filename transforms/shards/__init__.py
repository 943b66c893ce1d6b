"""What is published: shards, manifest, card, and their verification."""
