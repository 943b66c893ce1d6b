"""text-dedup's MinHash command on two processes, and its result as Parquet."""

from __future__ import annotations

import argparse
import pathlib

import datasets
from text_dedup.minhash import main as deduplicate


def main() -> None:
    """Runs the command: 5-grams, 126 permutations in 21 bands of 6, xxh3."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    given = parser.parse_args()
    flags = {
        "path": "parquet",
        "data_files": str(given.input / "part-*.parquet"),
        "split": "train",
        "cache_dir": str(given.output / "cache"),
        "output": str(given.output / "arrow"),
        "column": "text",
        "ngram": "5",
        "min_length": "1",
        "num_perm": "126",
        "b": "21",
        "r": "6",
        "threshold": "0.8",
        "hash_func": "xxh3",
        "num_proc": "2",
    }
    arguments = [word for name, value in flags.items() for word in (f"--{name}", value)]
    deduplicate(arguments, standalone_mode=False)
    (given.output / "kept").mkdir()
    kept = datasets.load_from_disk(flags["output"])
    kept.to_parquet(str(given.output / "kept" / "0.parquet"))


if __name__ == "__main__":
    main()
