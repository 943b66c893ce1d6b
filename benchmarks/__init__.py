"""Measurements of the job: cost, quality of removal, yield. Not part of the distribution."""
