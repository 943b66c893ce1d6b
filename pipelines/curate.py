"""`python -m pipelines.curate` is `holdfast curate`."""

from __future__ import annotations

import sys

from pipelines.cli import main

if __name__ == "__main__":
    sys.exit(main(["curate", *sys.argv[1:]]))
