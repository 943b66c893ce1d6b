"""Stub for Beam's `--setup_file`; `pyproject.toml` is the truth."""

from setuptools import setup

setup()
