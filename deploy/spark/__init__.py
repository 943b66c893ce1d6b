"""Spark, another engine that Beam's graphs run on."""
