"""Runnable jobs: Beam wiring and the command line, no logic."""
