"""From files to batches of documents, with dead letters for what is no document."""
