"""Slow tests share what the quick ones beside them use."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
