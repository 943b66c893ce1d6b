"""What is decided from all of staging together."""
