"""Exact and near duplicates, with verified witnesses."""
